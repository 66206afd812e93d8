/**
 * The scan itself: every candidate through its state machine, results as they finish.
 *
 * Invariant: one result per candidate, whatever happens: Tor dying, the deadline, an interruption, an invalid run, a bug
 * in one relay's probe. A failure is recorded only after the zone was seen to work since it was asked.
 */
import { BugError } from '../../core/assert.ts'
import { createKeyedLimit, type KeyedLimit } from '../../measure/keyed-limit.ts'
import { runPool } from '../../measure/run-pool.ts'
import type { ExitResult } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import type { Candidate } from './candidates.ts'
import { makeResult, makeUnasked, makeUntested, type ResultContext } from './make-result.ts'
import { probeRelay, type RelayProbe } from './probe-relay.ts'
import type { RunGuard } from './run-guard.ts'
import type { CircuitRecord, ScanContext } from './scan-context.ts'
import type { TorSupervisor } from './tor-supervisor.ts'

/** What is said of a relay that was there when the run began and is not any more. */
export const LEFT_SENTENCE = 'the relay has left the consensus since the run began'

/** Why a run stops before its end. */
export type StopReason = 'interrupted' | 'deadline' | 'invalid' | 'tor_lost'

/** What a scan works on. */
export interface ScanTask {
  readonly context: ScanContext
  readonly supervisor: TorSupervisor
  readonly guard: RunGuard
  /** In the order of testing. */
  readonly candidates: readonly Candidate[]
  /** Complete circuits of an earlier process, by fingerprint. */
  readonly prior: ReadonlyMap<string, readonly CircuitRecord[]>
  /** Addresses → AS and country. */
  readonly factsOf: ResultContext['factsOf']
  readonly onStarted: (candidate: Candidate) => void
  readonly onCircuitDone: (fingerprint: string, record: CircuitRecord) => void
  /** Why nothing new is started, once that is so. */
  readonly stopReason: () => StopReason | undefined
  /** Stops the run because Tor cannot be had any more. */
  readonly onTorLost: () => void
}

/** Tests the candidates. @returns One result for each, those that could not be tested last. */
export async function* scanRelays(task: ScanTask): AsyncGenerator<ExitResult, void, void> {
  const { context, candidates } = task
  const seen = new Set<string>()
  const operators = createKeyedLimit(AT_ONCE_PER_OPERATOR)
  const pool = runPool(candidates, {
    inFlight: context.options.inFlight,
    signal: context.startSignal,
    work: (candidate) => testRelay(task, candidate, operators),
  })
  for await (const result of pool) {
    seen.add(result.exit_fingerprint)
    yield result
  }
  for (const candidate of candidates) {
    if (!seen.has(candidate.relay.fingerprint)) yield untested(task, candidate, [])
  }
}

/** What one operator's machines are asked at once: a family or a host of many relays is not tested in one burst. */
const AT_ONCE_PER_OPERATOR = 4

/** The keys under which an exit counts: its address, and its family by the first member. */
function operatorKeys({ relay }: Candidate): readonly string[] {
  const family = [relay.fingerprint, ...relay.family].filter((member) => /^[\dA-F]{40}$/.test(member)).toSorted()
  return [`address ${relay.address}`, ...(family.length > 1 ? [`family ${family[0] ?? ''}`] : [])]
}

/** Tests a relay when its operator has room. @returns Its result, whatever happens. */
async function testRelay(task: ScanTask, candidate: Candidate, operators: KeyedLimit): Promise<ExitResult> {
  const keys = operatorKeys(candidate)
  while (!operators.tryTake(keys)) {
    // Whoever holds the room always ends, and gives it back.
    await operators.changed(task.context.startSignal)
    if (task.context.startSignal.aborted) return untested(task, candidate, [])
  }
  try {
    return await probeUntilDone(task, candidate)
  } finally {
    operators.release(keys)
  }
}

async function probeUntilDone(task: ScanTask, candidate: Candidate): Promise<ExitResult> {
  task.onStarted(candidate)
  const { fingerprint } = candidate.relay
  if (hasLeft(task, candidate)) {
    return makeUnasked(resultContext(task), candidate, 'circuit_fail', 'LEFT_CONSENSUS', LEFT_SENTENCE)
  }
  let circuits = task.prior.get(fingerprint) ?? []
  try {
    for (;;) {
      const handle = task.supervisor.current()
      const probe: RelayProbe = await probeRelay(task.context, candidate.relay, {
        prior: circuits,
        onCircuitDone: (record) => {
          task.onCircuitDone(fingerprint, record)
        },
      })
      circuits = probe.circuits
      if (probe.kind === 'done') return await conclude(task, candidate, circuits)
      if (probe.kind === 'stopped') return untested(task, candidate, circuits)
      // Bounded by the supervisor, which starts Tor again only a few times.
      if (!(await task.supervisor.recover(handle))) {
        task.onTorLost()
        return untested(task, candidate, circuits)
      }
    }
  } catch (error) {
    if (error instanceof BugError) throw error
    // One relay's strange luck must not cost the others their results.
    const message = error instanceof Error ? error.message : String(error)
    task.context.log.error('exits.relay.exception', { fingerprint, message })
    return makeUnasked(resultContext(task), candidate, 'exception', 'EXCEPTION', message)
  }
}

/** Whether a relay that was running when the list was frozen is gone from the consensus of now. */
function hasLeft({ context }: ScanTask, { relay }: Candidate): boolean {
  if (!relay.flags.has('Running')) return false
  return context.tor().session.network().relays.get(relay.fingerprint)?.flags.has('Running') !== true
}

async function conclude(task: ScanTask, candidate: Candidate, circuits: readonly CircuitRecord[]): Promise<ExitResult> {
  const result = makeResult(resultContext(task), candidate, circuits)
  const isFailure = isDnsVerdict(result.status) && result.status !== 'success'
  if (isFailure && !(await task.guard.confirmZone())) return untested(task, candidate, circuits)
  task.guard.onVerdict(result.exit_fingerprint, result.status, result.error_code)
  return result
}

const REASONS: Readonly<Record<StopReason, string>> = {
  interrupted: 'the run was interrupted before this relay had a verdict',
  deadline: 'the deadline of the run came before this relay had a verdict',
  invalid: 'the run was stopped: its zone did not work',
  tor_lost: 'the run was stopped: Tor could not be kept running',
}

function untested(task: ScanTask, candidate: Candidate, circuits: readonly CircuitRecord[]): ExitResult {
  const reason = task.stopReason() ?? 'interrupted'
  const code = reason === 'deadline' ? 'DEADLINE' : 'RUN_STOPPED'
  return makeUntested(resultContext(task), candidate, code, REASONS[reason], circuits)
}

function resultContext({ context, factsOf }: ScanTask): ResultContext {
  return { options: context.options, zone: context.zone, factsOf, wallNowMs: context.clock.wallNowMs() }
}
