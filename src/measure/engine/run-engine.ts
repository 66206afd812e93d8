/**
 * The engine for every transport: a plan goes in, questions are put as the policy says, results come out in the order in which
 * they end.
 *
 * Back-pressure: at most `tasksMax` questions are begun and not taken, so whoever reads slowly makes the engine ask slowly.
 *
 * Invariant: every question of which one attempt was made has exactly one result; a question of which none was made is left
 * to another run. Nothing goes on after the deadline and the grace behind it, nor after the reader has gone. With the same
 * seed the same resolvers are asked, unless somebody rests.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { shuffle, type Random } from '../../core/random.ts'
import type { Exchange, TimedResponse } from '../../model/observation.ts'
import { chooseAwake, Cooldown } from '../cooldown.ts'
import { AskQueues, type QueuedAsk } from './ask-queues.ts'
import { createTaskState, type TaskState } from './task-state.ts'
import type { EnginePolicy } from './engine-policy.ts'
import type {
  AttemptReason,
  EngineAnswer,
  EngineAttempt,
  EngineResolver,
  EngineResult,
  EngineTask,
} from './engine-task.ts'
import { Hedges } from './hedges.ts'

/** How many resolvers are looked at for a second one. */
const LOOKED_AT_MAX = 64
const TRUNCATED_BIT = 0x02
const RCODE_MASK = 0x0f

/** What an engine is made of. */
export interface EngineOptions<T> {
  readonly clock: Clock
  /** Decides in which order the resolvers are asked. */
  readonly random: Random
  readonly resolvers: readonly EngineResolver<T>[]
  readonly policy: EnginePolicy
  /** The plan. After the end nothing more is taken from it. */
  readonly tasks: AsyncIterable<EngineTask<T>>
  /** Lets nothing new begin; what is in flight goes on for the grace of the policy. */
  readonly signal: AbortSignal
  /** Whether a response can be used. One that cannot counts as if nothing had come. */
  readonly isUsable: (task: EngineTask<T>, response: TimedResponse) => boolean
  /** Gets each result before the reader gets it. */
  readonly journal?: (result: EngineResult<T>) => Promise<void>
  /** Hears when a resolver begins to rest. */
  readonly onRest?: (resolver: number) => void
}

/**
 * Runs a plan. Whoever ends the iteration early ends everything that is in flight.
 *
 * @throws {Error} What the plan, the journal or a resolver throws.
 */
export async function* runEngine<T>(options: EngineOptions<T>): AsyncGenerator<EngineResult<T>, void, void> {
  const run = new EngineRun(options)
  try {
    run.start()
    for (let result = await run.next(); result !== undefined; result = await run.next()) {
      await options.journal?.(result)
      yield result
    }
  } finally {
    run.end()
  }
}

/** An attempt that waits for its turn. */
interface Ask<T> extends QueuedAsk {
  readonly state: TaskState<T>
  readonly reason: AttemptReason
}

class EngineRun<T> {
  private readonly options: EngineOptions<T>
  private readonly order: Int32Array
  private readonly queues: AskQueues<Ask<T>>
  private readonly cooldown: Cooldown | undefined
  private readonly hedges: Hedges | undefined
  private readonly states = new Set<TaskState<T>>()
  private readonly ready: EngineResult<T>[] = []
  private readonly timers = new Set<Timer>()
  private pumpTimer: Timer | undefined
  private wakers: (() => void)[] = []
  private isPlanEnded = false
  private isStopping = false
  private isEnded = false
  private failure: { readonly error: unknown } | undefined

  constructor(options: EngineOptions<T>) {
    const { resolvers, policy, random, clock } = options
    const count = resolvers.length
    this.options = options
    this.order = Int32Array.from(shuffle(random, [...resolvers.keys()]))
    this.queues = new AskQueues(count, policy, clock.nowMs())
    this.cooldown = policy.cooldown === null ? undefined : new Cooldown(count, policy.cooldown)
    this.hedges = policy.hedge === null ? undefined : new Hedges(count, policy.hedge)
  }

  start(): void {
    const { policy, signal } = this.options
    signal.addEventListener('abort', this.stop)
    if (signal.aborted) this.stop()
    if (policy.deadlineMs !== null) this.after(policy.deadlineMs, this.stop)
    void this.readPlan()
  }

  /** @returns The next result; `undefined` when there will be none. */
  async next(): Promise<EngineResult<T> | undefined> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure.error
      const result = this.ready.shift()
      if (result !== undefined) {
        this.wake()
        return result
      }
      if (this.isPlanEnded && this.states.size === 0) return undefined
      await this.changed()
    }
  }

  /** Ends everything at once. */
  end(): void {
    this.isEnded = true
    this.options.signal.removeEventListener('abort', this.stop)
    this.stop()
    this.cutOff()
    this.pumpTimer?.cancel()
    for (const timer of this.timers) timer.cancel()
  }

  /** Begins nothing new. */
  private readonly stop = (): void => {
    if (this.isStopping) return
    this.isStopping = true
    for (const state of this.states) if (state.started === 0) this.drop(state)
    if (!this.isEnded) this.after(this.options.policy.graceMs, this.cutOff)
    this.wake()
  }

  private readonly cutOff = (): void => {
    for (const state of this.states) {
      if (state.isDone) continue
      state.isCut = true
      this.finish(state, state.fallback)
    }
  }

  private async readPlan(): Promise<void> {
    const tasks = this.options.tasks[Symbol.asyncIterator]()
    try {
      while (!this.isStopping) {
        if (this.states.size + this.ready.length >= this.options.policy.tasksMax) {
          await this.changed()
          continue
        }
        const task = await this.readTask(tasks)
        if (task === undefined) break
        if (!this.isStopping) this.begin(task)
      }
    } catch (error) {
      this.fail(error)
    }
    void tasks.return?.().then(undefined, (error: unknown) => {
      this.fail(error)
    })
    this.isPlanEnded = true
    this.wake()
  }

  /** Whoever waits for a plan that says nothing must still hear of the end. @returns `undefined` at either end. */
  private async readTask(tasks: AsyncIterator<EngineTask<T>>): Promise<EngineTask<T> | undefined> {
    const read: { result?: IteratorResult<EngineTask<T>, unknown> } = {}
    tasks.next().then(
      (result) => {
        read.result = result
        this.wake()
      },
      (error: unknown) => {
        this.fail(error)
      },
    )
    while (read.result === undefined && this.failure === undefined && !this.isStopping) await this.changed()
    return read.result === undefined || read.result.done === true ? undefined : read.result.value
  }

  private begin(task: EngineTask<T>): void {
    const state = createTaskState(task)
    this.states.add(state)
    this.enqueue(state, 'first', this.choose(state))
    this.pump()
  }

  private choose({ task, asks }: TaskState<T>): number {
    return task.resolver ?? chooseAwake(this.order, task.number + asks, this.cooldown, this.options.clock.nowMs())
  }

  private enqueue(state: TaskState<T>, reason: AttemptReason, resolver: number): void {
    state.waiting++
    if (reason !== 'truncated') state.asks++
    const isUrgent = reason !== 'first' || state.task.isUrgent === true
    this.queues.push({ state, reason, resolver, isUrgent, isStale: () => state.isDone })
  }

  private pump(): void {
    const { clock } = this.options
    const nowMs = clock.nowMs()
    for (let ask = this.queues.next(nowMs); ask !== undefined; ask = this.queues.next(nowMs)) this.put(ask, nowMs)
    const { idleMs } = this.queues
    if (this.pumpTimer !== undefined || !Number.isFinite(idleMs) || this.isEnded) return
    this.pumpTimer = clock.setTimer(idleMs, () => {
      this.pumpTimer = undefined
      this.pump()
    })
  }

  private put(ask: Ask<T>, startedAtMs: number): void {
    const { state, reason, resolver } = ask
    const { policy, resolvers } = this.options
    const { timeoutsMs } = policy.retry
    const controller = new AbortController()
    const isOverTcp = reason === 'truncated'
    const timeoutMs = timeoutsMs[Math.min(state.started - (isOverTcp ? 1 : 0), timeoutsMs.length - 1)] ?? timeoutsMs[0]
    if (!isOverTcp) state.started++
    state.waiting--
    state.running.add(controller)
    if (reason === 'first') this.armHedge(state, resolver)
    const request = { timeoutMs, lateWindowMs: policy.lateWindowMs, isOverTcp, signal: controller.signal }
    void resolvers[resolver]?.ask(state.task, request).then(
      (exchange) => {
        state.running.delete(controller)
        this.ended(state, { resolver, reason, startedAtMs, endedAtMs: this.options.clock.nowMs(), exchange })
      },
      (error: unknown) => {
        this.fail(error)
      },
    )
  }

  private ended(state: TaskState<T>, attempt: EngineAttempt): void {
    state.attempts.push(attempt)
    this.learn(attempt)
    if (!state.isDone) this.decide(state, attempt)
    else if (state.running.size === 0) this.emit(state)
    this.pump()
  }

  /** What an attempt says about its resolver. */
  private learn({ resolver, startedAtMs, endedAtMs: nowMs, exchange }: EngineAttempt): void {
    const isLost = exchange.kind === 'failure' && exchange.side !== 'us'
    const outcome = exchange.kind === 'responses' ? 'answered' : isLost ? 'lost' : 'neither'
    this.queues.end(resolver, outcome, startedAtMs, nowMs)
    if (exchange.kind === 'responses') {
      this.hedges?.answered(resolver, exchange.responses[0].elapsedMs)
      this.cooldown?.answered(resolver, nowMs)
    } else if (isLost && this.cooldown?.failed(resolver, nowMs) === true) {
      this.options.onRest?.(resolver)
      this.moveQueued(resolver)
    }
  }

  /** What waits for a resolver that begins to rest goes to others, unless it is for this one alone. */
  private moveQueued(resolver: number): void {
    for (const ask of this.queues.clear(resolver)) {
      const isMoved = ask.state.task.resolver === undefined && ask.reason !== 'truncated'
      this.queues.push(isMoved ? { ...ask, resolver: this.choose(ask.state) } : ask)
    }
  }

  private decide(state: TaskState<T>, attempt: EngineAttempt): void {
    const { resolvers, policy, isUsable } = this.options
    const { retry } = policy
    const { exchange, resolver, reason } = attempt
    const response =
      exchange.kind === 'responses' ? exchange.responses.find((given) => isUsable(state.task, given)) : undefined
    if (response !== undefined) {
      const isTruncated = ((response.octets[2] ?? 0) & TRUNCATED_BIT) !== 0
      const isTcpWanted = isTruncated && retry.truncatedOverTcp && reason !== 'truncated'
      if (isTcpWanted && resolvers[resolver]?.hasTcp === true) {
        this.enqueue(state, 'truncated', resolver)
        return
      }
      const answer = { attempt, response }
      if (!retry.rcodes.includes((response.octets[3] ?? 0) & RCODE_MASK)) {
        this.finish(state, answer)
        return
      }
      state.fallback = answer
    }
    // What else is on its way for this question is its next attempt.
    if (state.running.size > 0 || state.waiting > 0) return
    const isAskedAgain = state.asks < retry.attempts && this.isRetried(exchange)
    if (isAskedAgain) this.askAgain(state, exchange)
    else this.finish(state, state.fallback)
  }

  private askAgain(state: TaskState<T>, exchange: Exchange): void {
    const { clock, policy } = this.options
    const isEarly = exchange.kind === 'failure' && exchange.failure !== 'generic_timeout_error'
    const pauseMs = isEarly ? policy.retry.pauseMs * 2 ** (state.asks - 1) : 0
    state.timer?.cancel()
    if (pauseMs === 0) {
      this.enqueue(state, 'retry', this.choose(state))
      return
    }
    state.timer = clock.setTimer(pauseMs, () => {
      this.enqueue(state, 'retry', this.choose(state))
      this.pump()
    })
  }

  private isRetried(exchange: Exchange): boolean {
    const { failures } = this.options.policy.retry
    return exchange.kind === 'responses' || failures === 'all' || failures.includes(exchange.failure)
  }

  private armHedge(state: TaskState<T>, first: number): void {
    const { hedges } = this
    if (hedges === undefined) return
    hedges.asked()
    state.timer = this.options.clock.setTimer(hedges.delayMs(first), () => {
      const isPossible = state.asks < this.options.policy.retry.attempts && state.task.resolver === undefined
      if (state.isDone || !isPossible || state.waiting > 0 || state.running.size === 0 || this.isStopping) return
      const second = this.chooseOther(state, first)
      if (second === undefined || !hedges.trySpend()) return
      this.cooldown?.asks(second, this.options.clock.nowMs())
      this.enqueue(state, 'hedge', second)
      this.pump()
    })
  }

  /** A resolver that is not the first one, of another network if there is one, and free. */
  private chooseOther({ task }: TaskState<T>, first: number): number | undefined {
    const nowMs = this.options.clock.nowMs()
    const groups = this.options.policy.caps.groups
    const isNear = (other: number): boolean =>
      groups !== undefined &&
      (groups.prefixOf[other] === groups.prefixOf[first] ||
        ((groups.asOf[first] ?? -1) >= 0 && groups.asOf[other] === groups.asOf[first]))
    let near: number | undefined
    for (let step = 1; step <= Math.min(this.order.length, LOOKED_AT_MAX); step++) {
      const other = this.order[(task.number + step) % this.order.length] ?? first
      const isFree = this.cooldown?.mayAsk(other, nowMs) !== false && this.queues.hasRoom(other)
      if (other === first || !isFree) continue
      if (!isNear(other)) return other
      near ??= other
    }
    return near
  }

  private finish(state: TaskState<T>, answer: EngineAnswer | undefined): void {
    state.isDone = true
    state.answer = answer
    state.timer?.cancel()
    if (state.running.size === 0) this.emit(state)
    else for (const controller of state.running) controller.abort()
  }

  /** Forgets a question that was never put. */
  private drop(state: TaskState<T>): void {
    state.isDone = true
    this.states.delete(state)
  }

  private emit(state: TaskState<T>): void {
    this.states.delete(state)
    const { task, attempts, answer, isCut } = state
    this.ready.push({ task, attempts, answer, isCut })
    this.wake()
  }

  private after(delayMs: number, act: () => void): void {
    this.timers.add(this.options.clock.setTimer(delayMs, act))
  }

  private fail(error: unknown): void {
    this.failure ??= { error }
    this.wake()
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => this.wakers.push(resolve))
  }

  private wake(): void {
    const woken = this.wakers
    this.wakers = []
    for (const waker of woken) waker()
  }
}
