/**
 * Reads runs and relays out of the archive.
 *
 * **Invariant**: every answer is of one committed state; whatever is remembered is forgotten when somebody else has
 * written. Nothing reads more than one run, or one relay, at a time.
 */
import type { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import type { ExitPoint, ExitRecord, ExitRelayDay, ExitRow, ExitRunSummary } from '../model/exit-archive.ts'
import type { ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ArchiveRuns, StoredRun } from './archive-runs.node.ts'
import type { ArchiveTexts } from './archive-texts.node.ts'
import { createLruCache } from './lru-cache.ts'
import { EVIDENCE_OF_FAILURES, EVIDENCE_OF_SUCCESSES, unpackEvidence } from './pack-evidence.node.ts'
import { decodeRunBlock, type RunColumns } from './run-block.ts'
import { dayOfRun, firstRunIdAt, momentOfRun } from './run-moment.ts'

/** Runs that are remembered decoded: 3,100 relays are about 600 kB. */
const DECODED_MAX = 12
/** Invalid runs that are searched for a relay that no valid run knows. */
const INVALID_RUNS_MAX = 10
const MS_PER_SECOND = 1000

/** One part of a run, decoded. */
interface DecodedPart {
  readonly rows: readonly ExitRow[]
  readonly columns: Pick<RunColumns, 'fact' | 'askedAt'>
}

/** What is read of relays. */
export interface ArchiveReader {
  /** In order of fingerprint; `undefined` when the run is not known or its rows were given up. */
  rows(runId: string): readonly ExitRow[] | undefined
  record(run: ExitRunSummary, fingerprint: string): ExitRecord | undefined
  /** All results of a run without their evidence, in order of fingerprint; `undefined` as for rows. */
  outlines(run: ExitRunSummary): readonly ExitResult[] | undefined
  newest(fingerprint: string): ExitRow | undefined
  points(fingerprint: string, limit: number): readonly ExitPoint[]
  relayDays(fingerprint: string, since: string): readonly ExitRelayDay[]
}

/** Makes the reader of one connection. */
export function createArchiveReader(database: DatabaseSync, runs: ArchiveRuns, texts: ArchiveTexts): ArchiveReader {
  const decodePart = createPartDecoder(database, texts)
  const rowsOf = createRowsOfRun(runs, decodePart)
  const newestRun = database.prepare('SELECT max(run_id) AS run_id FROM verdict WHERE relay = ?')
  const lastRow = database.prepare('SELECT last_row FROM relay WHERE id = ?')
  const findRow = (runId: string, fingerprint: string): ExitRow | undefined =>
    rowsOf(runId)?.find((row) => row.exit_fingerprint === fingerprint)
  return {
    rows: rowsOf,
    record: createRecordReader(database, { runs, texts, decodePart }),
    outlines: (run) => {
      const byFingerprint = new Map<string, ExitResult>()
      for (const part of runs.parts(run.runId)) {
        const decoded = decodePart(part)
        if (decoded === undefined) return undefined
        for (const [index, row] of decoded.rows.entries()) {
          byFingerprint.set(row.exit_fingerprint, outlineOf(texts, run, decoded, index, row))
        }
      }
      const results = [...byFingerprint.values()]
      return results.toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1))
    },
    newest: (fingerprint) => {
      const relay = texts.relayOf(fingerprint)
      if (relay === undefined) return undefined
      const runId = newestRun.get(relay)?.['run_id']
      const row = typeof runId === 'number' ? findRow(String(runId), fingerprint) : undefined
      if (row !== undefined) return row
      const left = lastRow.get(relay)?.['last_row']
      if (typeof left === 'string') return JSON.parse(left) as ExitRow
      for (const invalid of runs.newestInvalid(INVALID_RUNS_MAX)) {
        const found = findRow(invalid, fingerprint)
        if (found !== undefined) return found
      }
      return undefined
    },
    points: createPointReader(database, runs, texts),
    relayDays: createDayReader(database, texts),
  }
}

type PartDecoder = (part: StoredRun) => DecodedPart | undefined

function createPartDecoder(database: DatabaseSync, texts: ArchiveTexts): PartDecoder {
  const block = database.prepare('SELECT block FROM run_rows WHERE seq = ?')
  const cache = createLruCache<number, DecodedPart>(DECODED_MAX)
  return (part) => {
    if (!part.hasRows) return undefined
    const known = cache.get(part.seq)
    if (known !== undefined) return known
    const octets = block.get(part.seq)?.['block']
    if (!(octets instanceof Uint8Array)) return undefined
    const columns = decodeRunBlock(zstdDecompressSync(octets))
    const rows = Array.from({ length: columns.relay.length }, (_, row) => decodeRow(texts, columns, row, part.runId))
    const decoded = { rows, columns: { fact: columns.fact, askedAt: columns.askedAt } }
    cache.set(part.seq, decoded)
    return decoded
  }
}

function decodeRow(texts: ArchiveTexts, columns: RunColumns, row: number, runId: string): ExitRow {
  const at = (column: Uint32Array): number => column[row] ?? 0
  const facts = texts.facts(at(columns.fact))
  const verdict = texts.verdict(at(columns.kind))
  const [hop, latency] = [at(columns.hop), at(columns.latency)]
  const fingerprint = texts.fingerprint(at(columns.relay))
  const members = texts.family(at(columns.family))
  return {
    exit_fingerprint: fingerprint,
    exit_nickname: facts.nickname,
    exit_address: facts.address,
    first_hop_fingerprint: hop === 0 ? null : texts.fingerprint(hop),
    run_id: runId,
    status: verdict.status,
    status_ipv6: verdict.statusIpv6,
    error_code: verdict.errorCode,
    flags: verdict.flags,
    resolved_ip: texts.term(at(columns.resolved)),
    latency_ms: latency === 0 ? null : latency - 1,
    as: facts.as,
    country: facts.country,
    operator: facts.operator,
    family: facts.namesItself ? members : members.filter((member) => member !== fingerprint),
    consecutive_failures: at(columns.failures),
    consecutive_failures_ipv6: at(columns.failuresIpv6),
    first_seen: texts.term(at(columns.firstSeen)),
    last_seen: texts.term(at(columns.lastSeen)),
  }
}

function createRowsOfRun(runs: ArchiveRuns, decodePart: PartDecoder): ArchiveReader['rows'] {
  return (runId) => {
    const lists: (readonly ExitRow[])[] = []
    for (const part of runs.parts(runId)) {
      const decoded = decodePart(part)
      if (decoded === undefined) return undefined
      lists.push(decoded.rows)
    }
    if (lists.length < 2) return lists[0]
    const byFingerprint = new Map(lists.flat().map((row) => [row.exit_fingerprint, row]))
    return [...byFingerprint.values()].toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1))
  }
}

function createRecordReader(
  database: DatabaseSync,
  { runs, texts, decodePart }: { runs: ArchiveRuns; texts: ArchiveTexts; decodePart: PartDecoder },
): ArchiveReader['record'] {
  const block = database.prepare(
    'SELECT block FROM evidence WHERE seq = ? AND class = ? AND first <= ? ORDER BY first DESC LIMIT 1',
  )
  const findEvidence = (part: StoredRun, fingerprint: string): ExitResult | undefined => {
    for (const evidenceClass of [EVIDENCE_OF_FAILURES, EVIDENCE_OF_SUCCESSES]) {
      const octets = block.get(part.seq, evidenceClass, fingerprint)?.['block']
      const result = octets instanceof Uint8Array ? unpackEvidence(octets, fingerprint) : undefined
      if (result !== undefined) return result
    }
    return undefined
  }
  return (run, fingerprint) => {
    for (const part of runs.parts(run.runId)) {
      const result = findEvidence(part, fingerprint)
      if (result !== undefined) return { result, hasEvidence: true }
      const decoded = decodePart(part)
      const index = decoded?.rows.findIndex((row) => row.exit_fingerprint === fingerprint) ?? -1
      const row = decoded?.rows[index]
      if (decoded === undefined || row === undefined) continue
      return { result: outlineOf(texts, run, decoded, index, row), hasEvidence: false }
    }
    return undefined
  }
}

/** What is known about a relay in a run without its evidence. */
function outlineOf(
  texts: ArchiveTexts,
  run: ExitRunSummary,
  { columns }: DecodedPart,
  index: number,
  row: ExitRow,
): ExitResult {
  const startSeconds = momentOfRun(run.runId) / MS_PER_SECOND
  const timestamp = startSeconds + Math.max((columns.askedAt[index] ?? 0) - 1, 0)
  return { ...withoutEvidence(run, timestamp), ...row, ...texts.detail(columns.fact[index] ?? 0) }
}

/** The fields of a result that only its evidence would say. */
function withoutEvidence(
  { metadata }: ExitRunSummary,
  timestamp: number,
): Omit<
  ExitResult,
  keyof ExitRow | 'or_addresses' | 'exit_flag' | 'bad_exit' | 'candidate_reason' | 'policy_summary' | 'contact'
> {
  return {
    query_domain: null,
    expected_ip: metadata.expect[0] ?? null,
    timestamp,
    shard: metadata.shard,
    mode: metadata.mode,
    error: null,
    attempt: 0,
    resolved_ipv6: null,
    attempts: [],
    bandwidth_weight: null,
    resolver: null,
  }
}

function createPointReader(database: DatabaseSync, runs: ArchiveRuns, texts: ArchiveTexts): ArchiveReader['points'] {
  const verdicts = database.prepare(
    'SELECT run_id, kind, latency_ms FROM verdict WHERE relay = ? AND run_id >= ? ORDER BY run_id',
  )
  return (fingerprint, limit) => {
    const times = runs.validTimes(limit)
    const relay = texts.relayOf(fingerprint)
    const oldest = Number(times.at(-1)?.runId ?? 0)
    const found = relay === undefined ? [] : verdicts.all(relay, oldest)
    const byRun = new Map(found.map((row) => [String(row['run_id']), row]))
    return times.map(({ runId, timestamp }) => {
      const row = byRun.get(runId)
      if (row === undefined) return { runId, timestamp, status: null, errorCode: null, latencyMs: null }
      const { status, errorCode } = texts.verdict(Number(row['kind']))
      return {
        runId,
        timestamp,
        status,
        errorCode,
        latencyMs: row['latency_ms'] === null ? null : Number(row['latency_ms']),
      }
    })
  }
}

/** The columns of `relay_day` that are counts. */
const DAY_COUNTS: readonly ExitStatus[] = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
]

function createDayReader(database: DatabaseSync, texts: ArchiveTexts): ArchiveReader['relayDays'] {
  const verdicts = database.prepare('SELECT run_id, kind FROM verdict WHERE relay = ? AND run_id >= ? ORDER BY run_id')
  const rolledUp = database.prepare('SELECT * FROM relay_day WHERE relay = ? AND day >= ? ORDER BY day')
  return (fingerprint, since) => {
    const relay = texts.relayOf(fingerprint)
    if (relay === undefined) return []
    const days = new Map<string, Partial<Record<ExitStatus, number>>>()
    const add = (day: string, status: ExitStatus, count: number): void => {
      if (count === 0) return
      const counts = days.get(day) ?? {}
      counts[status] = (counts[status] ?? 0) + count
      days.set(day, counts)
    }
    const firstDay = Math.floor(firstRunIdAt(since) / RUN_IDS_PER_DAY)
    for (const row of rolledUp.all(relay, firstDay)) {
      const digits = String(row['day'])
      for (const status of DAY_COUNTS) add(dayOfRun(digits), status, Number(row[status]))
    }
    for (const row of verdicts.all(relay, firstDay * RUN_IDS_PER_DAY)) {
      add(dayOfRun(String(row['run_id'])), texts.verdict(Number(row['kind'])).status, 1)
    }
    return [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([day, counts]) => ({ day, counts }))
  }
}

/** Run ids of one day differ in their last six digits. */
const RUN_IDS_PER_DAY = 1_000_000
