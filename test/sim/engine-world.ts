/** An engine on a clock of its own, with resolvers that do what a test tells them to. */
import type { Timer } from '../../src/core/clock.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { EnginePolicy } from '../../src/measure/engine/engine-policy.ts'
import type { AskRequest, EngineResolver, EngineResult, EngineTask } from '../../src/measure/engine/engine-task.ts'
import { runEngine, type EngineOptions } from '../../src/measure/engine/run-engine.ts'
import type { Exchange } from '../../src/model/observation.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

/** Three attempts, and nothing else. */
export const POLICY: EnginePolicy = {
  retry: {
    attempts: 3,
    timeoutsMs: [500, 1_000, 2_000],
    pauseMs: 0,
    failures: 'all',
    rcodes: [],
    truncatedOverTcp: true,
  },
  caps: { rate: 0, perResolver: 0 },
  cooldown: null,
  window: { start: 16, min: 1, max: 64 },
  hedge: null,
  tasksMax: 256,
  lateWindowMs: 0,
  deadlineMs: null,
  graceMs: 10_000,
}
const ODDITIES = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }

/** What a simulated resolver does with a question: answers after some time, or never. */
interface Behaviour {
  readonly afterMs: number
  readonly rcode?: number
  readonly isTruncated?: boolean
  readonly failure?: 'connection_refused'
}
/** Says what a resolver does with a question; `undefined` for nothing. */
export type Behave = (resolver: number, task: number, request: AskRequest) => Behaviour | undefined

/** A question as the simulated resolvers saw it. */
export interface Seen {
  readonly resolver: number
  readonly task: number
  readonly atMs: number
}

function failureOf(
  failure: 'interrupted' | 'generic_timeout_error' | 'connection_refused',
  elapsedMs: number,
): Exchange {
  const side = failure === 'interrupted' ? 'us' : 'resolver'
  return { kind: 'failure', operation: 'exchange', failure, side, elapsedMs, oddities: ODDITIES }
}

function answerOf({ afterMs, rcode = 0, isTruncated = false }: Behaviour): Exchange {
  const octets = Uint8Array.of(0, 0, isTruncated ? 0x82 : 0x80, rcode, 0, 0, 0, 0, 0, 0, 0, 0)
  return { kind: 'responses', responses: [{ octets, elapsedMs: afterMs }], oddities: ODDITIES }
}

/** Resolvers that are simulated, and what they saw. */
export interface SimulatedResolvers {
  readonly resolvers: readonly EngineResolver<null>[]
  /** Earliest first. */
  readonly seen: readonly Seen[]
  readonly inFlight: { readonly now: number; readonly most: number }
}

/** Simulates resolvers. */
export function simulateResolvers(clock: VirtualClock, count: number, behave: Behave): SimulatedResolvers {
  const seen: Seen[] = []
  const inFlight = { now: 0, most: 0 }
  const ask = (resolver: number, task: EngineTask<null>, request: AskRequest): Promise<Exchange> =>
    new Promise((resolve) => {
      const atMs = clock.nowMs()
      seen.push({ resolver, task: task.number, atMs })
      inFlight.most = Math.max(inFlight.most, ++inFlight.now)
      const behaviour = behave(resolver, task.number, request)
      const end = (exchange: Exchange): void => {
        timer.cancel()
        request.signal.removeEventListener('abort', abort)
        inFlight.now--
        resolve(exchange)
      }
      const abort = (): void => {
        end(failureOf('interrupted', clock.nowMs() - atMs))
      }
      request.signal.addEventListener('abort', abort)
      const isInTime = behaviour !== undefined && behaviour.afterMs <= request.timeoutMs
      const timer: Timer = clock.setTimer(isInTime ? behaviour.afterMs : request.timeoutMs, () => {
        if (!isInTime) end(failureOf('generic_timeout_error', request.timeoutMs))
        else if (behaviour.failure === undefined) end(answerOf(behaviour))
        else end(failureOf(behaviour.failure, behaviour.afterMs))
      })
    })
  const resolvers = Array.from({ length: count }, (_, resolver) => ({
    hasTcp: true,
    ask: (task: EngineTask<null>, request: AskRequest) => ask(resolver, task, request),
  }))
  return { resolvers, seen, inFlight }
}

/** Questions numbered from 0. */
export async function* planOf(count: number, resolver?: number): AsyncGenerator<EngineTask<null>> {
  for (let number = 0; number < count; number++) yield await Promise.resolve({ content: null, number, resolver })
}

/** A run to be made. */
export interface World {
  readonly tasks: number
  readonly resolvers: number
  readonly behave: Behave
  readonly policy?: Partial<EnginePolicy>
  readonly changes?: Partial<EngineOptions<null>>
  /** The resolver of every question; any without. */
  readonly pinned?: number
}

/** What a run left behind. */
export interface WorldOutcome extends SimulatedResolvers {
  readonly results: readonly EngineResult<null>[]
  readonly endedAtMs: number
}

/** The options of a run. */
export function optionsOf(
  clock: VirtualClock,
  resolvers: readonly EngineResolver<null>[],
  tasks: AsyncIterable<EngineTask<null>>,
  policy: Partial<EnginePolicy> = {},
): EngineOptions<null> {
  return {
    clock,
    random: createSeededRandom('seed'),
    resolvers,
    policy: { ...POLICY, ...policy },
    tasks,
    signal: new AbortController().signal,
    isUsable: () => true,
  }
}

const STEP_MS = 50
const STEPS_MAX = 12_000

/** Runs a plan to its end on a clock of its own. @throws When it does not end within ten minutes of that clock. */
export async function runWorld({ tasks, resolvers, behave, policy, changes, pinned }: World): Promise<WorldOutcome> {
  const clock = createVirtualClock()
  const simulated = simulateResolvers(clock, resolvers, behave)
  const results: EngineResult<null>[] = []
  const end = { atMs: -1 }
  const consume = async (): Promise<void> => {
    const options = { ...optionsOf(clock, simulated.resolvers, planOf(tasks, pinned), policy), ...changes }
    for await (const result of runEngine(options)) results.push(result)
    end.atMs = clock.nowMs()
  }
  const consuming = consume()
  for (let step = 0; end.atMs < 0; step++) {
    if (step > STEPS_MAX) throw new Error('the run does not end')
    await clock.advance(STEP_MS)
  }
  await consuming
  return { ...simulated, results, endedAtMs: end.atMs }
}

/** The numbers of the questions with a result, ascending. */
export const numbersOf = (results: readonly EngineResult<null>[]): readonly number[] =>
  results.map(({ task }) => task.number).toSorted((a, b) => a - b)

/** 0 to `count` − 1. */
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

/** The most questions in any second that begins with one. */
export function mostInOneSecond(times: readonly number[]): number {
  return Math.max(0, ...times.map((atMs, index) => times.slice(index).filter((other) => other < atMs + 1000).length))
}
