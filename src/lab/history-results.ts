/**
 * Makes the result of a measurement that never took place, from what is true about a relay and some noise.
 *
 * **Invariant**: counters follow from the verdicts of valid runs alone, as the campaign's do.
 */
import { randomInt, type Random } from '../core/random.ts'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitAttempt, ExitErrorCode, ExitFlag, ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ActiveFault } from './history-faults.ts'
import { fraction, type GeneratedRelay } from './history-population.ts'
import { RIGHT_ADDRESSES, SEARCH_PAGE_ADDRESS } from './lab-addresses.ts'

const ZONE = 'exit-check.candor.test'
const FIRST_HOPS = 12
const RUN_SECONDS = 6000
/** A sound exit whose answer got lost, of 10,000 measurements; half of them are not confirmed over other hops. */
const NOISE_PER_10_000 = 25
const UNREACHABLE_PER_MILLE = 25
const RESOLVER_TIMEOUT_MS = 2000
const RCODE_SERVFAIL = 2

/** What the run is that a result belongs to. */
export interface ResultRun {
  readonly runId: string
  readonly startedAtMs: number
  /** ISO 8601 UTC. */
  readonly finishedAt: string
  readonly isInvalid: boolean
  readonly evidence: KeptEvidence
}

/** What is true about a relay in a run. */
export interface ResultTruth {
  readonly fault: ActiveFault | undefined
  readonly isReachable: boolean
  readonly isTested: boolean
}

/** Makes results; each relay's counters go on from the one before. */
export type ResultMaker = (relay: GeneratedRelay, run: ResultRun, truth: ResultTruth) => ExitResult

interface Counters {
  failures: number
  failuresIpv6: number
  firstSeen: string | null
  lastSeen: string | null
}

interface Verdict {
  readonly status: ExitStatus
  readonly code: ExitErrorCode | null
  readonly flags: readonly ExitFlag[]
}

const SOUND: Verdict = { status: 'success', code: null, flags: [] }
const NOT_TESTED: Verdict = { status: 'not_tested', code: 'RUN_STOPPED', flags: [] }

/** @param random - Draws noise, times and first hops. */
export function createResultMaker(random: Random): ResultMaker {
  const hops = Array.from({ length: FIRST_HOPS }, () =>
    Array.from({ length: 5 }, () => random.nextUint32().toString(16).padStart(8, '0'))
      .join('')
      .toUpperCase(),
  )
  const counters = new Map<string, Counters>()
  return (relay, run, truth) => {
    const verdict = measure(random, run, truth)
    const isVerdict = isAboutDns(verdict.status)
    const statusIpv6 = relay.hasIpv6 && isVerdict ? verdict.status : null
    const counted = counters.get(relay.fingerprint) ?? { failures: 0, failuresIpv6: 0, firstSeen: null, lastSeen: null }
    counters.set(relay.fingerprint, counted)
    if (isVerdict && !run.isInvalid) count(counted, verdict.status, statusIpv6, run.finishedAt)
    const hop = hops[randomInt(random, FIRST_HOPS)] ?? null
    const askedAt = run.startedAtMs / 1000 + fraction(random) * RUN_SECONDS
    const latencyMs = latencyOf(random, verdict.status)
    return makeResult(relay, run, { verdict, statusIpv6, counted: { ...counted }, hop, askedAt, latencyMs })
  }
}

function measure(random: Random, run: ResultRun, { fault, isReachable, isTested }: ResultTruth): Verdict {
  const draw = fraction(random)
  if (!isTested) return NOT_TESTED
  if (!isReachable || draw * 1000 < UNREACHABLE_PER_MILLE) {
    return { status: 'circuit_fail', code: draw < 0.5 ? 'EXIT_FAIL' : 'HOP1_FAIL', flags: [] }
  }
  if (run.isInvalid && draw > 0.4) return { status: 'timeout', code: 'RESOLVER_TIMEOUT', flags: ['unconfirmed'] }
  if (fault !== undefined && (fault.cause !== 'flapping' || fraction(random) < 0.45)) return failing(fault.status)
  if (fraction(random) * 10_000 < NOISE_PER_10_000) {
    const flags: readonly ExitFlag[] = draw < 0.5 ? ['unconfirmed'] : ['unsure']
    return { ...failing('timeout'), flags }
  }
  return draw > 0.9995 ? { status: 'error', code: 'STREAM_STALL', flags: [] } : SOUND
}

function failing(status: ExitStatus): Verdict {
  if (status === 'dns_fail') return { status, code: 'SERVFAIL_CLASS', flags: [] }
  if (status === 'wrong_ip') return { status, code: 'NXDOMAIN_REWRITTEN', flags: [] }
  return { status: 'timeout', code: 'RESOLVER_TIMEOUT', flags: [] }
}

function count(counted: Counters, status: ExitStatus, statusIpv6: ExitStatus | null, finishedAt: string): void {
  counted.failures = status === 'success' ? 0 : counted.failures + 1
  if (statusIpv6 !== null) counted.failuresIpv6 = statusIpv6 === 'success' ? 0 : counted.failuresIpv6 + 1
  counted.firstSeen ??= finishedAt
  counted.lastSeen = finishedAt
}

interface Measured {
  readonly verdict: Verdict
  readonly statusIpv6: ExitStatus | null
  readonly counted: Readonly<Counters>
  readonly hop: string | null
  readonly askedAt: number
  readonly latencyMs: number | null
}

function makeResult(relay: GeneratedRelay, run: ResultRun, measured: Measured): ExitResult {
  const { verdict, counted, hop, askedAt, latencyMs } = measured
  const { status, code, flags } = verdict
  const isSound = status === 'success'
  const isAsked = isAboutDns(status)
  const hasEvidence = status !== 'not_tested' && (run.evidence === 'all' || (run.evidence === 'failures' && !isSound))
  return {
    exit_fingerprint: relay.fingerprint,
    exit_nickname: relay.nickname,
    exit_address: relay.address,
    first_hop_fingerprint: hop,
    query_domain: isAsked && hasEvidence ? queryName(relay, run, 1) : null,
    expected_ip: RIGHT_ADDRESSES[0],
    timestamp: Math.round(askedAt * 1000) / 1000,
    run_id: run.runId,
    shard: '0/1',
    mode: 'wildcard',
    status,
    resolved_ip: isSound ? RIGHT_ADDRESSES[0] : status === 'wrong_ip' ? SEARCH_PAGE_ADDRESS : null,
    latency_ms: latencyMs,
    error: isSound ? null : sentence(status),
    error_code: code,
    attempt: isAsked ? 1 : 0,
    resolved_ipv6: measured.statusIpv6 === 'success' ? RIGHT_ADDRESSES[1] : null,
    status_ipv6: measured.statusIpv6,
    flags,
    attempts: hasEvidence ? makeAttempts(relay, run, measured) : [],
    or_addresses: [`${relay.address}:9001`],
    exit_flag: true,
    bad_exit: false,
    candidate_reason: 'Exit flag',
    policy_summary: 'accept 53,80,443',
    family: relay.operator.family,
    bandwidth_weight: relay.weight,
    as: relay.network.name,
    country: relay.network.country,
    contact: contactOf(relay),
    operator: relay.operator.name,
    consecutive_failures: counted.failures,
    consecutive_failures_ipv6: counted.failuresIpv6,
    first_seen: counted.firstSeen,
    last_seen: counted.lastSeen,
    resolver: null,
  }
}

/** One attempt where all was well or nothing was reached; else three circuits with two questions each. */
function makeAttempts(relay: GeneratedRelay, run: ResultRun, measured: Measured): readonly ExitAttempt[] {
  const { verdict, hop, askedAt, latencyMs } = measured
  const isAsked = isAboutDns(verdict.status)
  const isFailing = isAsked && verdict.status !== 'success'
  const rcode = verdict.status === 'dns_fail' ? RCODE_SERVFAIL : 0
  return Array.from({ length: isFailing ? 6 : 1 }, (_, index) => ({
    attempt: index + 1,
    circuit: Math.floor(index / 2) + 1,
    query_type: 'A' as const,
    query_domain: isAsked ? queryName(relay, run, index + 1) : null,
    timestamp: Math.round((askedAt + index * 3) * 1000) / 1000,
    path: [hop ?? '', relay.fingerprint],
    dns_rcode: isAsked && verdict.status !== 'timeout' ? rcode : null,
    socks_reply: null,
    stream_reason: null,
    addresses:
      verdict.status === 'success' ? [RIGHT_ADDRESSES[0]] : verdict.status === 'wrong_ip' ? [SEARCH_PAGE_ADDRESS] : [],
    ttl_seconds: rcode === 0 && isAsked && verdict.status !== 'timeout' ? 60 : null,
    latency_ms: latencyMs,
    circuit_rtt_ms: isAsked ? 120 : null,
    own_delay_ms: 1,
    status: verdict.status,
    error_code: verdict.code,
    error: verdict.status === 'success' ? null : sentence(verdict.status),
    unsure: verdict.flags.includes('unsure'),
  }))
}

function queryName(relay: GeneratedRelay, run: ResultRun, attempt: number): string {
  return `${run.runId}.${attempt}.${run.runId}000.${relay.fingerprint.toLowerCase()}.${ZONE}`
}

function contactOf({ operator }: GeneratedRelay): string | null {
  if (operator.name === null) return null
  return `url:https://${operator.name} email:abuse[]${operator.name} ciissversion:2`
}

function latencyOf(random: Random, status: ExitStatus): number | null {
  if (status === 'timeout') return RESOLVER_TIMEOUT_MS + randomInt(random, 400)
  return isAboutDns(status) ? 60 + randomInt(random, 200) + Math.floor(fraction(random) ** 6 * 900) : null
}

function isAboutDns(status: ExitStatus): boolean {
  return status === 'success' || status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout'
}

const SENTENCES: Readonly<Partial<Record<ExitStatus, string>>> = {
  wrong_ip: 'the resolver answered with an address of its own',
  dns_fail: 'the resolver said that it failed (SERVFAIL)',
  timeout: 'the exit gave up on its resolver',
  circuit_fail: 'no circuit to the exit could be built',
  error: 'the stream stalled',
  not_tested: 'the run ended before its turn came',
}

function sentence(status: ExitStatus): string {
  return SENTENCES[status] ?? 'something else went wrong'
}
