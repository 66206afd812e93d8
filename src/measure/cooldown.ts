/**
 * Rests for resolvers that keep failing: after too many failures a resolver is not asked for a while, then with one question
 * at a time until it answers again.
 *
 * ```
 *            too many failures                  the rest is over, somebody asks
 *   active ─────────────────────► resting ─────────────────────────────────────► probed
 *     ▲                            ▲  ▲ │ an answer comes after all: the rest is over │ │
 *     │                            │  └─┘                                             │ │
 *     │                            └──────── a failure: twice as long as before ──────┘ │
 *     └───────────────────────────────────── as many answers as the policy wants ───────┘
 * ```
 *
 * Invariant: a rest has an end, and so has its doubling. One resolver has one probe at a time.
 *
 * Sources: M. Nygard, "Release It!", 2007 (circuit breaker).
 */

/** When a resolver rests, and for how long. */
export interface CooldownPolicy {
  /** So many failures in a row are too many. */
  readonly failuresInARow: number
  /** This share of the last {@link CooldownPolicy.lookedBack} outcomes is too much as well; 0 for no such rule. */
  readonly failureShare: number
  /** How many outcomes are looked back at, 1 to 64. */
  readonly lookedBack: number
  /** How many there must be before their share counts. */
  readonly outcomesMin: number
  /** The first rest, in milliseconds; each further one is twice as long… */
  readonly restMs: number
  /** … up to this. */
  readonly restMsMax: number
  /** So many probes in a row must be answered. */
  readonly answersWanted: number
  /** After so long without a rest the next one is a first one again, in milliseconds. */
  readonly forgetMs: number
}

const ACTIVE = 0
const RESTING = 1
const PROBED = 2
/** Twice as long so often is longer than any rest. */
const DOUBLINGS_MAX = 30
/** How many resolvers are looked at for one that does not rest. */
const LOOKED_AT_MAX = 64

/** The rests of the resolvers 0 to `count` − 1. */
export class Cooldown {
  private readonly policy: CooldownPolicy
  private readonly states: Uint8Array
  private readonly failures: Uint16Array
  /** Probes that were answered. */
  private readonly answers: Uint8Array
  private readonly doublings: Uint8Array
  private readonly untilMs: Float64Array
  /** The last 64 outcomes, newest in the lowest bit of the first word; a bit is set for a failure. */
  private readonly history: Uint32Array
  private readonly outcomes: Uint8Array

  constructor(count: number, policy: CooldownPolicy) {
    this.policy = policy
    this.states = new Uint8Array(count)
    this.failures = new Uint16Array(count)
    this.answers = new Uint8Array(count)
    this.doublings = new Uint8Array(count)
    this.untilMs = new Float64Array(count)
    this.history = new Uint32Array(count * 2)
    this.outcomes = new Uint8Array(count)
  }

  /** Whether a resolver may be asked now: it does not rest, or its probe is due. */
  mayAsk(resolver: number, nowMs: number): boolean {
    return this.states[resolver] === ACTIVE || nowMs >= (this.untilMs[resolver] as number)
  }

  /** Whether a resolver rests, or has a probe on its way. */
  isResting(resolver: number): boolean {
    return this.states[resolver] !== ACTIVE
  }

  /** Says that a resolver will be asked: after a rest that is its probe. */
  asks(resolver: number, nowMs: number): void {
    if (this.states[resolver] === ACTIVE || !this.mayAsk(resolver, nowMs)) return
    this.states[resolver] = PROBED
    // A probe that was never sent, because its run or its question ended, must not be waited for.
    this.untilMs[resolver] = nowMs + this.restMs(resolver)
  }

  /** A resolver has answered. */
  answered(resolver: number, nowMs: number): void {
    const state = this.states[resolver]
    this.failures[resolver] = 0
    if (state === ACTIVE) {
      this.remember(resolver, 0)
      if (this.doublings[resolver] !== 0 && nowMs >= (this.untilMs[resolver] as number) + this.policy.forgetMs)
        this.doublings[resolver] = 0
      return
    }
    // Whoever answers lives, whether it was the probe or a question from before the rest.
    this.untilMs[resolver] = nowMs
    const answers = (this.answers[resolver] as number) + 1
    this.answers[resolver] = answers
    this.states[resolver] = answers >= this.policy.answersWanted ? ACTIVE : RESTING
  }

  /** A resolver has left a question unanswered, or failed in another way. @returns Whether a rest begins with it. */
  failed(resolver: number, nowMs: number): boolean {
    const state = this.states[resolver]
    if (state === RESTING) return false
    const failures = Math.min((this.failures[resolver] as number) + 1, 0xffff)
    this.failures[resolver] = failures
    if (state === ACTIVE) {
      this.remember(resolver, 1)
      if (failures < this.policy.failuresInARow && !this.failsOften(resolver)) return false
    }
    this.rest(resolver, nowMs)
    return true
  }

  private rest(resolver: number, nowMs: number): void {
    this.states[resolver] = RESTING
    this.untilMs[resolver] = nowMs + this.restMs(resolver)
    this.doublings[resolver] = Math.min((this.doublings[resolver] as number) + 1, DOUBLINGS_MAX)
    this.answers[resolver] = 0
    this.failures[resolver] = 0
    this.outcomes[resolver] = 0
  }

  private restMs(resolver: number): number {
    const { restMs, restMsMax } = this.policy
    return Math.min(restMs * 2 ** (this.doublings[resolver] as number), restMsMax)
  }

  private remember(resolver: number, bit: number): void {
    const at = resolver * 2
    const newer = this.history[at] as number
    this.history[at + 1] = ((this.history[at + 1] as number) << 1) | (newer >>> 31)
    this.history[at] = (newer << 1) | bit
    this.outcomes[resolver] = Math.min((this.outcomes[resolver] as number) + 1, this.policy.lookedBack)
  }

  private failsOften(resolver: number): boolean {
    const { failureShare, outcomesMin } = this.policy
    const outcomes = this.outcomes[resolver] as number
    if (failureShare <= 0 || outcomes < outcomesMin) return false
    const newer = countBits(this.history[resolver * 2] as number, Math.min(outcomes, 32))
    const older = countBits(this.history[resolver * 2 + 1] as number, Math.max(0, outcomes - 32))
    return newer + older >= failureShare * outcomes
  }
}

function countBits(word: number, bits: number): number {
  let count = 0
  for (let bit = 0; bit < bits; bit++) count += (word >>> bit) & 1
  return count
}

/**
 * Chooses the next resolver of an order that may be asked, and says that it will be.
 *
 * @param from - Where in the order the search begins; any number from 0 on.
 * @returns The one at `from` where all of the next 64 rest: somebody has to be asked.
 */
export function chooseAwake(order: Int32Array, from: number, cooldown: Cooldown | undefined, nowMs: number): number {
  const first = order[from % order.length] as number
  if (cooldown === undefined) return first
  for (let step = 0; step < Math.min(order.length, LOOKED_AT_MAX); step++) {
    const resolver = order[(from + step) % order.length] as number
    if (!cooldown.mayAsk(resolver, nowMs)) continue
    cooldown.asks(resolver, nowMs)
    return resolver
  }
  return first
}
