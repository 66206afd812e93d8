/**
 * How fast one resolver is asked: so many questions a second at most, and not at all for a while after HTTP 429.
 *
 * Invariant: questions leave in the order in which they came. The pause doubles with each 429 up to ten minutes, and is
 * as short as at first after a question that was answered.
 *
 * Sources: RFC 6585 section 4.
 */
import type { Clock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import { createPacer } from '../../measure/pacer.ts'
import type { Exchange } from '../../model/observation.ts'

/** Questions are spread over a little more than a second, so that no second sees more than the budget. */
const SPAN_MS = 1_010
const PAUSE_FIRST_MS = 5_000
const PAUSE_MAX_MS = 600_000
const TOO_MANY = 'http_unexpected_status_code: 429'

/** What a budget has counted since it began. */
export interface BudgetCounters {
  readonly asked: number
  /** Answers that were HTTP 429. */
  readonly limited: number
  /** Questions that were not sent because of one. */
  readonly held: number
}

/** The budget of one resolver. */
export interface ResolverBudget {
  /** Waits for its turn and asks. @returns `undefined` when the resolver is left alone, or the signal aborted. */
  spend(ask: () => Promise<Exchange>, signal: AbortSignal): Promise<Exchange | undefined>
  counters(): BudgetCounters
}

/** Starts a budget. */
export function createResolverBudget(clock: Clock, random: Random, perSecond: number): ResolverBudget {
  const pacer = createPacer(clock, random, { delayMs: SPAN_MS / perSecond, noiseMs: 0, perSecond: 0 })
  const counters = { asked: 0, limited: 0, held: 0 }
  let pauseMs = PAUSE_FIRST_MS
  let pausedUntilMs = -Infinity
  return {
    counters: () => ({ ...counters }),
    spend: async (ask, signal) => {
      const isPaused = (): boolean => clock.nowMs() < pausedUntilMs
      if (isPaused() || !(await pacer.next(signal)) || isPaused()) {
        counters.held += 1
        return undefined
      }
      counters.asked += 1
      const exchange = await ask()
      const isLimited = exchange.kind === 'failure' && exchange.failure === TOO_MANY
      if (!isLimited) {
        if (exchange.kind === 'responses') pauseMs = PAUSE_FIRST_MS
        return exchange
      }
      counters.limited += 1
      // Several may come at once: the pause is one.
      if (!isPaused()) {
        pausedUntilMs = clock.nowMs() + pauseMs
        pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2)
      }
      return exchange
    },
  }
}
