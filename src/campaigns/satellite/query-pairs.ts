/**
 * The query stage: asks each resolver for each name, in an order that the seed gives, with the queries that the policy says.
 *
 * **Invariant**: draws no conclusion. A pair comes out once, when its last query has ended; one that was interrupted, or that
 * failed on our side, does not come out: it is measured anew by whoever resumes the run. The seed and the number of a pair
 * give the ids of its queries, whatever was asked before.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import type { Clock } from '../../core/clock.ts'
import { randomInt, type Random } from '../../core/random.ts'
import { parseName, type Name } from '../../dns/name.ts'
import { TYPE_A } from '../../dns/rr-type.ts'
import type { EngineResult, EngineTask } from '../../measure/engine/engine-task.ts'
import { runEngine } from '../../measure/engine/run-engine.ts'
import type { Net } from '../../net/net.ts'
import { createAskPolicy, createDnsResolvers, type AskCaps, type DnsAsk } from './dns-asker.ts'
import { createPairOrder } from './pair-order.ts'
import { answerOfTrial, trialOf, type PairKind, type PairRecord, type PairTrial } from './pair-record.ts'
import { nextQuery, type MeasuringPolicy, type PairPolicy } from './query-policy.ts'

/** What asks. */
export interface AskingMachine {
  readonly clock: Clock
  readonly net: Net
  readonly addressPlan: AddressPlan
  /** A generator whose sequence depends on the seed alone. */
  createRandom(seed: string): Random
}

/** What is asked of whom. */
export interface PairPlan {
  readonly resolvers: readonly string[]
  readonly domains: readonly string[]
  readonly kind: PairKind
  /** Number of the first pair. */
  readonly firstNumber: number
  readonly controlName: string
  readonly policy: MeasuringPolicy
  readonly seed: string
  readonly caps: AskCaps
  readonly timeoutMs: number
  /** Whether a pair was measured before. */
  isDone(number: number): boolean
  /** Whether a resolver may be asked; the pairs of others keep their numbers and are left out. */
  mayAsk(resolver: string): boolean
  readonly signal: AbortSignal
  /** Hears of each pair that our own side could not measure. */
  onUnmeasured(): void
}

/** A pair that was begun. */
interface OpenPair {
  readonly number: number
  readonly resolver: number
  readonly domain: string
  readonly random: Random
  readonly trials: PairTrial[]
}

interface PairAsk extends DnsAsk {
  readonly pair: OpenPair
  readonly purpose: 'control' | 'test'
}

/** Measures the pairs of a plan. @returns Those that were measured, as they end. */
export async function* queryPairs(machine: AskingMachine, plan: PairPlan): AsyncGenerator<PairRecord, void, void> {
  if (plan.resolvers.length === 0 || plan.domains.length === 0) return
  const policy = createAskPolicy(plan.resolvers, plan.caps, machine.addressPlan, {
    attempts: 1,
    timeoutMs: plan.timeoutMs,
  })
  const feed = new PairFeed(machine, plan, policy.tasksMax)
  const wallOffsetMs = machine.clock.wallNowMs() - machine.clock.nowMs()
  const results = runEngine<PairAsk>({
    clock: machine.clock,
    random: machine.createRandom(`${plan.seed}:engine`),
    resolvers: createDnsResolvers<PairAsk>(machine, plan.resolvers),
    policy: { ...policy, tasksMax: policy.tasksMax * 2 },
    tasks: feed.tasks(),
    signal: plan.signal,
    isUsable: () => true,
  })
  try {
    for await (const result of results) {
      const record = feed.take(result, wallOffsetMs)
      if (record === 'unmeasured') plan.onUnmeasured()
      else if (record !== undefined) yield record
    }
  } finally {
    feed.end()
  }
}

class PairFeed {
  readonly #machine: AskingMachine
  readonly #plan: PairPlan
  readonly #openMax: number
  readonly #count: number
  readonly #numberAt: (place: number) => number
  readonly #names: ReadonlyMap<string, Name>
  readonly #followUps: EngineTask<PairAsk>[] = []
  #place = 0
  #open = 0
  #tasks = 0
  #isEnded = false
  #wake: () => void = () => {}

  constructor(machine: AskingMachine, plan: PairPlan, openMax: number) {
    this.#machine = machine
    this.#plan = plan
    this.#openMax = openMax
    this.#count = plan.resolvers.length * plan.domains.length
    this.#numberAt = createPairOrder(machine.createRandom(`${plan.seed}:order:${plan.firstNumber}`), this.#count)
    this.#names = new Map(
      [...plan.domains, plan.controlName].flatMap((text) => {
        const name = parseName(text)
        return name === undefined ? [] : [[text, name] as const]
      }),
    )
  }

  /** What is asked next: what belongs to pairs that were begun goes before new ones. */
  async *tasks(): AsyncGenerator<EngineTask<PairAsk>, void, void> {
    while (!this.#isEnded) {
      const task = this.#followUps.shift() ?? this.#begin()
      if (task !== undefined) {
        yield task
        continue
      }
      if (this.#open === 0) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Takes what came of a query. @returns The record of its pair, when that is done. */
  take(result: EngineResult<PairAsk>, wallOffsetMs: number): PairRecord | 'unmeasured' | undefined {
    const { pair, purpose } = result.task.content
    const name = purpose === 'control' ? this.#plan.controlName : pair.domain
    const isOurs = result.attempts.every(({ exchange }) => exchange.kind === 'failure' && exchange.side === 'us')
    if (isOurs || result.isCut) return this.#close('unmeasured')
    pair.trials.push(trialOf(purpose, name, result, wallOffsetMs))
    const outcomes = pair.trials.map((trial) => {
      const { rcode, addresses } = answerOfTrial(trial)
      return { purpose: trial.purpose, rcode, hasTypeA: addresses.length > 0 }
    })
    const next = nextQuery(this.#policy, outcomes)
    if (next === undefined) {
      const { number, domain, trials } = pair
      const resolver = this.#plan.resolvers[pair.resolver] ?? ''
      return this.#close({ number, resolver, domain, kind: this.#plan.kind, trials })
    }
    this.#followUps.push({ ...this.#taskOf(pair, next), isUrgent: true })
    this.#wake()
    return undefined
  }

  get #policy(): PairPolicy {
    return this.#plan.kind === 'non_resolver' ? 'unanswered' : this.#plan.policy
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  #close<Outcome>(outcome: Outcome): Outcome {
    this.#open--
    this.#wake()
    return outcome
  }

  #begin(): EngineTask<PairAsk> | undefined {
    const { resolvers, firstNumber, seed, domains } = this.#plan
    if (this.#open >= this.#openMax) return undefined
    while (this.#place < this.#count) {
      const at = this.#numberAt(this.#place++)
      const number = firstNumber + at
      if (this.#plan.isDone(number) || !this.#plan.mayAsk(resolvers[at % resolvers.length] ?? '')) continue
      this.#open++
      const domain = domains[Math.floor(at / resolvers.length)] ?? ''
      const random = this.#machine.createRandom(`${seed}:${number}`)
      const pair = { number, resolver: at % resolvers.length, domain, random, trials: [] }
      return this.#taskOf(pair, nextQuery(this.#policy, []) ?? 'control')
    }
    return undefined
  }

  #taskOf(pair: OpenPair, purpose: 'control' | 'test'): EngineTask<PairAsk> {
    const text = purpose === 'control' ? this.#plan.controlName : pair.domain
    const id = randomInt(pair.random, 0x1_0000)
    const content = { pair, purpose, name: this.#names.get(text) ?? [], type: TYPE_A, id }
    return { content, number: this.#tasks++, resolver: pair.resolver }
  }
}
