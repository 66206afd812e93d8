/**
 * One circuit to one exit: build it, ask until one question is answered, close it.
 *
 * Every attempt has a name of its own, because the exit caches successes and failures alike. A and AAAA are asked and
 * judged apart, because an exit that prefers IPv6 is not lying.
 *
 * Invariant: always ends (build time-out, then attempts × (query time-out + pause)); facts and their classification
 * only, the verdict about the relay is made from several circuits in `probe-relay.ts`.
 */
import { sleep } from '../../core/clock.ts'
import { randomInt } from '../../core/random.ts'
import { RCODE_SERVFAIL } from '../../dns/rcode.ts'
import type { ExitAttempt, ExitErrorCode, ExitMode, ExitStatus } from '../../model/exit-result.ts'
import type { Circuit, CircuitOutcome, Relay } from '../../tor/tor-session.ts'
import type { ResolveType, TorExitAnswer } from '../../vantages/tor-exit.ts'
import { classifyExitAnswer, type ExitAnswerVerdict } from '../../verdicts/exit-attempt.ts'
import { recordFirstHop } from './take-hops.ts'
import { BUILD_TIMEOUT_MS, type CircuitRecord, type ScanContext, type TorHandle } from './scan-context.ts'

/** Stable names asked through one circuit: enough for "more than one fails", and no load on other people's servers. */
const STABLE_MAX = 4

/** What to ask through which circuit. */
export interface CircuitTask {
  readonly exit: Relay
  /** Ordinal of the circuit for this relay, 1 first. */
  readonly circuit: number
  /** First hop first, without the exit. */
  readonly hops: readonly Relay[]
  /** Number of the next attempt of this relay, counted through all circuits. */
  readonly nextAttempt: () => number
  readonly types: readonly ResolveType[]
}

/** What a circuit gave. */
export interface CircuitProbe {
  readonly record: CircuitRecord
  /** Whether Tor itself went away meanwhile: then nothing here says anything about the exit. */
  readonly torGone: boolean
}

/** Probes an exit through one circuit. */
export async function probeCircuit(context: ScanContext, task: CircuitTask): Promise<CircuitProbe> {
  const tor = context.tor()
  if (task.hops.length === 0) return { record: noHop(context, task), torGone: false }
  const path = [...task.hops.map(({ fingerprint }) => fingerprint), task.exit.fingerprint]
  const outcome = await tor.session.buildCircuit(path, BUILD_TIMEOUT_MS, context.signal)
  context.onCircuit({ built: outcome.kind === 'built' })
  const [firstHop] = task.hops
  if (firstHop !== undefined && !tor.session.gone.aborted) {
    recordFirstHop(context, firstHop, outcome.kind === 'built' || outcome.hopsReached > 0)
  }
  if (outcome.kind === 'failed') {
    const attempt = failedBuild(context, task, path, outcome)
    return {
      record: { circuit: task.circuit, path, attempts: [attempt], decoys: [] },
      torGone: tor.session.gone.aborted,
    }
  }
  const asking: Asking = { context, task, tor, circuit: outcome.circuit }
  try {
    const attempts = context.zone.mode === 'stable' ? await askStable(asking) : await askZone(asking)
    const decoys = attempts.some(({ status }) => status === 'success') ? await askDecoy(asking) : []
    return { record: { circuit: task.circuit, path, attempts, decoys }, torGone: tor.session.gone.aborted }
  } finally {
    // Not awaited: the circuit is done with, and a dead control port must not delay the relay's end.
    void tor.session.closeCircuit(outcome.circuit)
  }
}

/** One-hop circuits cannot carry streams: without any allowed first hop there is nothing to try. */
function noHop(context: ScanContext, task: CircuitTask): CircuitRecord {
  const path = [task.exit.fingerprint]
  const error = 'no first hop is allowed for this exit (each is the exit itself, its address, /16 or family)'
  const attempt: ExitAttempt = { ...emptyAttempt(context, task, path), error_code: 'HOP1_FAIL', error }
  return { circuit: task.circuit, path, attempts: [attempt], decoys: [] }
}

/** A circuit that was not built, as an attempt: whose fault it was is the only fact. */
function failedBuild(
  context: ScanContext,
  task: CircuitTask,
  path: readonly string[],
  outcome: CircuitOutcome & { kind: 'failed' },
): ExitAttempt {
  const inConsensus = context.tor().session.network().relays.get(task.exit.fingerprint)?.flags.has('Running') ?? false
  const reachedExit = outcome.hopsReached >= path.length - 1
  const errorCode: ExitErrorCode = !inConsensus ? 'LEFT_CONSENSUS' : reachedExit ? 'EXIT_FAIL' : 'HOP1_FAIL'
  const where = reachedExit ? 'the exit' : `hop ${outcome.hopsReached + 1}`
  const { reason, remoteReason } = outcome.end
  return {
    ...emptyAttempt(context, task, path),
    status: 'circuit_fail',
    error_code: errorCode,
    error: !inConsensus
      ? 'the relay has left the consensus since the run began'
      : `no circuit: ${where} did not answer (${reason}${remoteReason === null ? '' : `, ${remoteReason}`})`,
  }
}

function emptyAttempt(context: ScanContext, task: CircuitTask, path: readonly string[]): ExitAttempt {
  return {
    attempt: task.nextAttempt(),
    circuit: task.circuit,
    query_type: 'A',
    query_domain: null,
    timestamp: context.clock.wallNowMs() / 1000,
    path,
    dns_rcode: null,
    socks_reply: null,
    stream_reason: null,
    addresses: [],
    ttl_seconds: null,
    latency_ms: null,
    circuit_rtt_ms: null,
    own_delay_ms: 0,
    status: 'circuit_fail',
    error_code: 'EXIT_FAIL',
    error: null,
    unsure: false,
  }
}

/** Whom to ask through what. */
interface Asking {
  readonly context: ScanContext
  readonly task: CircuitTask
  readonly tor: TorHandle
  readonly circuit: Circuit
}

/** One question, and what is right. */
interface CircuitQuestion {
  /** `null` asks a fresh unique name under the zone. */
  readonly name: string | null
  readonly type: ResolveType
  /** Right addresses; empty in stable mode, where any public address is right. */
  readonly expected: readonly string[]
  readonly mode: ExitMode
}

/** Asks our zone, each family until it is answered. */
async function askZone(asking: Asking): Promise<readonly ExitAttempt[]> {
  const { context, task } = asking
  const attempts: ExitAttempt[] = []
  const { mode } = context.zone
  for (const type of task.types) {
    const expected = type === 'A' ? context.zone.ipv4 : context.zone.ipv6
    attempts.push(...(await askUntilAnswered(asking, { name: null, type, expected, mode })))
  }
  return attempts
}

/**
 * Asks names that everybody can resolve, each once: the exit remembers failures too, and a second answer would come from
 * its cache. The next circuit asks the next ones, as far as the list goes.
 */
async function askStable(asking: Asking): Promise<readonly ExitAttempt[]> {
  const attempts: ExitAttempt[] = []
  const names = asking.context.options.stableDomains
  const from = (asking.task.circuit - 1) * STABLE_MAX
  for (let at = 0; at < Math.min(STABLE_MAX, names.length); at++) {
    const name = names[(from + at) % names.length]
    if (name === undefined || asking.circuit.closed.aborted || asking.context.signal.aborted) break
    attempts.push(await askOnce(asking, { name, type: 'A', expected: [], mode: 'stable' }))
  }
  return attempts
}

/** Asks one decoy, chosen at random: an exit can answer our zone truthfully and lie elsewhere. */
async function askDecoy(asking: Asking): Promise<readonly ExitAttempt[]> {
  const { options, random } = asking.context
  if (options.decoys.length === 0 || asking.task.circuit > 1) return []
  const decoy = options.decoys[randomInt(random, options.decoys.length)]
  if (decoy === undefined) return []
  const expected = decoy.addresses.filter((address) => !address.includes(':'))
  return [await askOnce(asking, { name: decoy.name, type: 'A', expected, mode: 'wildcard' })]
}

async function askUntilAnswered(asking: Asking, question: CircuitQuestion): Promise<readonly ExitAttempt[]> {
  const { context, circuit } = asking
  const attempts: ExitAttempt[] = []
  const { pace } = context.options
  for (let tries = 0; tries < pace.attempts; tries++) {
    if (tries > 0) await sleep(context.clock, pace.retryDelayMs, circuit.closed)
    const attempt = await askOnce(asking, question)
    attempts.push(attempt)
    if (isAnswered(attempt) || circuit.closed.aborted || context.signal.aborted) break
  }
  return attempts
}

/** RCODE 0 and 3 are the resolver's answer; RCODE 2 is Tor's word for "none", and worth another name. */
function isAnswered(attempt: ExitAttempt): boolean {
  return attempt.dns_rcode === 0 || attempt.dns_rcode === 3 || attempt.status === 'circuit_fail'
}

async function askOnce(asking: Asking, question: CircuitQuestion): Promise<ExitAttempt> {
  const { context, task, tor, circuit } = asking
  const number = task.nextAttempt()
  const sentAtMs = context.clock.wallNowMs()
  const { fingerprint } = task.exit
  const name = question.name ?? context.names.issue(fingerprint, number)
  if (question.name === null) {
    context.onIssued({ name, fingerprint, attempt: number, queryType: question.type, sentAtMs })
  }
  const startedAtMs = context.clock.nowMs()
  const answer = await tor.vantage.ask(circuit, name, question.type, context.options.pace.queryTimeoutMs)
  const ownDelayMs = Math.max(context.ownDelay.since(startedAtMs), answer.attachMs)
  const judged = judge(asking, question, answer, ownDelayMs)
  return {
    attempt: number,
    circuit: task.circuit,
    query_type: question.type,
    query_domain: name,
    timestamp: sentAtMs / 1000,
    path: circuit.path,
    dns_rcode: answer.rcode,
    socks_reply: null,
    stream_reason: answer.streamReason,
    addresses: answer.addresses,
    ttl_seconds: answer.ttlSeconds,
    latency_ms: answer.elapsedMs === null ? null : roundMs(answer.elapsedMs),
    circuit_rtt_ms: roundMs(circuit.roundTripMs),
    own_delay_ms: roundMs(ownDelayMs),
    status: judged.status,
    error_code: judged.errorCode,
    error: judged.error,
    unsure: judged.unsure,
  }
}

function judge(
  { context, task, circuit }: Asking,
  question: CircuitQuestion,
  answer: TorExitAnswer,
  ownDelayMs: number,
): ExitAnswerVerdict {
  const now = context.tor().session.network().relays.get(task.exit.fingerprint)
  if (answer.rcode === 3 && now !== undefined && !now.exitsToIpv4 && !now.exitsToIpv6) {
    return undecided('circuit_fail', 'NOT_EXITING', 'the exit policy of the relay rejects everything')
  }
  if (answer.failure === 'CIRCUIT_CLOSED' || isOwnWord(answer, circuit)) {
    return undecided('circuit_fail', 'EXIT_FAIL', 'the circuit was closed while the question was open')
  }
  if (answer.failure !== null && answer.failure !== 'STALLED') {
    const code: ExitErrorCode = answer.failure.startsWith('CONTROL_') ? 'CONTROL_ATTACH' : 'STREAM_STALL'
    return undecided('error', code, `the question did not reach the exit (${answer.failure})`)
  }
  return classifyExitAnswer({
    mode: question.mode,
    queryType: question.type,
    expected: question.expected,
    rcode: answer.rcode,
    addresses: answer.addresses,
    elapsedMs: answer.elapsedMs,
    circuitRttMs: circuit.roundTripMs,
    ownDelayMs,
    resolveTimeoutMs: context.resolveTimeoutMs,
    queryTimeoutMs: context.options.pace.queryTimeoutMs,
    isInternal: context.isInternal,
  })
}

/** Ends of a stream that was answered by the exit: `DONE`, or `TORPROTOCOL` where our Tor threw the answer away. */
const ANSWERED: ReadonlySet<string> = new Set(['DONE', 'TORPROTOCOL'])

/** RCODE 2 is also what our own Tor says when a circuit breaks under an open question: then the exit said nothing. */
function isOwnWord({ rcode, streamReason }: TorExitAnswer, circuit: Circuit): boolean {
  if (rcode !== RCODE_SERVFAIL) return false
  return streamReason === null ? circuit.closed.aborted : !ANSWERED.has(streamReason)
}

function undecided(status: ExitStatus, errorCode: ExitErrorCode, error: string): ExitAnswerVerdict {
  return { status, errorCode, error, unsure: false }
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10
}
