/**
 * Puts the counters from history into the results of a run.
 *
 * **Invariant**: an invalid run accuses nobody: its results keep the counters that history has.
 */
import type { ExitVerdictPoint } from '../../model/exit-history.ts'
import type { ExitMetadata, ExitReport, ExitResult, ExitStatus } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { countFailures } from '../../verdicts/failure-counters.ts'

/**
 * Counts for every result.
 *
 * @param history - Of the runs before this one, by fingerprint, as `ExitHistory.verdicts` gives them.
 * @param run - `timestamp` of the report (ISO 8601 UTC), and why the run is invalid, if it is.
 */
export function addFailureCounters(
  results: readonly ExitResult[],
  history: ReadonlyMap<string, readonly ExitVerdictPoint[]>,
  run: Pick<ExitMetadata, 'run_id' | 'timestamp' | 'invalid'>,
): ExitResult[] {
  return results.map((result) => {
    const earlier = history.get(result.exit_fingerprint) ?? []
    const now: ExitVerdictPoint = {
      runId: run.run_id,
      timestamp: run.timestamp,
      status: result.status,
      statusIpv6: result.status_ipv6,
    }
    const points = run.invalid === null ? [...earlier, now] : earlier
    const [ipv4, ipv6] = [countFailures(points, 'ipv4'), countFailures(points, 'ipv6')]
    return {
      ...result,
      consecutive_failures: ipv4.consecutiveFailures,
      consecutive_failures_ipv6: ipv6.consecutiveFailures,
      first_seen: earliest(ipv4.firstSeen, ipv6.firstSeen),
      last_seen: latest(ipv4.lastSeen, ipv6.lastSeen),
    }
  })
}

/**
 * Counts on from one earlier report, where nothing else is at hand.
 *
 * @returns The results of `report`; a relay without a DNS verdict, and every relay of an invalid run, keeps the counters
 *   of `previous`. Reports of scanners that count nothing begin at their own verdict.
 */
export function countOnFrom(previous: ExitReport, report: ExitReport): ExitResult[] {
  const before = new Map(previous.results.map((result) => [result.exit_fingerprint, result]))
  const isCounted = report.metadata.invalid === null
  const wasCounted = previous.metadata.invalid === null
  const now = report.metadata.timestamp
  return report.results.map((result) => {
    const earlier = before.get(result.exit_fingerprint)
    const earlierStatus = wasCounted ? earlier?.status : null
    const earlierIpv6 = wasCounted ? earlier?.status_ipv6 : null
    const spoke = isCounted && (isVerdict(result.status) || isVerdict(result.status_ipv6))
    const earlierSeen = isVerdict(earlierStatus) || isVerdict(earlierIpv6) ? previous.metadata.timestamp : null
    return {
      ...result,
      consecutive_failures: countOn(
        { status: earlierStatus, count: earlier?.consecutive_failures },
        isCounted ? result.status : null,
      ),
      consecutive_failures_ipv6: countOn(
        { status: earlierIpv6, count: earlier?.consecutive_failures_ipv6 },
        isCounted ? result.status_ipv6 : null,
      ),
      first_seen: earlier?.first_seen ?? earlierSeen ?? (spoke ? now : null),
      last_seen: spoke ? now : (earlier?.last_seen ?? earlierSeen),
    }
  })
}

function countOn(
  earlier: { readonly status: ExitStatus | null | undefined; readonly count: number | undefined },
  status: ExitStatus | null,
): number {
  const before = Math.max(earlier.count ?? 0, isVerdict(earlier.status) && earlier.status !== 'success' ? 1 : 0)
  if (!isVerdict(status)) return before
  return status === 'success' ? 0 : before + 1
}

function isVerdict(status: ExitStatus | null | undefined): boolean {
  return status !== null && status !== undefined && isDnsVerdict(status)
}

/** ISO 8601 UTC texts sort as the moments do. */
function earliest(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null || a < b ? a : b
}

function latest(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null || a > b ? a : b
}
