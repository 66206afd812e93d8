/**
 * What a run writes down while it goes on, and how a later process reads it back.
 *
 * Entries: `run` (once; what the run is), `issued` (a name that was sent), `circuit` (a circuit's part in a verdict),
 * `result` (the verdict about a relay), `module` (a module's records of one relay), `resumed`, `end`. A relay with a
 * `result` is finished; one with `circuit` entries alone is continued after them, so that nothing is asked twice that was
 * answered.
 *
 * **Invariant**: an entry of another shape than ours (a damaged file, another version) is counted and passed over.
 *
 * Format: docs/formats/journal.md
 */
import { z } from 'zod'
import { ConfigError, RunError } from '../../core/config-error.ts'
import type { Json } from '../../core/log.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { ExitMode, ExitResult } from '../../model/exit-result.ts'
import type { Journal, JournalEntry } from '../../model/journal.ts'
import type { ModuleRecord } from './run-module.ts'
import type { CircuitRecord, IssuedName } from './scan-context.ts'

/** What a run is: everything that a resumed process must agree with. */
export interface RunHeader {
  readonly runId: string
  /** `N/M`. */
  readonly shard: string
  readonly seed: string
  readonly mode: ExitMode
  readonly domain: string | null
  readonly expect: readonly string[]
  readonly startedAt: string
  readonly consensusValidAfter: string
  readonly candidatesSha256: string
  /** This shard's candidates in the order of testing, with the reason for each. */
  readonly candidates: readonly { readonly fingerprint: string; readonly reason: string }[]
}

/** What an earlier process left behind. */
export interface PriorRun {
  readonly header: RunHeader
  /** Finished relays. */
  readonly results: ReadonlyMap<string, ExitResult>
  /** Complete circuits of unfinished relays, in order. */
  readonly circuits: ReadonlyMap<string, readonly CircuitRecord[]>
  readonly issued: readonly IssuedName[]
  /** Module → fingerprint → its records. */
  readonly modules: ReadonlyMap<string, ReadonlyMap<string, readonly ModuleRecord[]>>
  /** Whether every relay has its verdict and the report was written. */
  readonly complete: boolean
  /** Entries that are none of ours: what they said is asked again. */
  readonly unreadable: number
}

const digits = z.string().regex(/^[\dA-F]{40}$/)
const attempts = z.array(z.looseObject({ attempt: z.number(), circuit: z.number(), status: z.string() }))
/**
 * The fields without which an entry cannot be used. A journal is a file of ours, so the rest is taken as it is; these are
 * what a damaged line or another version would break.
 */
const SHAPES = {
  run: z.looseObject({
    runId: z.string().regex(/^\d{14}$/),
    shard: z.string(),
    seed: z.string(),
    mode: z.enum(['wildcard', 'nxdomain', 'stable']),
    domain: z.string().nullable(),
    expect: z.array(z.string()),
    startedAt: z.string(),
    candidatesSha256: z.string(),
    candidates: z.array(z.object({ fingerprint: digits, reason: z.string() })),
  }),
  issued: z.looseObject({ name: z.string(), fingerprint: digits, attempt: z.number(), sentAtMs: z.number() }),
  circuit: z.looseObject({
    fingerprint: digits,
    record: z.looseObject({ circuit: z.number(), path: z.array(z.string()), attempts, decoys: attempts }),
  }),
  result: z.looseObject({
    result: z.looseObject({ exit_fingerprint: digits, status: z.string(), attempts, flags: z.array(z.string()) }),
  }),
  module: z.looseObject({ module: z.string(), fingerprint: digits, records: z.array(z.looseObject({})) }),
} as const

/** Name of the journal file of a run: `journal_RUNID.jsonl`, shards apart. */
export function journalFileName(runId: string, shard: { readonly index: number; readonly count: number }): string {
  const part = shard.count > 1 ? `_shard-${shard.index}-of-${shard.count}` : ''
  return `journal_${runId}${part}.jsonl`
}

/** The entry that opens a journal. */
export function headerEntry(header: RunHeader): JournalEntry {
  return { kind: 'run', ...toJson(header) }
}

/** The entry of a name that is being sent. */
export function issuedEntry(issued: IssuedName): JournalEntry {
  return { kind: 'issued', ...toJson(issued) }
}

/** The entry of a complete circuit. */
export function circuitEntry(fingerprint: string, record: CircuitRecord): JournalEntry {
  return { kind: 'circuit', fingerprint, record: toJson(record) }
}

/** The entry of a verdict. */
export function resultEntry(result: ExitResult): JournalEntry {
  return { kind: 'result', result: toJson(result) }
}

/**
 * Reads the entries of a journal back.
 *
 * @returns `undefined` when the journal has no header (it was torn at birth).
 * @throws {RunError} When there is a header, and it is none that this version can read.
 */
export function readPriorRun(entries: readonly JournalEntry[]): PriorRun | undefined {
  let header: RunHeader | undefined
  let ended = false
  let unreadable = 0
  const results = new Map<string, ExitResult>()
  const circuits = new Map<string, CircuitRecord[]>()
  const issued: IssuedName[] = []
  const modules = new Map<string, Map<string, readonly ModuleRecord[]>>()
  for (const entry of entries) {
    if (!isOurs(entry)) {
      if (entry.kind === 'run' && header === undefined) throw unknownHeader()
      unreadable++
      continue
    }
    switch (entry.kind) {
      case 'run':
        header ??= recordOf(entry) as RunHeader
        break
      case 'issued':
        issued.push(recordOf(entry) as IssuedName)
        break
      case 'circuit': {
        const { fingerprint, record } = recordOf(entry) as { fingerprint: string; record: CircuitRecord }
        circuits.set(fingerprint, [...(circuits.get(fingerprint) ?? []), record])
        break
      }
      case 'result': {
        const { result } = recordOf(entry) as { result: ExitResult }
        results.set(result.exit_fingerprint, result)
        circuits.delete(result.exit_fingerprint)
        break
      }
      case 'module': {
        const { module, fingerprint, records } = recordOf(entry) as ModuleEntry
        const ofModule = modules.get(module) ?? new Map<string, readonly ModuleRecord[]>()
        modules.set(module, ofModule.set(fingerprint, records))
        break
      }
      case 'end':
        ended = true
        break
      default:
        // `resumed` is for people; a newer version's entries are kept and not understood.
        break
    }
  }
  if (header === undefined) return undefined
  const complete = ended && header.candidates.every((candidate) => results.has(candidate.fingerprint))
  return { header, results, circuits, issued, modules, complete, unreadable }
}

interface ModuleEntry {
  readonly module: string
  readonly fingerprint: string
  readonly records: readonly ModuleRecord[]
}

function isOurs(entry: JournalEntry): boolean {
  const shape = Object.hasOwn(SHAPES, entry.kind) ? SHAPES[entry.kind as keyof typeof SHAPES] : undefined
  return shape === undefined || shape.safeParse(entry).success
}

/** The record that was written into an entry whose shape was checked. */
function recordOf(entry: JournalEntry): unknown {
  return entry
}

function unknownHeader(): RunError {
  return new RunError(
    'the journal cannot be continued: its first entry is damaged, or of another version of this program',
    'leave out --resume to start a new run',
  )
}

/**
 * Checks that a run may be continued with these options.
 *
 * @throws {ConfigError} Naming the option that differs.
 */
export function checkResumable(header: RunHeader, options: ExitRunOptions): void {
  const shard = `${options.selection.shard.index}/${options.selection.shard.count}`
  const pairs: readonly (readonly [string, string, string])[] = [
    ['--run-id', header.runId, options.runId],
    ['--shard', header.shard, shard],
    // Which mode `auto` fell back to is in the journal.
    ['--mode', header.mode, options.mode === 'auto' ? header.mode : options.mode],
    ...zonePairs(header, options),
  ]
  for (const [option, was, is] of pairs) {
    if (was === is) continue
    throw new ConfigError(
      option,
      `run ${header.runId} was started with ${option} ${was || '(none)'}, not ${is || '(none)'}`,
      `${option} ${was} continues it; without --resume a new run begins`,
    )
  }
}

/** The zone's options, where the mode has such: the label of `invalid.` was made up, and is in the journal. */
function zonePairs(header: RunHeader, options: ExitRunOptions): readonly (readonly [string, string, string])[] {
  const domain = header.domain ?? ''
  switch (header.mode) {
    case 'wildcard':
      return [
        ['--domain', domain, options.domain ?? ''],
        ['--expect', header.expect.join(','), options.expect.join(',')],
      ]
    case 'nxdomain':
      return [['--nxdomain-domain', domain, options.nxdomainDomain ?? domain]]
    case 'stable':
      return []
  }
}

/** Appends without waiting: what this entry says is only worth having if a later one, which is waited for, is there. */
export function appendSoon(journal: Journal, entry: JournalEntry, onFailure: (error: unknown) => void): void {
  journal.append(entry).catch(onFailure)
}

function toJson(value: object): { readonly [key: string]: Json } {
  // Records hold nothing but JSON values; the round trip drops `undefined` and says so to the type checker.
  return JSON.parse(JSON.stringify(value)) as { readonly [key: string]: Json }
}
