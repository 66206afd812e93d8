/**
 * The resolvers that are asked: whose turn it is, who rests, whose denials count.
 *
 * Invariant: a resolver that rests gets probes and no domains. No resolver gets more queries per second than its limit.
 */
import { sleep, type Clock } from '../../core/clock.ts'
import { Cooldown, type CooldownPolicy } from '../../measure/cooldown.ts'
import { chooseActiveSet, updateActiveSet, type ActiveSet } from '../../verdicts/domain-active-set.ts'
import {
  addContradiction,
  addResolverOutcome,
  hasVote,
  scoreResolver,
  UNKNOWN_RESOLVER,
  type ResolverHealth,
} from '../../verdicts/domain-resolver.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'
import type { AttemptAnswer } from './read-domain-answer.ts'

const COOLDOWN: CooldownPolicy = {
  failuresInARow: 5,
  failureShare: 0.3,
  lookedBack: 50,
  outcomesMin: 10,
  restMs: 30_000,
  restMsMax: 3_600_000,
  answersWanted: 2,
  forgetMs: 3_600_000,
}
/** With fewer than this of the active set awake, others of the list help out. */
const USABLE_MIN = 3
/** A and AAAA. */
const QUERIES_PER_ATTEMPT = 2

/** What is remembered of a pool between runs. */
export interface SavedPool {
  readonly resolvers: Readonly<Record<string, ResolverHealth>>
  /** `null` before the first benchmark. */
  readonly active: ActiveSet | null
}

/** A resolver of the pool as others see it. */
export interface PoolMember {
  readonly resolver: DomainResolver
  readonly health: ResolverHealth
  readonly state: 'active' | 'cooldown' | 'half_open'
  readonly isActive: boolean
  readonly hasVote: boolean
  /** 0 to 100. */
  readonly score: number
}

/** The pool. Resolvers are known by their place in the list. */
export class ResolverPool {
  readonly resolvers: readonly DomainResolver[]
  private readonly clock: Clock
  private readonly cooldown: Cooldown
  private readonly healths: ResolverHealth[]
  private readonly nextTurnMs: Float64Array
  private set: ActiveSet | null
  private turn = 0
  /** Since when resolvers began to rest, how many times. */
  rests = 0

  constructor(resolvers: readonly DomainResolver[], clock: Clock, saved: SavedPool | undefined) {
    this.resolvers = resolvers
    this.clock = clock
    this.cooldown = new Cooldown(resolvers.length, COOLDOWN)
    this.healths = resolvers.map(({ name }) => saved?.resolvers[name] ?? UNKNOWN_RESOLVER)
    this.nextTurnMs = new Float64Array(resolvers.length).fill(clock.nowMs())
    this.set = saved?.active ?? null
  }

  /** Whether nobody can be asked. */
  get isDown(): boolean {
    return this.usable().length === 0
  }

  /** Whether fewer than two operators can be asked: nothing can be confirmed. */
  get isDegraded(): boolean {
    return new Set(this.usable().map((at) => this.resolvers[at]?.operator)).size < 2
  }

  /** The places of those who can be asked now: the active set, and others where too few of it are awake. */
  usable(): readonly number[] {
    const awake = this.resolvers.map((_, at) => at).filter((at) => !this.cooldown.isResting(at))
    const active = awake.filter((at) => this.isActive(at))
    return active.length >= Math.min(USABLE_MIN, this.resolvers.length) ? active : awake
  }

  /**
   * Chooses whom to ask: those who have a vote first, among them whoever has a turn soonest.
   *
   * @param isWanted - For example: of an operator that was not asked yet.
   */
  choose(isWanted: (resolver: DomainResolver, at: number) => boolean): number | undefined {
    const usable = this.usable().filter((at) => isWanted(this.resolvers[at] as DomainResolver, at))
    const wallMs = this.clock.wallNowMs()
    const voters = usable.filter((at) => this.votes(at, wallMs))
    const candidates = voters.length > 0 ? voters : usable
    const nowMs = this.clock.nowMs()
    const from = this.turn++
    let best: number | undefined
    let bestMs = Infinity
    for (let step = 0; step < candidates.length; step++) {
      const at = candidates[(from + step) % candidates.length] as number
      const waitMs = this.waitMs(at, nowMs)
      if (waitMs < bestMs) [best, bestMs] = [at, waitMs]
    }
    return best
  }

  /** How long a resolver's next turn is away, in milliseconds. */
  waitMs(at: number, nowMs: number): number {
    return Math.max(0, (this.nextTurnMs[at] as number) - nowMs)
  }

  /** Takes a turn of a resolver and waits for it. */
  async takeTurn(at: number, signal: AbortSignal): Promise<void> {
    const { perSecond } = this.resolvers[at] as DomainResolver
    if (perSecond <= 0) return
    const nowMs = this.clock.nowMs()
    const waitMs = this.waitMs(at, nowMs)
    this.nextTurnMs[at] = nowMs + waitMs + (QUERIES_PER_ATTEMPT * 1000) / perSecond
    if (waitMs > 0) await sleep(this.clock, waitMs, signal)
  }

  /** Whether denials of a resolver count. */
  votes(at: number, wallMs: number): boolean {
    return hasVote(this.healths[at] as ResolverHealth, wallMs)
  }

  /** Learns from an answer of a resolver that was asked. */
  learn(at: number, { outcome, rttMs }: Pick<AttemptAnswer, 'outcome' | 'rttMs'>): void {
    if (outcome === 'unsent') return
    const nowMs = this.clock.nowMs()
    const isFailure = outcome === 'timeout' || outcome === 'refused'
    this.healths[at] = addResolverOutcome(this.healths[at] as ResolverHealth, isFailure ? null : rttMs)
    if (!isFailure) this.cooldown.answered(at, nowMs)
    else if (this.cooldown.failed(at, nowMs)) this.rests++
  }

  /** Notes that others contradicted a resolver about a name. */
  contradict(at: number, name: string): void {
    this.healths[at] = addContradiction(this.healths[at] as ResolverHealth, name, this.clock.wallNowMs())
  }

  /** Those whose rest is over: each is to be probed once, and {@link ResolverPool.learn} to hear how it went. */
  takeProbes(): readonly number[] {
    const nowMs = this.clock.nowMs()
    const due = this.resolvers
      .map((_, at) => at)
      .filter((at) => this.cooldown.isResting(at) && this.cooldown.mayAsk(at, nowMs))
    for (const at of due) this.cooldown.asks(at, nowMs)
    return due
  }

  /** Chooses the active set anew after a benchmark of all resolvers. */
  rank(): void {
    const ranked = this.members().map(({ resolver, score }) => ({
      name: resolver.name,
      operator: resolver.operator,
      score,
    }))
    this.set = this.set === null ? chooseActiveSet(ranked) : updateActiveSet(this.set, ranked)
  }

  /** All resolvers, in their order. */
  members(): readonly PoolMember[] {
    const [nowMs, wallMs] = [this.clock.nowMs(), this.clock.wallNowMs()]
    return this.resolvers.map((resolver, at) => {
      const health = this.healths[at] as ResolverHealth
      const isResting = this.cooldown.isResting(at)
      const state = !isResting ? 'active' : this.cooldown.mayAsk(at, nowMs) ? 'half_open' : 'cooldown'
      return {
        resolver,
        health,
        state,
        isActive: this.isActive(at),
        hasVote: hasVote(health, wallMs),
        score: scoreResolver(health),
      }
    })
  }

  /** What the next run should know. */
  save(): SavedPool {
    return {
      resolvers: Object.fromEntries(this.resolvers.map(({ name }, at) => [name, this.healths[at] as ResolverHealth])),
      active: this.set,
    }
  }

  /** Before the first benchmark everybody is active. */
  private isActive(at: number): boolean {
    const name = (this.resolvers[at] as DomainResolver).name
    const known = this.set?.active.filter((each) => this.resolvers.some((resolver) => resolver.name === each)) ?? []
    return known.length === 0 || known.includes(name)
  }
}
