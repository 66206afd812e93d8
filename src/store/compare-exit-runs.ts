/**
 * What is different between two runs.
 *
 * **Invariant**: pure; only DNS verdicts make a relay failing or sound. One that could not be reached has neither failed
 * nor recovered.
 */
import type { ExitChanges, ExitRow } from '../model/exit-archive.ts'
import type { ExitStatus } from '../model/exit-result.ts'

const DNS_FAILURES: ReadonlySet<ExitStatus | null> = new Set(['wrong_ip', 'dns_fail', 'timeout'])

/**
 * Compares.
 *
 * @param rows - Of the run; each list of the result is in their order.
 * @param earlier - The run compared with.
 */
export function compareExitRuns(
  rows: readonly ExitRow[],
  earlier: { readonly runId: string; readonly rows: readonly ExitRow[] },
): ExitChanges {
  const before = new Map(earlier.rows.map((row) => [row.exit_fingerprint, row]))
  const known = rows.filter((row) => before.has(row.exit_fingerprint)).length
  return {
    since: earlier.runId,
    newlyFailing: rows.filter((row) => isFailing(row) && !isFailing(before.get(row.exit_fingerprint))),
    recovered: rows.filter((row) => isSound(row) && isFailing(before.get(row.exit_fingerprint))),
    appeared: rows.length - known,
    gone: earlier.rows.length - known,
  }
}

function isFailing(row: ExitRow | undefined): boolean {
  return row !== undefined && (DNS_FAILURES.has(row.status) || DNS_FAILURES.has(row.status_ipv6))
}

function isSound(row: ExitRow): boolean {
  return !isFailing(row) && (row.status === 'success' || row.status_ipv6 === 'success')
}
