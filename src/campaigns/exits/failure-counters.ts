/**
 * Puts the counters from history into the results of a run.
 *
 * **Invariant**: an invalid run accuses nobody: its results keep the counters that history has.
 */
import type { ExitHistoryRun, ExitVerdictPoint } from '../../model/exit-history.ts'
import type { ExitMetadata, ExitReport, ExitResult } from '../../model/exit-result.ts'
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

/** @returns What history keeps of a report; `undefined` for an invalid run, which history does not know. */
export function toHistoryRun(report: ExitReport): ExitHistoryRun | undefined {
  const { metadata, results } = report
  if (metadata.invalid !== null) return undefined
  return {
    runId: metadata.run_id,
    shard: metadata.shard,
    timestamp: metadata.timestamp,
    rows: results.map((result) => ({
      fingerprint: result.exit_fingerprint,
      status: result.status,
      statusIpv6: result.status_ipv6,
      errorCode: result.error_code,
      exitAddress: result.exit_address,
    })),
  }
}

/** ISO 8601 UTC texts sort as the moments do. */
function earliest(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null || a < b ? a : b
}

function latest(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null || a > b ? a : b
}
