/**
 * Merges the reports of all shards of one run into the report of the whole.
 *
 * **Invariant**: nothing is merged that does not fit exactly: every shard once, one run, one list of candidates, no
 * relay twice or missing. What does not fit is named.
 *
 * Format: docs/formats/exits.md
 */
import { parseTime } from '../../core/clock.ts'
import { ConfigError } from '../../core/config-error.ts'
import type { ExitMetadata, ExitReport } from '../../model/exit-result.ts'
import { buildExitReport, type ExitRunFacts } from './exit-report.ts'
import type { ReadExitReport } from './exit-report-reader.ts'
import { formatShard, hashCandidates, shardOf, WHOLE } from './shard.ts'

/** Names in one sentence. */
const NAMED_MAX = 5

/** One file to merge. */
export interface ShardFile extends ReadExitReport {
  /** As the user named it, for errors. */
  readonly path: string
}

/** A shard with the numbers it states. */
interface ParsedShard extends ShardFile {
  readonly index: number
  readonly count: number
}

/**
 * Merges.
 *
 * @throws {ConfigError} When a shard is missing, doubled, damaged or of another run, or relays overlap or are missing; the
 *   message names all that is wrong, the hint what to do.
 */
export async function mergeReports(files: readonly ShardFile[]): Promise<ExitReport> {
  const shards = files.map((file) => parseStatedShard(file))
  refuseAny(shards.flatMap(({ path, warnings }) => warnings.slice(0, 1).map((warning) => `${path}: ${warning}`)))
  const first = findReference(shards)
  refuseAny(shards.flatMap((shard) => describeForeign(shard, first)))
  refuseAny([...describeDoubled(shards), ...describeMissing(shards, first.count)])
  refuseAny(await describeMisplaced(shards))
  refuseAny(await describeGap(shards))
  const ordered = shards.toSorted((a, b) => a.index - b.index)
  return buildExitReport(
    ordered.flatMap((shard) => shard.report.results),
    mergeFacts(ordered.map((shard) => shard.report.metadata)),
  )
}

function parseStatedShard(file: ShardFile): ParsedShard {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(file.report.metadata.shard)
  const [index, count] = [Number(match?.[1]), Number(match?.[2])]
  if (match !== null && index < count) return { ...file, index, count }
  throw refuse([
    `${file.path} says that it is shard ${JSON.stringify(file.report.metadata.shard)}, which does not exist`,
  ])
}

/** @returns A shard of the run that most files belong to: a foreign one among many is then the one that is named. */
function findReference(shards: readonly ParsedShard[]): ParsedShard {
  const groups = [
    ...Map.groupBy(shards, (shard) =>
      identityOf(shard)
        .map(([, value]) => value)
        .join('\n'),
    ).values(),
  ]
  const most = groups.toSorted((a, b) => b.length - a.length)[0]?.[0]
  if (most === undefined) throw refuse(['there is no file to merge'])
  return most
}

/** What all shards of one run have in common, and how it is called. */
function identityOf({ count, report: { metadata } }: ParsedShard): readonly (readonly [string, string])[] {
  return [
    ['run id', metadata.run_id],
    ['number of shards', String(count)],
    ['module', metadata.module],
    ['mode', metadata.mode],
    // A label under invalid. is made up by each process for itself; what is asked there is the same.
    ['domain', (metadata.domain ?? 'none').replace(/^[a-z]{16}\.invalid$/, 'invalid')],
    ['expected addresses', metadata.expect.join(' ')],
    // What a consensus decides is the list of candidates; scanners that follow the plan state none.
    metadata.candidates_sha256 === ''
      ? ['consensus', metadata.consensus_valid_after]
      : ['list of candidates', metadata.candidates_sha256],
  ]
}

function describeForeign(shard: ParsedShard, reference: ParsedShard): readonly string[] {
  const expected = identityOf(reference)
  const different = identityOf(shard).filter(([, value], index) => value !== expected[index]?.[1])
  if (different.length === 0) return []
  const [name, value] = different[0] ?? ['', '']
  const other = expected.find(([expectedName]) => expectedName === name)?.[1]
  return [`${shard.path} is of another run: its ${name} is ${value}, that of ${reference.path} is ${other}`]
}

function describeDoubled(shards: readonly ParsedShard[]): readonly string[] {
  return [...Map.groupBy(shards, (shard) => shard.index).values()]
    .filter((group) => group.length > 1)
    .map((group) => `shard ${group[0]?.report.metadata.shard} is there ${group.length} times: ${pathsOf(group)}`)
}

function describeMissing(shards: readonly ParsedShard[], count: number): readonly string[] {
  const present = new Set(shards.map((shard) => shard.index))
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !present.has(index))
  if (missing.length === 0) return []
  return [`shard ${listUp(missing.map((index) => formatShard({ index, count })))} is missing`]
}

async function describeMisplaced(shards: readonly ParsedShard[]): Promise<readonly string[]> {
  const problems: string[] = []
  for (const shard of shards) {
    const foreign: string[] = []
    for (const { exit_fingerprint: fingerprint } of shard.report.results) {
      const index = await shardOf(fingerprint, shard.count)
      if (index !== shard.index) foreign.push(`${fingerprint} (of shard ${formatShard({ index, count: shard.count })})`)
    }
    if (foreign.length > 0) problems.push(`${shard.path} has relays of other shards: ${listUp(foreign)}`)
  }
  return problems
}

async function describeGap(shards: readonly ParsedShard[]): Promise<readonly string[]> {
  const stated = shards[0]?.report.metadata.candidates_sha256 ?? ''
  // Scanners that follow the plan state no list; then there is nothing to compare with.
  if (stated === '') return []
  const fingerprints = shards.flatMap((shard) => shard.report.results.map((result) => result.exit_fingerprint))
  if ((await hashCandidates(fingerprints)) === stated) return []
  return [
    `the ${fingerprints.length} relays of all shards together are not the candidates of the run: results are missing or were added`,
  ]
}

function mergeFacts(all: readonly ExitMetadata[]): ExitRunFacts {
  const [first] = all
  if (first === undefined) throw refuse(['there is no file to merge'])
  const startedAt = all.map((metadata) => metadata.started_at).toSorted()[0] ?? ''
  const finishedAt =
    all
      .map((metadata) => metadata.finished_at)
      .toSorted()
      .at(-1) ?? ''
  const sum = (read: (metadata: ExitMetadata) => number): number =>
    all.reduce((total, metadata) => total + read(metadata), 0)
  const max = (read: (metadata: ExitMetadata) => number): number => Math.max(...all.map(read))
  const limited = all.map((metadata) => metadata.authority_limited)
  const consensuses = unique(all.map((metadata) => metadata.consensus_valid_after)).toSorted()
  const invalid = unique(all.flatMap(({ invalid: why, shard }) => (why === null ? [] : [`shard ${shard}: ${why}`])))
  return {
    ...first,
    shard: formatShard(WHOLE),
    timestamp:
      all
        .map((metadata) => metadata.timestamp)
        .toSorted()
        .at(-1) ?? '',
    seed: unique(all.map((metadata) => metadata.seed)).join(', '),
    profile: unique(all.map((metadata) => metadata.profile)).join(', '),
    tor_version: unique(all.map((metadata) => metadata.tor_version)).join(', '),
    started_at: startedAt,
    finished_at: finishedAt,
    duration_ms: durationMs(startedAt, finishedAt) ?? max((metadata) => metadata.duration_ms),
    exit_resolve_timeout_ms: max((metadata) => metadata.exit_resolve_timeout_ms),
    invalid: invalid.length === 0 ? null : invalid.join('; '),
    interrupted: all.some((metadata) => metadata.interrupted),
    first_hops_relaxed: unique(all.flatMap((metadata) => metadata.first_hops_relaxed)),
    first_hops: max((metadata) => metadata.first_hops),
    circuits_built: sum((metadata) => metadata.circuits_built),
    circuits_failed: sum((metadata) => metadata.circuits_failed),
    queries: sum((metadata) => metadata.queries),
    authority_limited: limited.includes(null) ? null : sum((metadata) => metadata.authority_limited ?? 0),
    absent: unique(all.flatMap((metadata) => metadata.absent)),
    consensus_valid_after: consensuses[0] ?? '',
    notes: [
      ...unique(all.flatMap((metadata) => metadata.notes)),
      `merged from ${all.length} shards`,
      ...(consensuses.length > 1
        ? [`the shards began with ${consensuses.length} consensuses and one list of candidates`]
        : []),
    ],
  }
}

/** @returns From the first start to the last end, in milliseconds; `undefined` when the texts are no times. */
function durationMs(startedAt: string, finishedAt: string): number | undefined {
  const spanMs = parseTime(finishedAt) - parseTime(startedAt)
  return Number.isNaN(spanMs) ? undefined : spanMs
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

function pathsOf(shards: readonly ParsedShard[]): string {
  return listUp(shards.map((shard) => shard.path))
}

function listUp(names: readonly string[]): string {
  const more = names.length - NAMED_MAX
  return more > 0 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${more} more` : names.join(', ')
}

function refuseAny(problems: readonly string[]): void {
  if (problems.length > 0) throw refuse(problems)
}

function refuse(problems: readonly string[]): ConfigError {
  return new ConfigError(
    'these shards',
    problems.join('\n'),
    'name the report of every shard of one run exactly once: candor exits merge dnshealth_*_shard-*-of-M.json --output dnshealth_YYYYMMDD_HHMMSS.json',
  )
}
