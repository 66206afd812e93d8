/** Results and reports of the exits campaign, as tests need them: everything right unless said otherwise. */
import type { ExitReport, ExitResult, ExitStatus } from '../../src/model/exit-result.ts'
import { buildExitReport, type ExitRunFacts } from '../../src/campaigns/exits/exit-report.ts'

/** The fingerprint with a number: 40 digits, in order of the numbers. */
export function exampleFingerprint(number: number): string {
  return number.toString(16).toUpperCase().padStart(40, '0')
}

/** A result; codes follow from the status where none is given. */
export function exampleResult(number: number, status: ExitStatus, changes: Partial<ExitResult> = {}): ExitResult {
  const tested = status !== 'not_tested' && status !== 'circuit_fail'
  return {
    exit_fingerprint: exampleFingerprint(number),
    exit_nickname: `exit${number}`,
    exit_address: `198.51.100.${number % 250}`,
    first_hop_fingerprint: exampleFingerprint(0xffff),
    query_domain: tested ? `20260131120000.1.20260131120001000.${exampleFingerprint(number)}.zone.example` : null,
    expected_ip: '192.0.2.1',
    timestamp: 1_769_860_801.5,
    run_id: '20260131120000',
    shard: '0/1',
    mode: 'wildcard',
    status,
    resolved_ip: status === 'success' ? '192.0.2.1' : null,
    latency_ms: tested ? 100 + number : null,
    error: status === 'success' ? null : 'something was wrong',
    error_code: CODES[status],
    attempt: 1,
    resolved_ipv6: null,
    status_ipv6: null,
    flags: [],
    attempts: [],
    or_addresses: [`198.51.100.${number % 250}:9001`],
    exit_flag: true,
    bad_exit: false,
    candidate_reason: 'Exit flag',
    policy_summary: 'accept 1-65535',
    family: [],
    bandwidth_weight: 5000,
    as: 'AS64496 Example',
    country: 'DE',
    contact: null,
    operator: null,
    consecutive_failures: 0,
    consecutive_failures_ipv6: 0,
    first_seen: null,
    last_seen: null,
    resolver: null,
    ...changes,
  }
}

const CODES: Readonly<Record<ExitStatus, ExitResult['error_code']>> = {
  success: null,
  wrong_ip: 'WRONG_ADDRESS',
  dns_fail: 'SERVFAIL_CLASS',
  timeout: 'RESOLVER_TIMEOUT',
  circuit_fail: 'EXIT_FAIL',
  error: 'STREAM_STALL',
  exception: 'EXCEPTION',
  not_tested: 'DEADLINE',
}

/** Facts about a valid run of the whole. */
export function exampleFacts(changes: Partial<ExitRunFacts> = {}): ExitRunFacts {
  return {
    run_id: '20260131120000',
    shard: '0/1',
    timestamp: '2026-01-31T12:10:00.000Z',
    consensus_valid_after: '2026-01-31T11:00:00.000Z',
    candidates_sha256: '',
    seed: 'seed',
    profile: 'default',
    mode: 'wildcard',
    mode_requested: 'wildcard',
    domain: 'zone.example',
    expect: ['192.0.2.1'],
    module: 'dnshealth',
    tor_version: '0.4.9.11',
    started_at: '2026-01-31T12:00:00.000Z',
    finished_at: '2026-01-31T12:09:58.000Z',
    duration_ms: 598_000,
    exit_resolve_timeout_ms: 2000,
    invalid: null,
    interrupted: false,
    first_hops_relaxed: [],
    first_hops: 12,
    circuits_built: 40,
    circuits_failed: 3,
    queries: 44,
    authority_limited: 0,
    absent: ['decoys', 'stable_domains'],
    notes: [],
    ...changes,
  }
}

/** A report with one relay per status given. */
export function exampleReport(
  statuses: readonly ExitStatus[],
  facts: Partial<ExitRunFacts> = {},
  changes: Partial<ExitResult> = {},
): ExitReport {
  const results = statuses.map((status, index) =>
    exampleResult(index + 1, status, { run_id: facts.run_id ?? '20260131120000', ...changes }),
  )
  return buildExitReport(results, exampleFacts(facts))
}
