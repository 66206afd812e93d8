/** From a relay's circuits to its record: decides, and puts the deciding attempt into the flat fields. */
import type { ExitErrorCode, ExitFlag, ExitMode, ExitResult, ExitStatus } from '../../model/exit-result.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import { decideExitRelay, isDnsVerdict, type ExitCircuitOutcome } from '../../verdicts/exit-relay.ts'
import type { Candidate } from './candidates.ts'
import { nameOperator } from './operator.ts'
import type { CircuitRecord, ZoneExpectation } from './scan-context.ts'

/** What is known of an address. */
export interface AddressFacts {
  /** `AS64496 Example`; `null` when not known. */
  readonly as: string | null
  /** ISO 3166 code, upper case; `null` when not known. */
  readonly country: string | null
}

/** What a result is made from beside the circuits. */
export interface ResultContext {
  readonly options: ExitRunOptions
  readonly zone: ZoneExpectation
  readonly factsOf: (address: string) => AddressFacts
  /** Unix milliseconds. */
  readonly wallNowMs: number
}

/** The record of a relay that was tested. `circuits` has at least one entry. */
export function makeResult(
  context: ResultContext,
  candidate: Candidate,
  circuits: readonly CircuitRecord[],
): ExitResult {
  return {
    ...identity(context, candidate),
    ...decidedFields(circuits, context.zone.mode, false),
    ...description(context, candidate),
  }
}

/** The fields of a record that follow from its circuits. */
export type DecidedFields = Pick<
  ExitResult,
  | 'first_hop_fingerprint'
  | 'query_domain'
  | 'timestamp'
  | 'status'
  | 'resolved_ip'
  | 'latency_ms'
  | 'error'
  | 'error_code'
  | 'attempt'
  | 'resolved_ipv6'
  | 'status_ipv6'
  | 'flags'
  | 'attempts'
>

/**
 * Decides about a relay and puts the deciding attempt into the flat fields.
 *
 * @param authorityAsked - Whether our authority is known to have seen a question of this relay.
 */
export function decidedFields(
  circuits: readonly CircuitRecord[],
  mode: ExitMode,
  authorityAsked: boolean,
): DecidedFields {
  const decision = decideExitRelay(decidingCircuits(circuits, mode), { mode, authorityAsked })
  const { deciding } = decision
  const flags = new Set<ExitFlag>(decision.flags)
  const decoys = circuits.flatMap((record) => record.decoys)
  if (decoys.some(({ status }) => status === 'wrong_ip')) flags.add('decoy_mismatch')
  return {
    first_hop_fingerprint: deciding.path.length > 1 ? (deciding.path[0] ?? null) : null,
    query_domain: deciding.query_domain,
    timestamp: deciding.timestamp,
    status: decision.status,
    resolved_ip: deciding.addresses[0] ?? null,
    latency_ms: deciding.latency_ms,
    error: decision.error,
    error_code: decision.errorCode,
    attempt: deciding.attempt,
    resolved_ipv6: decision.ipv6?.deciding.addresses[0] ?? null,
    status_ipv6: decision.ipv6?.status ?? null,
    flags: [...flags],
    attempts: circuits.flatMap((record) => [...record.attempts, ...record.decoys]),
  }
}

/** The record of a relay that was not tested. */
export function makeUntested(
  context: ResultContext,
  candidate: Candidate,
  errorCode: ExitErrorCode & ('DEADLINE' | 'RUN_STOPPED'),
  error: string,
  circuits: readonly CircuitRecord[] = [],
): ExitResult {
  return withoutQuestion(context, candidate, 'not_tested', errorCode, error, circuits)
}

/** The record of a relay whose probe failed by a bug of ours (`exception`), or that left before it could be asked. */
export function makeUnasked(
  context: ResultContext,
  candidate: Candidate,
  status: 'exception' | 'circuit_fail',
  errorCode: 'EXCEPTION' | 'LEFT_CONSENSUS',
  error: string,
): ExitResult {
  return withoutQuestion(context, candidate, status, errorCode, error, [])
}

function withoutQuestion(
  context: ResultContext,
  candidate: Candidate,
  status: ExitStatus,
  errorCode: ExitErrorCode,
  error: string,
  circuits: readonly CircuitRecord[],
): ExitResult {
  return {
    ...identity(context, candidate),
    first_hop_fingerprint: null,
    query_domain: null,
    timestamp: context.wallNowMs / 1000,
    status,
    resolved_ip: null,
    latency_ms: null,
    error,
    error_code: errorCode,
    attempt: 0,
    resolved_ipv6: null,
    status_ipv6: null,
    flags: [],
    attempts: circuits.flatMap((record) => [...record.attempts, ...record.decoys]),
    ...description(context, candidate),
  }
}

/**
 * In stable mode a circuit fails only if more than one name fails: what the others gave is left out of the decision (and
 * kept in the evidence). So is a second failure of one name, which comes from the exit's cache, at once.
 */
function decidingCircuits(circuits: readonly CircuitRecord[], mode: ExitMode): readonly ExitCircuitOutcome[] {
  if (mode !== 'stable') return circuits
  const failed = new Set<string | null>()
  return circuits.flatMap(({ attempts }) => {
    const fresh = attempts.filter(({ query_domain: name, dns_rcode: rcode }) => rcode !== 2 || !failed.has(name))
    const failing = fresh.filter(({ status }) => isDnsVerdict(status) && status !== 'success')
    for (const { query_domain: name } of failing) failed.add(name)
    const rest = fresh.filter((attempt) => !failing.includes(attempt))
    if (fresh.length === 0) return []
    return [{ attempts: failing.length > 1 || rest.length === 0 ? failing : rest }]
  })
}

type Identity = Pick<
  ExitResult,
  'exit_fingerprint' | 'exit_nickname' | 'exit_address' | 'expected_ip' | 'run_id' | 'shard' | 'mode'
>

function identity({ options, zone }: ResultContext, { relay }: Candidate): Identity {
  const { index, count } = options.selection.shard
  return {
    exit_fingerprint: relay.fingerprint,
    exit_nickname: relay.nickname,
    exit_address: relay.address,
    expected_ip: zone.mode === 'wildcard' ? (zone.ipv4[0] ?? zone.ipv6[0] ?? null) : null,
    run_id: options.runId,
    shard: `${index}/${count}`,
    mode: zone.mode,
  }
}

type Description = Omit<ExitResult, keyof Identity | keyof DecidedFields>

function description(context: ResultContext, { relay, reason }: Candidate): Description {
  const facts = context.factsOf(relay.address)
  return {
    or_addresses: relay.orAddresses,
    exit_flag: relay.flags.has('Exit'),
    bad_exit: relay.flags.has('BadExit'),
    candidate_reason: reason,
    policy_summary: relay.policySummary,
    family: relay.family,
    bandwidth_weight: relay.bandwidth > 0 ? relay.bandwidth : null,
    as: facts.as,
    country: facts.country,
    contact: relay.contact,
    operator: nameOperator({ contact: relay.contact, family: relay.family, fingerprint: relay.fingerprint }),
    // The report counts over all runs; see failure-counters.
    consecutive_failures: 0,
    consecutive_failures_ipv6: 0,
    first_seen: null,
    last_seen: null,
    resolver: null,
  }
}
