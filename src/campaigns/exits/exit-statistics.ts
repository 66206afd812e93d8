/**
 * The arithmetic of a report's metadata.
 *
 * ```
 *   candidates ─┬─ not_tested
 *               └─ total_relays ─┬─ circuit_fail, error, exception      reachability = dns_tested / total_relays
 *                                └─ dns_tested ─┬─ success              success      = success    / dns_tested
 *                                               └─ wrong_ip, dns_fail, timeout
 * ```
 *
 * **Invariant**: the seven statuses add up to `total_relays`; a share of nothing is `null`, never 0 or 100.
 *
 * **Sources**: docs/formats/exits.md
 */
import type { ExitMetadata, ExitResult, ExitStatus, ExitTiming } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'

/** What follows from the results alone. */
export type ExitStatistics = Pick<
  ExitMetadata,
  | 'total_relays'
  | 'success'
  | 'dns_fail'
  | 'wrong_ip'
  | 'timeout'
  | 'error'
  | 'success_rate_percent'
  | 'circuit_fail'
  | 'exception'
  | 'not_tested'
  | 'candidates'
  | 'dns_tested'
  | 'reachability_rate_percent'
  | 'success_rate_percent_all'
  | 'unsure'
  | 'timing'
>

/** Adds up results, one per candidate. */
export function computeExitStatistics(results: readonly ExitResult[]): ExitStatistics {
  const count = (status: ExitStatus): number => results.filter((result) => result.status === status).length
  const notTested = count('not_tested')
  const total = results.length - notTested
  const success = count('success')
  const dnsTested = results.filter((result) => isDnsVerdict(result.status)).length
  return {
    total_relays: total,
    success,
    dns_fail: count('dns_fail'),
    wrong_ip: count('wrong_ip'),
    timeout: count('timeout'),
    error: count('error'),
    success_rate_percent: percent(success, dnsTested),
    circuit_fail: count('circuit_fail'),
    exception: count('exception'),
    not_tested: notTested,
    candidates: results.length,
    dns_tested: dnsTested,
    reachability_rate_percent: percent(dnsTested, total),
    success_rate_percent_all: percent(success, total),
    unsure: results.filter((result) => result.flags.includes('unsure')).length,
    timing: computeTiming(
      results.flatMap((result) =>
        isDnsVerdict(result.status) && result.latency_ms !== null ? [result.latency_ms] : [],
      ),
    ),
  }
}

/** @returns 100 × part / whole with two decimals; `null` when the whole is 0. */
function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : round((100 * part) / whole)
}

/** @returns Percentiles by nearest rank, so that each is a time that was really measured. */
function computeTiming(latenciesMs: readonly number[]): ExitTiming {
  if (latenciesMs.length === 0) return { avg: null, min: null, max: null, p50: null, p95: null, p99: null }
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return {
    avg: round(sorted.reduce((sum, latencyMs) => sum + latencyMs, 0) / sorted.length),
    min: rank(1 / sorted.length),
    max: rank(1),
    p50: rank(0.5),
    p95: rank(0.95),
    p99: rank(0.99),
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
