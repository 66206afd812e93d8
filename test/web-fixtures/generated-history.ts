/**
 * An archive of runs that were never made: relays with a fate each, runs every six hours, invalid ones, a day without any,
 * evidence that retention has given up. Nothing is stored: every row follows from the numbers of relay and run.
 */
import { formatIsoTime } from '../../src/core/clock.ts'
import type {
  ExitArchive,
  ExitChanges,
  ExitPoint,
  ExitRecord,
  ExitRelayDay,
  ExitRow,
  ExitRunSummary,
  ExitTrendPoint,
} from '../../src/model/exit-archive.ts'
import type { ExitMetadata, ExitStatus } from '../../src/model/exit-result.ts'
import { KINDS, RIGHT, type Kind } from './exit-kinds.ts'
import { createFixtureMetadata, createFixtureResult } from './exit-run-fixture.ts'

const RUN_MS = 6 * 3_600_000
const DAY_MS = 24 * 3_600_000
const NICKNAMES = ['quokka', 'Unnamed', 'NTH72R4', 'relayon', 'ArtikelZehn', 'mullvad1', 'F3Netze', 'prsv', 'dotsrc']
const OPERATORS = [
  'relays.example',
  'exits.example.net',
  'library.example',
  null,
  'two-dots.example',
  null,
  'f3.example',
]
const NETWORKS = [
  'AS24940 Hetzner Online GmbH',
  'AS16276 OVH SAS',
  'AS60729 Stiftung Erneuerbare Freiheit',
  'AS208323 Foundation for Applied Privacy',
  'AS53667 FranTech Solutions',
  'AS210558 A network whose name is longer than any column would like it to be, GmbH & Co. KG',
]
const COUNTRIES = ['DE', 'NL', 'US', 'SE', 'CH', 'FR', 'LU', 'AT', null, 'RO']

/** What to make. */
export interface GeneratedHistoryOptions {
  readonly relays: number
  /** Runs, one every six hours, one day left out. */
  readonly runs: number
  /** When the newest run began, milliseconds since the epoch. */
  readonly newestAtMs: number
}

/** An archive, and what a test wants to know about it. */
export interface GeneratedHistory extends ExitArchive {
  /** Fingerprint by number. */
  fingerprint(relay: number): string
}

interface Run {
  readonly index: number
  readonly startedAtMs: number
  readonly runId: string
  readonly invalid: string | null
}

/** Makes the archive. */
export function createGeneratedHistory(options: GeneratedHistoryOptions): GeneratedHistory {
  const runs = createRuns(options)
  const byId = new Map(runs.map((run) => [run.runId, run]))
  const summaries = new Map<string, ExitRunSummary>()
  const relays = new Map(relaysOf(options).map((relay) => [createFingerprint(relay), relay]))
  const summarize = (run: Run): ExitRunSummary => {
    const summary = summaries.get(run.runId) ?? createSummary(run, options)
    summaries.set(run.runId, summary)
    return summary
  }
  const rowsOf = (run: Run): readonly ExitRow[] => createRows(run, options)
  const newestFirst = (before: string | null): readonly Run[] =>
    runs.filter(({ runId }) => before === null || runId < before).toReversed()
  const validBefore = (atMs: number): Run | undefined =>
    runs.findLast((run) => run.startedAtMs <= atMs && run.invalid === null)
  return {
    fingerprint: createFingerprint,
    runs: (before, limit) => Promise.resolve(newestFirst(before).slice(0, limit).map(summarize)),
    run: (runId) => Promise.resolve(maybe(byId.get(runId), summarize)),
    latest: () => Promise.resolve(maybe(validBefore(options.newestAtMs), summarize)),
    rows: (runId) =>
      Promise.resolve(maybe(byId.get(runId), (run) => (summarize(run).hasRows ? rowsOf(run) : undefined))),
    record: (runId, fingerprint) => {
      const run = byId.get(runId)
      const relay = relays.get(fingerprint)
      if (run === undefined || relay === undefined || kindOf(relay, run) === undefined)
        return Promise.resolve(undefined)
      return Promise.resolve(createRecord(relay, run, summarize(run)))
    },
    newest: (fingerprint) => {
      const relay = relays.get(fingerprint)
      const run = maybe(relay, (own) => runs.findLast((candidate) => kindOf(own, candidate) !== undefined))
      return Promise.resolve(maybe(run, (found) => createRow(relay ?? 0, found)))
    },
    points: (fingerprint, limit) =>
      Promise.resolve(
        newestFirst(null)
          .slice(0, limit)
          .map((run) => createRelayPoint(run, relays.get(fingerprint))),
      ),
    trend: (since, limit) => {
      const wanted = runs.filter(({ startedAtMs }) => formatIsoTime(startedAtMs) >= since)
      const step = Math.max(1, Math.ceil(wanted.length / limit))
      return Promise.resolve(wanted.filter((_, index) => index % step === 0).map((run) => createPoint(summarize(run))))
    },
    relayDays: (fingerprint, since) => Promise.resolve(createDays(runs, relays.get(fingerprint), since)),
    changes: (runId, spanMs) =>
      Promise.resolve(
        maybe(byId.get(runId), (run) => {
          const before = validBefore(run.startedAtMs - spanMs)
          return compareRows(rowsOf(run), before === undefined ? undefined : rowsOf(before), before?.runId ?? null)
        }),
      ),
    verdicts: () => Promise.resolve(new Map()),
    append: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

function createRows(run: Run, options: GeneratedHistoryOptions): readonly ExitRow[] {
  return relaysOf(options)
    .filter((relay) => kindOf(relay, run) !== undefined)
    .map((relay) => createRow(relay, run))
    .toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1))
}

function createRecord(relay: number, run: Run, { evidence }: ExitRunSummary): ExitRecord {
  const row = createRow(relay, run)
  const hasEvidence = evidence === 'all' || (evidence === 'failures' && row.status !== 'success')
  const result = { ...createFixtureResult(kindOf(relay, run) ?? RIGHT, relay), ...row }
  return { result: hasEvidence ? result : { ...result, attempts: [] }, hasEvidence }
}

function createRelayPoint(run: Run, relay: number | undefined): ExitPoint {
  const kind = relay === undefined ? undefined : kindOf(relay, run)
  return {
    runId: run.runId,
    timestamp: formatIsoTime(run.startedAtMs),
    status: kind?.status ?? null,
    errorCode: kind?.code ?? null,
    latencyMs: kind?.latencyMs ?? null,
  }
}

function createDays(runs: readonly Run[], relay: number | undefined, since: string): readonly ExitRelayDay[] {
  const days = new Map<string, Partial<Record<ExitStatus, number>>>()
  for (const run of runs) {
    const kind = relay === undefined ? undefined : kindOf(relay, run)
    const at = formatIsoTime(run.startedAtMs)
    if (kind === undefined || at < since) continue
    const counts = days.get(at.slice(0, 10)) ?? {}
    days.set(at.slice(0, 10), { ...counts, [kind.status]: (counts[kind.status] ?? 0) + 1 })
  }
  return [...days].map(([day, counts]) => ({ day, counts }))
}

function compareRows(
  now: readonly ExitRow[],
  before: readonly ExitRow[] | undefined,
  since: string | null,
): ExitChanges {
  if (before === undefined) return { since: null, newlyFailing: [], recovered: [], appeared: 0, gone: 0 }
  const old = new Map(before.map((row) => [row.exit_fingerprint, row]))
  const known = new Set(now.map((row) => row.exit_fingerprint))
  return {
    since,
    newlyFailing: now.filter((row) => isFailing(row) && old.get(row.exit_fingerprint)?.status === 'success'),
    recovered: now.filter((row) => row.status === 'success' && isFailing(old.get(row.exit_fingerprint))),
    appeared: now.filter((row) => !old.has(row.exit_fingerprint)).length,
    gone: before.filter((row) => !known.has(row.exit_fingerprint)).length,
  }
}

function isFailing(row: ExitRow | undefined): boolean {
  return row !== undefined && (row.status === 'wrong_ip' || row.status === 'dns_fail' || row.status === 'timeout')
}

function maybe<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value)
}

function relaysOf({ relays }: GeneratedHistoryOptions): readonly number[] {
  return Array.from({ length: relays }, (_, index) => index)
}

function createRuns({ runs, newestAtMs }: GeneratedHistoryOptions): readonly Run[] {
  return Array.from({ length: runs }, (_, index) => {
    const startedAtMs = newestAtMs - (runs - 1 - index) * RUN_MS - (runs - index > 40 ? DAY_MS : 0)
    return {
      index: index + 1,
      startedAtMs,
      runId: formatIsoTime(startedAtMs)
        .replaceAll(/[^0-9]/g, '')
        .slice(0, 14),
      invalid: (runs - index) % 53 === 9 ? 'the direct control of the zone failed twice in a row' : null,
    }
  })
}

function createSummary(run: Run, options: GeneratedHistoryOptions): ExitRunSummary {
  const statuses = relaysOf(options)
    .map((relay) => kindOf(relay, run))
    .filter((kind) => kind !== undefined)
    .map(({ status }) => ({ status }))
  const base = createFixtureMetadata(statuses)
  const share = (part: number, whole: number): number | null =>
    whole === 0 ? null : Math.round((10_000 * part) / whole) / 100
  const metadata: ExitMetadata = {
    ...base,
    run_id: run.runId,
    timestamp: formatIsoTime(run.startedAtMs + 310_000),
    started_at: formatIsoTime(run.startedAtMs),
    finished_at: formatIsoTime(run.startedAtMs + 310_000),
    consensus_valid_after: formatIsoTime(run.startedAtMs - (run.startedAtMs % 3_600_000)),
    duration_ms: 310_000,
    invalid: run.invalid,
    interrupted: base.not_tested > 0,
    success_rate_percent: share(base.success, base.dns_tested),
    reachability_rate_percent: share(base.dns_tested, base.total_relays),
    success_rate_percent_all: share(base.success, base.total_relays),
  }
  const age = options.runs - run.index
  return {
    runId: run.runId,
    metadata,
    evidence: age < 360 ? 'all' : age < 720 ? 'failures' : 'none',
    hasRows: age < 1_400,
  }
}

function createPoint({ runId, metadata }: ExitRunSummary): ExitTrendPoint {
  const { success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested } = metadata
  return {
    runId,
    timestamp: metadata.timestamp,
    invalid: metadata.invalid,
    candidates: metadata.candidates,
    counts: { success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested },
  }
}

/** A number from 0 to 1 that is always the same for the same arguments. */
function chance(...parts: readonly number[]): number {
  let hash = 2_166_136_261
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 16_777_619)
    hash = Math.imul(hash ^ (hash >>> 13), 1_540_483_477)
    hash ^= hash >>> 15
  }
  return (hash >>> 0) / 2 ** 32
}

/** What a relay is found to be in a run; `undefined` when it is no candidate. */
function kindOf(relay: number, run: Run): Kind | undefined {
  const born = chance(relay, 1)
  if (born > 0.75 && run.index < (born - 0.75) * 2_000) return undefined
  if (chance(relay, 2, Math.floor(run.index / 9)) < 0.01) return undefined
  const kinds = KINDS.filter(({ status }) => status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout')
  const unreachable = KINDS.filter(({ status }) => status === 'circuit_fail' || status === 'error')
  if (chance(relay, 3, run.index) < 0.035)
    return unreachable[Math.floor(chance(relay, 4, run.index) * unreachable.length)]
  const own = kinds[Math.floor(chance(relay, 5) * kinds.length)]
  const isChronic = relay % 83 === 7
  const isEpisode = chance(relay, 6, Math.floor(run.index / 24)) < 0.012
  const isOutage = relay % NETWORKS.length === 4 && run.index % 400 > 385
  if (isOutage) return KINDS.find(({ fault }) => fault === 'black-hole')
  if (isChronic || isEpisode) return own
  return chance(relay, 7, run.index) < 0.001 ? KINDS.find(({ fault }) => fault === 'intermittent') : RIGHT
}

function createFingerprint(relay: number): string {
  return (BigInt(relay + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_1082_276bn)
    .toString(16)
    .toUpperCase()
    .slice(-40)
    .padStart(40, '0')
}

function createRow(relay: number, run: Run): ExitRow {
  const kind = kindOf(relay, run) ?? RIGHT
  const names: Readonly<Record<number, string>> = {
    7: '<script>alert(1)</script>',
    90: 'ANicknameOfExactlyFortyCharactersInALine',
    173: `Robert'); DROP"`,
  }
  const isBad = kind.status === 'wrong_ip' || kind.status === 'dns_fail' || kind.status === 'timeout'
  return {
    exit_fingerprint: createFingerprint(relay),
    exit_nickname: names[relay] ?? `${NICKNAMES[relay % NICKNAMES.length]}${relay}`,
    exit_address: `192.0.${2 + (relay % 7)}.${1 + (Math.floor(relay / 3) % 250)}`,
    first_hop_fingerprint: createFingerprint(100_000 + (relay % 12)),
    run_id: run.runId,
    status: kind.status,
    status_ipv6: relay % 3 === 0 ? kind.status : null,
    error_code: kind.code,
    flags: kind.flags ?? [],
    resolved_ip: kind.address ?? null,
    latency_ms: kind.latencyMs === null ? null : Math.round(kind.latencyMs * 10 + chance(relay, run.index) * 400),
    as: relay % 31 === 30 ? null : (NETWORKS[relay % NETWORKS.length] ?? null),
    country: COUNTRIES[relay % COUNTRIES.length] ?? null,
    operator: OPERATORS[relay % OPERATORS.length] ?? null,
    family: relay % 5 === 0 ? [createFingerprint(relay - (relay % 25))] : [],
    consecutive_failures: isBad ? (relay % 83 === 7 ? run.index : 1 + (run.index % 24)) : 0,
    consecutive_failures_ipv6: 0,
    first_seen: formatIsoTime(run.startedAtMs - run.index * RUN_MS),
    last_seen: formatIsoTime(run.startedAtMs),
  }
}
