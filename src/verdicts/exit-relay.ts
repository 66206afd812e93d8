/**
 * Detector `exit-relay`: one verdict about one relay from all its circuits.
 *
 * One circuit proves little: a first hop may fail, a datagram may be lost. Whatever is no success is therefore asked
 * again through other circuits, and the verdict follows from those that got as far as DNS. A wrong address that was seen
 * needs no majority: right ones do not undo it. One that is only suspected does: the same evidence fits a resolver that
 * fails now and then.
 *
 * **Invariant**: pure. A circuit without a DNS verdict neither accuses nor acquits.
 *
 * **Sources**: docs/detectors/exit-relay.md
 */
import { assert } from '../core/assert.ts'
import type { ExitAttempt, ExitErrorCode, ExitFlag, ExitMode, ExitStatus } from '../model/exit-result.ts'

/** Circuits per relay: the first and two confirmations. */
const CIRCUITS_MAX = 3

/** What one circuit gave. */
export interface ExitCircuitOutcome {
  /**
   * Its attempts of both families, in order of asking, at least one. A circuit that was not built has one attempt of
   * type A without a name.
   */
  readonly attempts: readonly ExitAttempt[]
}

/** What changes how a verdict is read. */
export interface ExitRelayOptions {
  readonly mode: ExitMode
  /** Whether our authority saw a query of this relay: without it, a name that rightly does not exist proves little. */
  readonly authorityAsked: boolean
}

/** The verdict about one family. */
export interface ExitFamilyDecision {
  readonly status: ExitStatus
  readonly errorCode: ExitErrorCode | null
  readonly error: string | null
  /** The attempt that the flat fields of the result come from. */
  readonly deciding: ExitAttempt
  readonly flags: readonly ExitFlag[]
}

/** The verdict about a relay: A, and AAAA apart. */
export interface ExitRelayDecision extends ExitFamilyDecision {
  /** `null` when AAAA was not asked. Its flags stand here only. */
  readonly ipv6: ExitFamilyDecision | null
}

/** Whether a status says something about DNS at the exit. */
export function isDnsVerdict(status: ExitStatus): boolean {
  return status === 'success' || status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout'
}

/**
 * Decides about a relay.
 *
 * @param circuits - In order of building, at least one.
 * @throws {BugError} When there is no attempt at all.
 */
export function decideExitRelay(circuits: readonly ExitCircuitOutcome[], options: ExitRelayOptions): ExitRelayDecision {
  const a = decideFamily(circuits, 'A', options)
  assert(a !== undefined, 'decideExitRelay needs an attempt of type A')
  return { ...a, ipv6: decideFamily(circuits, 'AAAA', options) ?? null }
}

/** @returns Whether another circuit can still change or confirm the verdict. */
export function needsAnotherCircuit(circuits: readonly ExitCircuitOutcome[]): boolean {
  return familiesToAsk(circuits).length > 0
}

/**
 * Which families the next circuit is to ask: what succeeded is not asked again, and AAAA is only confirmed where it was
 * asked before.
 *
 * @returns Empty when the verdict stands. Before the first circuit A only: whether AAAA is asked is the plan's.
 */
export function familiesToAsk(circuits: readonly ExitCircuitOutcome[]): readonly ('A' | 'AAAA')[] {
  if (circuits.length === 0) return ['A']
  // A first hop that did not answer took no circuit away from the exit.
  const toExit = circuits.filter((circuit) => circuit.attempts.at(-1)?.error_code !== 'HOP1_FAIL')
  if (toExit.length >= CIRCUITS_MAX || circuits.some(endsTheRelay)) return []
  return (['A', 'AAAA'] as const).filter((family) => isOpen(circuits, family))
}

/** @returns Whether a circuit says that no further one can be built: the relay left, or the run ends. */
function endsTheRelay(circuit: ExitCircuitOutcome): boolean {
  return circuit.attempts.some((attempt) => attempt.status === 'not_tested' || attempt.error_code === 'LEFT_CONSENSUS')
}

function isOpen(circuits: readonly ExitCircuitOutcome[], family: 'A' | 'AAAA'): boolean {
  const votes = votesOf(circuits, family)
  if (votes.length === 0) return circuits.some((circuit) => circuit.attempts.some((a) => a.query_type === family))
  // A wrong address stands whatever follows; the second verdict only says whether it is one always.
  if (votes.some(isProvedWrong)) return votes.length < 2
  if (votes.every((vote) => vote.status === 'success')) return false
  const agreeing = votes.filter((vote) => votes.some((other) => other !== vote && other.status === vote.status))
  // Two verdicts that agree settle it, unless our own delay could have made both of them.
  return !agreeing.some(isSure)
}

/** Only a failure by RCODE 2 is told apart by time. */
function isSure(attempt: ExitAttempt): boolean {
  return !attempt.unsure || attempt.dns_rcode !== 2
}

/** @returns One attempt per circuit that got a DNS verdict about the family, in order of circuits. */
function votesOf(circuits: readonly ExitCircuitOutcome[], family: 'A' | 'AAAA'): readonly ExitAttempt[] {
  return circuits.flatMap((circuit) => {
    const verdicts = circuit.attempts.filter((a) => a.query_type === family && isDnsVerdict(a.status))
    const vote =
      verdicts.find(isProvedWrong) ??
      verdicts.findLast((a) => a.status === 'success') ??
      verdicts.findLast((a) => !a.unsure) ??
      verdicts.at(-1)
    return vote === undefined ? [] : [vote]
  })
}

function decideFamily(
  circuits: readonly ExitCircuitOutcome[],
  family: 'A' | 'AAAA',
  options: ExitRelayOptions,
): ExitFamilyDecision | undefined {
  const votes = votesOf(circuits, family)
  const flags = new Set<ExitFlag>()
  const deciding = votes.length > 0 ? decideByVotes(votes, flags) : decideWithoutVotes(circuits, family)
  if (deciding === undefined) return undefined
  const { status } = deciding
  if (isDnsVerdict(status) && status !== 'success') {
    const agreeing = votes.filter((vote) => vote.status === status)
    if (circuits.some((circuit) => circuit.attempts.some((a) => a.query_type === family && a.status === 'success'))) {
      flags.add('inconsistent')
    }
    if (agreeing.length > 1 && new Set(agreeing.map((vote) => vote.path[0])).size === 1) flags.add('confirmed_same_hop')
    if (options.mode === 'stable') flags.add('suspected')
  }
  if (!isSure(deciding)) flags.add('unsure')
  if (options.mode === 'nxdomain' && status === 'success' && !options.authorityAsked) flags.add('weak_evidence')
  return {
    status,
    errorCode: deciding.error_code,
    error: deciding.error,
    deciding,
    flags: [...flags],
  }
}

function decideByVotes(votes: readonly ExitAttempt[], flags: Set<ExitFlag>): ExitAttempt {
  if (votes.some(isProvedWrong)) {
    if (votes.length === 1) flags.add('unconfirmed')
    return best(votes.filter((vote) => vote.status === 'wrong_ip'))
  }
  // More lenient first, so that of equal numbers the one that accuses less wins.
  const groups = (['success', 'timeout', 'dns_fail', 'wrong_ip'] as const)
    .map((status) => votes.filter((vote) => vote.status === status))
    .filter((group) => group.length > 0)
  const winner = groups.reduce((most, group) => (group.length > most.length ? group : most))
  if (winner.length === 1) {
    if (groups.length > 1) flags.add('inconsistent')
    else if (winner[0]?.status !== 'success') flags.add('unconfirmed')
  }
  return best(winner)
}

/** @returns Whether a wrong address was seen, not only concluded from what the authority answered. */
function isProvedWrong(attempt: ExitAttempt): boolean {
  return attempt.status === 'wrong_ip' && attempt.addresses.length > 0
}

/** @returns Of attempts with one status the one to show: its code is proved, then surely timed, then frequent. */
function best(group: readonly ExitAttempt[]): ExitAttempt {
  const score = (attempt: ExitAttempt): number =>
    (isProvedWrong(attempt) ? 1000 : 0) +
    (isSure(attempt) ? 100 : 0) +
    group.filter((other) => other.error_code === attempt.error_code).length * 2 +
    (attempt.unsure ? 0 : 1)
  return group.reduce((chosen, attempt) => (score(attempt) > score(chosen) ? attempt : chosen))
}

/**
 * @returns The last attempt of the first circuit that got past its first hop (else of the first one): its trouble came
 *   before what the others met. That the relay left explains any trouble before it.
 */
function decideWithoutVotes(circuits: readonly ExitCircuitOutcome[], family: 'A' | 'AAAA'): ExitAttempt | undefined {
  const ofFamily = circuits.map((circuit) => circuit.attempts.filter((attempt) => attempt.query_type === family))
  const left = ofFamily.flat().find((attempt) => attempt.error_code === 'LEFT_CONSENSUS')
  const tried = ofFamily.filter((attempts) => attempts.length > 0)
  // A first hop that does not answer is that hop's fault: any circuit that got further says more about the exit.
  const further = tried.find((attempts) => attempts.at(-1)?.error_code !== 'HOP1_FAIL')
  return left ?? (further ?? tried[0])?.at(-1)
}
