/**
 * One check of one domain under its budget: attempts, a fallback at another operator, a hedge, and an early stop.
 *
 * Invariant: no check takes more attempts or more time than its budget; time spent waiting for a resolver's turn is ours
 * and not counted. Always ends.
 */
import { sleep, type Clock } from '../../core/clock.ts'
import type { Hedges } from '../../measure/engine/hedges.ts'
import type { DomainAttempt, ListedDomain } from '../../model/domain.ts'
import {
  decideNextAttempt,
  judgeAttempts,
  type AttemptBudget,
  type CheckVerdict,
} from '../../verdicts/domain-outcome.ts'
import type { AskAttempt } from './ask-attempt.ts'
import type { AttemptAnswer } from './read-domain-answer.ts'
import type { ResolverPool } from './resolver-pool.ts'

const CHECK_MS = 1_200
const ATTEMPT_MS = 600

/** What checks share. */
export interface CheckContext {
  readonly clock: Clock
  readonly pool: ResolverPool
  readonly ask: AskAttempt
  readonly hedges: Hedges
  /** Whether a second resolver may be asked early. */
  readonly mayHedge: () => boolean
  /** Hears of each attempt that was made. */
  readonly onAttempt: (resolver: number, answer: AttemptAnswer) => void
  readonly signal: AbortSignal
}

/** How a check went. */
export interface DomainCheck extends CheckVerdict {
  readonly attempts: readonly DomainAttempt[]
  /** Places of the resolvers in the pool, one for each attempt. */
  readonly asked: readonly number[]
  /** Of usable addresses: who said each, the first one. */
  readonly addresses: readonly { readonly address: string; readonly source: string }[]
  readonly ttlSeconds: number | null
  readonly negativeSeconds: number
  /** Whether attempts or time ran out before the question was settled. */
  readonly isExhausted: boolean
}

/** Checks a domain. */
export async function checkDomain(
  context: CheckContext,
  domain: Pick<ListedDomain, 'name'>,
  budget: AttemptBudget,
): Promise<DomainCheck> {
  const check = new Check(context, domain.name, budget)
  await check.run()
  return check.result()
}

class Check {
  private readonly context: CheckContext
  private readonly name: string
  private readonly budget: AttemptBudget
  private readonly attempts: DomainAttempt[] = []
  private readonly answers: AttemptAnswer[] = []
  private readonly asked: number[] = []
  /** Places of those whose answer is on its way or here. */
  private readonly begun = new Set<number>()
  private readonly startedAtMs: number
  private leftMs = CHECK_MS

  constructor(context: CheckContext, name: string, budget: AttemptBudget) {
    this.context = context
    this.name = name
    this.budget = budget
    this.startedAtMs = context.clock.nowMs()
  }

  async run(): Promise<void> {
    const { clock, pool, signal } = this.context
    while (!signal.aborted && this.leftMs > 0) {
      const at = this.choose()
      if (at === undefined) return
      this.begun.add(at)
      await pool.takeTurn(at, signal)
      if (signal.aborted) return
      const fromMs = clock.nowMs()
      if (this.attempts.length === 0) await this.askHedged(at)
      else await this.askOne(at, false, signal)
      this.leftMs -= clock.nowMs() - fromMs
      if (decideNextAttempt(this.attempts, this.budget) === 'stop') return
    }
  }

  result(): DomainCheck {
    const verdict = judgeAttempts(this.attempts)
    const found = new Map<string, string>()
    for (const { addresses, resolver } of this.attempts)
      for (const address of addresses) if (!found.has(address)) found.set(address, resolver)
    const ttls = this.answers.flatMap(({ ttlSeconds }) => (ttlSeconds === null ? [] : [ttlSeconds]))
    const isSettled = verdict.outcome === 'OK' || verdict.outcome === 'NX2' || verdict.outcome === 'NODATA'
    return {
      ...verdict,
      attempts: this.attempts,
      asked: this.asked,
      addresses: Array.from(found, ([address, source]) => ({ address, source })),
      ttlSeconds: ttls.length === 0 ? null : Math.min(...ttls),
      negativeSeconds: this.readNegativeSeconds(),
      isExhausted: this.attempts.length > 0 && !isSettled,
    }
  }

  /** The shortest of the denials: each resolver may have had it for a while. */
  private readNegativeSeconds(): number {
    const given = this.answers.filter(({ outcome }) => outcome === 'nxdomain' || outcome === 'nodata')
    return given.length === 0 ? 0 : Math.min(...given.map(({ negativeSeconds }) => negativeSeconds))
  }

  /** Somebody of another operator, else somebody else. */
  private choose(): number | undefined {
    const { pool } = this.context
    const operators = new Set([...this.begun].map((at) => pool.resolvers[at]?.operator))
    return (
      pool.choose(({ operator }) => !operators.has(operator)) ??
      (operators.size > 0 ? pool.choose((_, at) => !this.begun.has(at)) : undefined)
    )
  }

  /** The first attempt, and a second one beside it when it takes long. */
  private async askHedged(at: number): Promise<void> {
    const { hedges, signal } = this.context
    hedges.asked()
    if (this.budget.attempts < 2) return await this.askOne(at, false, signal)
    const controller = new AbortController()
    const abort = (): void => {
      controller.abort()
    }
    signal.addEventListener('abort', abort)
    try {
      await this.askBeside(at, controller)
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  private async askBeside(at: number, controller: AbortController): Promise<void> {
    const { clock, hedges } = this.context
    const { signal } = controller
    const first = this.askOne(at, false, signal)
    const waited = new AbortController()
    const isLate = await Promise.race([
      first.then(() => false),
      sleep(clock, hedges.delayMs(at), waited.signal).then(() => true),
    ])
    waited.abort()
    const second = isLate ? this.chooseHedge() : undefined
    if (second === undefined) return await first
    this.begun.add(second)
    await this.context.pool.takeTurn(second, signal)
    const other = this.askOne(second, true, signal)
    // An address settles the question; anything else waits for what the other one says.
    await Promise.race([first, other])
    if (judgeAttempts(this.attempts).outcome === 'OK') controller.abort()
    await Promise.all([first, other])
  }

  private chooseHedge(): number | undefined {
    const { pool, hedges, mayHedge, clock } = this.context
    if (!mayHedge()) return undefined
    const at = this.choose()
    if (at === undefined || pool.waitMs(at, clock.nowMs()) > 0 || !hedges.trySpend()) return undefined
    return at
  }

  private async askOne(at: number, isHedge: boolean, signal: AbortSignal): Promise<void> {
    const { clock, pool, ask, hedges, onAttempt } = this.context
    const resolver = pool.resolvers[at]
    if (resolver === undefined) return
    const fromMs = clock.nowMs()
    const answer = await ask(resolver, this.name, Math.min(ATTEMPT_MS, this.leftMs), signal)
    if (answer.rttMs !== null) hedges.answered(at, answer.rttMs)
    onAttempt(at, answer)
    this.asked.push(at)
    this.answers.push(answer)
    this.attempts.push({
      resolver: resolver.name,
      operator: resolver.operator,
      hasVote: pool.votes(at, clock.wallNowMs()),
      isHedge,
      startedMs: Math.round(fromMs - this.startedAtMs),
      elapsedMs: Math.round(clock.nowMs() - fromMs),
      outcome: answer.outcome,
      addresses: answer.addresses,
    })
  }
}
