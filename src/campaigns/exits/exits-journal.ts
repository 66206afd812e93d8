/**
 * What a run writes down while it goes on, and how a later process reads it back.
 *
 * Entries: `run` (once; what the run is), `issued` (a name that was sent), `circuit` (a circuit's part in a verdict),
 * `result` (the verdict about a relay), `module` (a module's records of one relay), `control` (the zone asked directly), `resumed`, `end`. A relay with a `result` is
 * finished; one with `circuit` entries alone is continued after them, so that nothing is asked twice that was answered.
 *
 * Format: docs/formats/journal.md
 */
import { ConfigError } from '../../core/config-error.ts'
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
  /** Whether the run was finished (its report was written). */
  readonly ended: boolean
}

interface ModuleEntry {
  readonly module: string
  readonly fingerprint: string
  readonly records: readonly ModuleRecord[]
}

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

/** Reads the entries of a journal back. @returns `undefined` when the journal has no header (it was torn at birth). */
export function readPriorRun(entries: readonly JournalEntry[]): PriorRun | undefined {
  let header: RunHeader | undefined
  let ended = false
  const results = new Map<string, ExitResult>()
  const circuits = new Map<string, CircuitRecord[]>()
  const issued: IssuedName[] = []
  const modules = new Map<string, Map<string, readonly ModuleRecord[]>>()
  for (const entry of entries) {
    switch (entry.kind) {
      case 'run':
        header ??= fromJson(entry) as RunHeader
        break
      case 'issued':
        issued.push(fromJson(entry) as IssuedName)
        break
      case 'circuit': {
        const { fingerprint, record } = fromJson(entry) as { fingerprint: string; record: CircuitRecord }
        circuits.set(fingerprint, [...(circuits.get(fingerprint) ?? []), record])
        break
      }
      case 'result': {
        const result = fromJson(entry['result']) as ExitResult
        results.set(result.exit_fingerprint, result)
        circuits.delete(result.exit_fingerprint)
        break
      }
      case 'module': {
        const { module, fingerprint, records } = fromJson(entry) as ModuleEntry
        modules.set(
          module,
          (modules.get(module) ?? new Map<string, readonly ModuleRecord[]>()).set(fingerprint, records),
        )
        break
      }
      case 'end':
        ended = true
        break
      default:
        // `control` and `resumed` are for people; a newer version's entries are kept and not understood.
        break
    }
  }
  return header && { header, results, circuits, issued, modules, ended }
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
    ['--domain', header.domain ?? '', options.domain ?? ''],
    ['--expect', header.expect.join(','), options.expect.join(',')],
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

/** Appends without waiting: what this entry says is only worth having if a later one, which is waited for, is there. */
export function appendSoon(journal: Journal, entry: JournalEntry, onFailure: (error: unknown) => void): void {
  journal.append(entry).catch(onFailure)
}

function toJson(value: object): { readonly [key: string]: Json } {
  // Records hold nothing but JSON values; the round trip drops `undefined` and says so to the type checker.
  return JSON.parse(JSON.stringify(value)) as { readonly [key: string]: Json }
}

/** The journal is our own file, each line checked by `store/journal.ts`: what was written is what is read. */
function fromJson(value: Json | undefined): unknown {
  return value
}
