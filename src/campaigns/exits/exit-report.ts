/**
 * Builds the report of a run from its results and the facts about it.
 *
 * **Invariant**: the order of keys is the format: the plan's fields first, ours after. Whatever a result came from (the
 * scan, a journal, a file), it is written alike.
 *
 * Format: docs/formats/exits.md
 */
import { assert } from '../../core/assert.ts'
import type { ExitAttempt, ExitMetadata, ExitReport, ExitResult } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { computeExitStatistics, type ExitStatistics } from './exit-statistics.ts'

/** What is known about a run beside its results. */
export type ExitRunFacts = Omit<ExitMetadata, keyof ExitStatistics>

/**
 * Builds a report.
 *
 * @param results - One per candidate, in any order; `not_tested` ones included.
 * @throws {BugError} When a relay has two results.
 */
export function buildExitReport(results: readonly ExitResult[], facts: ExitRunFacts): ExitReport {
  const ordered = results
    .map((result) => orderResult(result))
    .toSorted((a, b) => compare(a.exit_fingerprint, b.exit_fingerprint))
  for (const [index, result] of ordered.entries()) {
    assert(
      result.exit_fingerprint !== ordered[index - 1]?.exit_fingerprint,
      `two results of ${result.exit_fingerprint}`,
    )
  }
  const failures = ordered.filter((result) => result.status !== 'success')
  const byAddress = Map.groupBy(failures, (result) => result.exit_address)
  return {
    metadata: orderMetadata({ ...facts, ...computeExitStatistics(ordered) }),
    results: ordered,
    failures,
    dns_failures: failures.filter((result) => isDnsVerdict(result.status)).map((result) => result.exit_fingerprint),
    failures_by_ip: Object.fromEntries(
      [...byAddress].map(([address, group]) => [address, group.map((result) => result.exit_fingerprint)]),
    ),
  }
}

/** @returns The JSON text of a report, indented as the plan's. */
export function formatExitReport(report: ExitReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}

/** @returns A result with its keys in the order of the format and times in whole milliseconds, as the plan has them. */
export function orderResult(result: ExitResult): ExitResult {
  return {
    exit_fingerprint: result.exit_fingerprint,
    exit_nickname: result.exit_nickname,
    exit_address: result.exit_address,
    first_hop_fingerprint: result.first_hop_fingerprint,
    query_domain: result.query_domain,
    expected_ip: result.expected_ip,
    timestamp: result.timestamp,
    run_id: result.run_id,
    shard: result.shard,
    mode: result.mode,
    status: result.status,
    resolved_ip: result.resolved_ip,
    latency_ms: result.latency_ms === null ? null : Math.round(result.latency_ms),
    error: result.error,
    error_code: result.error_code,
    attempt: result.attempt,
    resolved_ipv6: result.resolved_ipv6,
    status_ipv6: result.status_ipv6,
    flags: result.flags,
    attempts: result.attempts.map((attempt) => orderAttempt(attempt)),
    or_addresses: result.or_addresses,
    exit_flag: result.exit_flag,
    bad_exit: result.bad_exit,
    candidate_reason: result.candidate_reason,
    policy_summary: result.policy_summary,
    family: result.family,
    bandwidth_weight: result.bandwidth_weight,
    as: result.as,
    country: result.country,
    contact: result.contact,
    operator: result.operator,
    consecutive_failures: result.consecutive_failures,
    consecutive_failures_ipv6: result.consecutive_failures_ipv6,
    first_seen: result.first_seen,
    last_seen: result.last_seen,
    resolver: result.resolver,
  }
}

function orderAttempt(attempt: ExitAttempt): ExitAttempt {
  return {
    attempt: attempt.attempt,
    circuit: attempt.circuit,
    query_type: attempt.query_type,
    query_domain: attempt.query_domain,
    timestamp: attempt.timestamp,
    path: attempt.path,
    dns_rcode: attempt.dns_rcode,
    socks_reply: attempt.socks_reply,
    stream_reason: attempt.stream_reason,
    addresses: attempt.addresses,
    ttl_seconds: attempt.ttl_seconds,
    latency_ms: attempt.latency_ms,
    circuit_rtt_ms: attempt.circuit_rtt_ms,
    own_delay_ms: attempt.own_delay_ms,
    status: attempt.status,
    error_code: attempt.error_code,
    error: attempt.error,
    unsure: attempt.unsure,
  }
}

function orderMetadata(metadata: ExitMetadata): ExitMetadata {
  return {
    run_id: metadata.run_id,
    shard: metadata.shard,
    timestamp: metadata.timestamp,
    total_relays: metadata.total_relays,
    success: metadata.success,
    dns_fail: metadata.dns_fail,
    wrong_ip: metadata.wrong_ip,
    timeout: metadata.timeout,
    error: metadata.error,
    success_rate_percent: metadata.success_rate_percent,
    circuit_fail: metadata.circuit_fail,
    exception: metadata.exception,
    not_tested: metadata.not_tested,
    candidates: metadata.candidates,
    dns_tested: metadata.dns_tested,
    reachability_rate_percent: metadata.reachability_rate_percent,
    success_rate_percent_all: metadata.success_rate_percent_all,
    unsure: metadata.unsure,
    consensus_valid_after: metadata.consensus_valid_after,
    candidates_sha256: metadata.candidates_sha256,
    seed: metadata.seed,
    profile: metadata.profile,
    mode: metadata.mode,
    mode_requested: metadata.mode_requested,
    domain: metadata.domain,
    expect: metadata.expect,
    module: metadata.module,
    tor_version: metadata.tor_version,
    started_at: metadata.started_at,
    finished_at: metadata.finished_at,
    duration_ms: metadata.duration_ms,
    exit_resolve_timeout_ms: metadata.exit_resolve_timeout_ms,
    timing: metadata.timing,
    invalid: metadata.invalid,
    interrupted: metadata.interrupted,
    first_hops_relaxed: metadata.first_hops_relaxed,
    first_hops: metadata.first_hops,
    circuits_built: metadata.circuits_built,
    circuits_failed: metadata.circuits_failed,
    queries: metadata.queries,
    authority_limited: metadata.authority_limited,
    absent: metadata.absent,
    notes: metadata.notes,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
