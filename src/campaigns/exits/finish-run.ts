/**
 * From the outcome of a run to its report: joins the authoritative log, judges again what only the log can prove, counts
 * from history.
 *
 * Invariant: pure but for the history it reads; the same outcome, log and history give the same report.
 */
import { formatIsoTime } from '../../core/clock.ts'
import type { ExitHistory } from '../../model/exit-history.ts'
import type { ExitReport, ExitResult } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { refineWithAuthority } from '../../verdicts/exit-authority.ts'
import type { AuthorityJoin } from './authority-join.ts'
import { buildExitReport } from './exit-report.ts'
import { addFailureCounters } from './failure-counters.ts'
import { isInternalAddress } from './internal-address.ts'
import { decidedFields } from './make-result.ts'
import { parseQueryName } from './query-name.ts'
import type { RunDependencies, RunOutcome, RunSetup } from './run-setup.ts'
import type { CircuitRecord } from './scan-context.ts'

/** What the report is made from beside the outcome. */
export interface ReportSources {
  readonly history: ExitHistory
  /** The joined log; `undefined` where there is none. */
  readonly join: AuthorityJoin | undefined
  readonly torVersion: string
  readonly torRestarts: number
}

/** Makes the report of a `dnshealth` run. */
export async function finishRun(
  { options, clock }: Pick<RunDependencies, 'options' | 'clock'>,
  setup: RunSetup,
  outcome: RunOutcome,
  sources: ReportSources,
): Promise<ExitReport> {
  const finishedAt = formatIsoTime(clock.wallNowMs())
  // Our own controls ask the zone too: a log in which there is nothing proves nothing.
  const join = sources.join?.heard() === true ? sources.join : undefined
  const joined = join === undefined ? outcome.results : outcome.results.map((result) => joinResult(result, join))
  const relays = joined.map((result) => result.exit_fingerprint)
  const history = await sources.history.verdicts(options.runId, relays)
  const run = { run_id: options.runId, timestamp: finishedAt, invalid: outcome.invalid }
  const results = addFailureCounters(joined, history, run)
  const { index, count } = options.selection.shard
  return buildExitReport(results, {
    run_id: options.runId,
    shard: `${index}/${count}`,
    timestamp: finishedAt,
    consensus_valid_after: setup.view.validAfter,
    candidates_sha256: setup.list.sha256,
    seed: options.seed,
    profile: options.pace.profile,
    mode: outcome.zone.mode,
    mode_requested: options.mode,
    domain: outcome.zone.domain,
    expect: outcome.zone.mode === 'wildcard' ? options.expect : [],
    module: 'dnshealth',
    tor_version: sources.torVersion,
    started_at: outcome.startedAt,
    finished_at: finishedAt,
    duration_ms: Math.round(outcome.durationMs),
    exit_resolve_timeout_ms: setup.resolveTimeoutMs,
    invalid: outcome.invalid,
    interrupted: outcome.stopReason === 'interrupted',
    first_hops_relaxed: setup.hops.relaxed,
    first_hops: setup.hops.relays.length,
    circuits_built: outcome.circuitsBuilt,
    circuits_failed: outcome.circuitsFailed,
    queries: outcome.issued.length,
    authority_limited: join?.limited() ?? null,
    absent: absentParts(options, join !== undefined),
    notes: notesOf(options, outcome, sources),
  })
}

/** The log read afterwards: the names are those that the report says were asked. */
export interface LateJoin {
  readonly join: AuthorityJoin
  /** Called once every name was issued, and before anything is judged. */
  readonly readLog: () => Promise<void>
}

/** Joins a log into a finished report: verdicts that only the log can prove, and the resolvers. */
export async function joinReport(report: ExitReport, { join, readLog }: LateJoin): Promise<ExitReport> {
  for (const { query_domain: name } of report.results.flatMap(({ attempts }) => attempts)) {
    if (name !== null && parseQueryName(name)?.runId === report.metadata.run_id) join.issue(name)
  }
  await readLog()
  return buildExitReport(
    report.results.map((result) => joinResult(result, join)),
    {
      ...report.metadata,
      authority_limited: join.limited(),
      absent: report.metadata.absent.filter((part) => part !== 'authority_log'),
    },
  )
}

/** Judges a result again with the log at hand, and says which resolver asked. Without attempts there is nothing to judge. */
function joinResult(result: ExitResult, join: AuthorityJoin): ExitResult {
  if (!isDnsVerdict(result.status) || result.attempts.length === 0) return result
  const circuits = circuitsOf(result).map((record) => ({
    ...record,
    attempts: record.attempts.map((attempt) => refineWithAuthority(attempt, join.queryFor(attempt))),
  }))
  const resolver = join.resolverOf(circuits.flatMap((record) => record.attempts))
  return { ...result, ...decidedFields(circuits, result.mode, resolver.asked), resolver }
}

/** Takes a result apart into its circuits; what was asked beside our zone is a decoy. */
function circuitsOf(result: ExitResult): readonly CircuitRecord[] {
  const byCircuit = Map.groupBy(result.attempts, (attempt) => attempt.circuit)
  return [...byCircuit].map(([circuit, attempts]) => {
    const isDecoy = ({ query_domain: name }: { readonly query_domain: string | null }): boolean =>
      result.mode !== 'stable' && name !== null && parseQueryName(name) === undefined
    return {
      circuit,
      path: attempts[0]?.path ?? [],
      attempts: attempts.filter((attempt) => !isDecoy(attempt)),
      decoys: attempts.filter(isDecoy),
    }
  })
}

/** What was not there and was therefore not done. */
function absentParts(options: RunDependencies['options'], hasLog: boolean): readonly string[] {
  const parts: readonly (readonly [string, boolean])[] = [
    ['authority_log', hasLog],
    ['decoys', options.decoys.length > 0],
    ['direct_control', options.directResolver !== null],
    ['second_zone', options.secondDomain !== null],
    ['stable_domains', options.stableDomains.length > 0],
  ]
  return parts.flatMap(([name, present]) => (present ? [] : [name]))
}

function notesOf(
  options: RunDependencies['options'],
  outcome: RunOutcome,
  { torRestarts, join }: ReportSources,
): readonly string[] {
  const notes = [...outcome.notes]
  if ([...options.expect, ...options.secondExpect].some(isInternalAddress)) {
    notes.push('an expected address is private: answers in private address space were let through')
  }
  if (join?.heard() === false) notes.push('the log of the authority had no query of the time of the run')
  if (torRestarts > 0) notes.push(`Tor ended and was started again ${torRestarts} times during the run`)
  if (outcome.stopReason !== null) notes.push(`the run stopped before its end (${outcome.stopReason})`)
  return notes
}
