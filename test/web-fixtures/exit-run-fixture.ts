/**
 * A laboratory run of 40 exits for page tests: every status, code and flag, names and contacts that attack the page,
 * and one verdict that disagrees with the truth.
 */
import { formatIsoTime } from '../../src/core/clock.ts'
import type { ExitAttempt, ExitMetadata, ExitResolver, ExitResult, ExitStatus } from '../../src/model/exit-result.ts'
import type { ExitRunView, ExitTruth, RunPhase } from '../../src/model/run-view.ts'
import { EXPECTED_ADDRESS, KINDS, RIGHT, type Kind } from './exit-kinds.ts'

const RUN_ID = '20261120221806'
const STARTED_AT_MS = Date.UTC(2026, 10, 20, 22, 18, 6)
/** A name as an operator could give it who wants to run a script on this page. */
export const HOSTILE_NICKNAME = `<script>alert(1)</script>`
const HOSTILE_CONTACT = `"><img src=x onerror=alert(2)> abuse@example.org \u202Egro.elpmaxe`

const NAMES =
  'quokka lighthouse Bramble tern0 northwind saltmarsh PipistrelleX rowan harbour7 Cormorant estuary finch2 GreyHeron tideline kestrel oxbow Larkspur meadow9 Nightjar sandpiper willow drift alder Skerry firth0 juniper thistle ember wren9 Plover mistral comfrey'.split(
    ' ',
  )

/** Makes all results of the run, in order of finishing. */
function createResults(): readonly { readonly result: ExitResult; readonly truth: ExitTruth }[] {
  return Array.from({ length: 40 }, (_, index) => {
    const kind = index % 2 === 1 ? (KINDS[(index - 1) / 2] ?? RIGHT) : RIGHT
    return { result: createFixtureResult(kind, index), truth: createTruth(kind) }
  })
}

function createTruth(kind: Kind): ExitTruth {
  return {
    fault: kind.fault,
    description: kind.description,
    expected: [kind.right ?? { status: kind.status, errorCode: kind.code }],
  }
}

function createFingerprint(index: number): string {
  return (BigInt(index + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_1082_276bn)
    .toString(16)
    .toUpperCase()
    .slice(-40)
    .padStart(40, '0')
}

/** Makes one result of the run; `index` decides everything that the kind leaves open. */
export function createFixtureResult(kind: Kind, index: number): ExitResult {
  const fingerprint = createFingerprint(index)
  const attempts = createAttempts(kind, index, fingerprint)
  const last = attempts.at(-1)
  const names: Readonly<Record<number, string>> = { 2: HOSTILE_NICKNAME, 7: `Robert'); DROP"` }
  return {
    exit_fingerprint: fingerprint,
    exit_nickname: names[index] ?? NAMES[index % NAMES.length] ?? 'unnamed',
    exit_address: `127.${20 + index}.0.1`,
    first_hop_fingerprint: last?.path[0] ?? null,
    query_domain: last?.query_domain ?? null,
    expected_ip: EXPECTED_ADDRESS,
    timestamp: STARTED_AT_MS / 1_000 + 4 + index * 0.11,
    run_id: RUN_ID,
    shard: '0/1',
    mode: 'wildcard',
    status: kind.status,
    resolved_ip: kind.address ?? null,
    latency_ms: kind.latencyMs === null ? null : kind.latencyMs + (index % 7) * 0.7,
    error: last?.error ?? null,
    error_code: kind.code,
    attempt: Math.max(1, attempts.length),
    resolved_ipv6: index % 4 === 0 && index !== 8 ? '2001:db8::5' : null,
    status_ipv6: index === 8 ? 'dns_fail' : index % 4 === 0 ? 'success' : null,
    flags: [...(kind.flags ?? []), ...(index === 4 ? (['weak_evidence', 'decoy_mismatch'] as const) : [])].concat(
      index === 19 ? ['confirmed_same_hop'] : [],
    ),
    attempts,
    or_addresses: index % 4 === 0 ? [`[2001:db8:${index}::1]`] : [],
    exit_flag: index !== 9,
    bad_exit: index === 3,
    candidate_reason: index === 9 ? 'policy accepts public addresses' : 'Exit flag',
    policy_summary: 'accept 20-23,43,53,79-81,88,110,143,194,220,389,443,464-465,531,543-544,554,563',
    family: [],
    bandwidth_weight: 5000,
    as: index % 9 === 8 ? null : `AS${64_496 + (index % 6)} Laboratory Network ${index % 6}`,
    country: ['DE', 'NL', 'US', 'SE', 'CH'][index % 5] ?? null,
    contact: index === 2 ? HOSTILE_CONTACT : index % 3 === 0 ? null : 'email:ops[]example.org url:https://example.org',
    operator: index % 3 === 0 ? null : 'example.org',
    consecutive_failures: kind.status === 'success' ? 0 : 2,
    consecutive_failures_ipv6: 0,
    first_seen: null,
    last_seen: null,
    resolver: createResolver(kind, index),
  }
}

function createResolver(kind: Kind, index: number): ExitResolver {
  const asked = kind.asked ?? true
  return {
    addresses: asked ? [`127.200.${index}.1`, ...(index % 11 === 0 ? ['2001:db8:53::1', '127.201.0.1'] : [])] : [],
    as: asked ? 'AS64500 Laboratory Resolvers' : null,
    country: asked ? 'NL' : null,
    asked,
    transport: asked ? ['udp'] : [],
    edns: index % 2 === 0,
    dnssec_ok: index % 3 === 0,
    client_subnet: index === 6 ? '192.0.2.0/24' : null,
    mixed_case: index % 5 === 0,
    qname_minimisation: index % 4 === 0,
    wrong_answer: kind.wrong ?? null,
  }
}

function createAttempts(kind: Kind, index: number, fingerprint: string): readonly ExitAttempt[] {
  if (kind.status === 'not_tested') return []
  return Array.from({ length: kind.circuits ?? 3 }, (_, circuit) => {
    const at = STARTED_AT_MS + 4_000 + index * 110 + circuit * 40
    const built = kind.rcode !== null
    return {
      attempt: circuit + 1,
      circuit: circuit + 1,
      query_type: 'A',
      query_domain: built ? `${RUN_ID}.${circuit + 1}.${at}.${fingerprint.toLowerCase()}.exits.example` : null,
      timestamp: at / 1_000,
      path: [createFingerprint(100 + ((index + circuit) % 5)), fingerprint],
      dns_rcode: kind.rcode,
      socks_reply: null,
      stream_reason: null,
      addresses: kind.address === undefined ? [] : [kind.address],
      ttl_seconds: kind.address === undefined ? null : 60,
      latency_ms: kind.latencyMs,
      circuit_rtt_ms: built ? 2.3 + circuit : null,
      own_delay_ms: 0.4,
      status: kind.status,
      error_code: kind.code,
      error: kind.status === 'success' ? null : kind.description,
      unsure: kind.flags?.includes('unsure') ?? false,
    }
  })
}

/** Counts results into the metadata of a run. */
export function createFixtureMetadata(results: readonly Pick<ExitResult, 'status'>[]): ExitMetadata {
  const count = (status: ExitStatus): number => results.filter((result) => result.status === status).length
  const tested = count('success') + count('wrong_ip') + count('dns_fail') + count('timeout')
  return {
    run_id: RUN_ID,
    shard: '0/1',
    timestamp: formatIsoTime(STARTED_AT_MS + 9_000),
    total_relays: results.length - count('not_tested'),
    success: count('success'),
    dns_fail: count('dns_fail'),
    wrong_ip: count('wrong_ip'),
    timeout: count('timeout'),
    error: count('error'),
    success_rate_percent: 68.57,
    circuit_fail: count('circuit_fail'),
    exception: count('exception'),
    not_tested: count('not_tested'),
    candidates: results.length,
    dns_tested: tested,
    reachability_rate_percent: 89.74,
    success_rate_percent_all: 61.54,
    unsure: 1,
    consensus_valid_after: '2026-11-20T22:18:00.000Z',
    candidates_sha256: '0'.repeat(64),
    seed: 'fixture',
    profile: 'fast',
    mode: 'wildcard',
    mode_requested: 'auto',
    domain: 'exits.example',
    expect: [EXPECTED_ADDRESS],
    module: 'dnshealth',
    tor_version: '0.4.9.11',
    started_at: formatIsoTime(STARTED_AT_MS),
    finished_at: formatIsoTime(STARTED_AT_MS + 9_000),
    duration_ms: 9_000,
    exit_resolve_timeout_ms: 2_000,
    timing: { avg: 12, min: 3, max: 2_012, p50: 6, p95: 2_009, p99: 2_012 },
    invalid: null,
    interrupted: false,
    first_hops_relaxed: ['measured', 'Stable and Fast', 'Guard'],
    first_hops: 5,
    circuits_built: 80,
    circuits_failed: 6,
    queries: 88,
    authority_limited: 0,
    absent: ['decoys', 'stable_domains'],
    notes: [],
  }
}

/**
 * A view of the run after `finished` exits.
 *
 * @param phase - Without it, the phase that fits the number.
 */
export function createRunView(finished: number, phase?: RunPhase): ExitRunView {
  const all = createResults()
  const results = all.slice(0, finished).map(({ result }) => result)
  const isDone = finished >= all.length
  return {
    phase: phase ?? (isDone ? 'done' : 'scanning'),
    message: isDone ? 'The report is written.' : 'Asking exits, 8 at a time.',
    runId: RUN_ID,
    startedAt: formatIsoTime(STARTED_AT_MS),
    candidates: all.length,
    done: results.length,
    inFlight: isDone ? 0 : 8,
    relaysPerSecond: 9.1,
    secondsLeft: isDone ? null : (all.length - results.length) / 9.1,
    results,
    metadata: isDone ? createFixtureMetadata(results) : null,
    truth: new Map(all.map(({ result, truth }) => [result.exit_fingerprint, truth])),
  }
}

/** A view before there is anything: the laboratory is being built. */
export function createBuildingView(message: string, phase: RunPhase = 'building_laboratory'): ExitRunView {
  return {
    phase,
    message,
    runId: null,
    startedAt: null,
    candidates: 0,
    done: 0,
    inFlight: 0,
    relaysPerSecond: 0,
    secondsLeft: null,
    results: [],
    metadata: null,
    truth: new Map(),
  }
}
