/**
 * Paces the start of work: a pause with jitter between two starts, and a token bucket above it.
 *
 * The jitter keeps a scan from drawing a regular pattern in other people's traffic; the bucket bounds the rate whatever
 * the pauses are.
 *
 * Invariant: starts are handed out in the order in which they were asked for, one at a time.
 */
import { sleep, type Clock } from '../core/clock.ts'
import { randomInt, type Random } from '../core/random.ts'

/** How fast work may start. */
export interface Pace {
  /** Pause between two starts, in milliseconds; 0 for none. */
  readonly delayMs: number
  /** The pause varies by up to this much either way, in milliseconds. */
  readonly noiseMs: number
  /** Starts per second at most; 0 for no bound. */
  readonly perSecond: number
}

/** Hands out permissions to start. */
export interface Pacer {
  /** Waits for the next start. @returns `false` when `signal` aborted while waiting. */
  next(signal: AbortSignal): Promise<boolean>
}

/** Tokens that an idle bucket saves up: a burst of one second at most, and never more than this. */
const BURST_MAX = 8

/** A pacer that starts with a full allowance. */
export function createPacer(clock: Clock, random: Random, pace: Pace): Pacer {
  let line: Promise<unknown> = Promise.resolve()
  let nextStartMs = clock.nowMs()
  const burst = Math.min(BURST_MAX, Math.max(1, Math.floor(pace.perSecond)))
  let tokens = burst
  let filledAtMs = clock.nowMs()

  const waitMs = (): number => {
    const now = clock.nowMs()
    let wait = Math.max(0, nextStartMs - now)
    if (pace.perSecond > 0) {
      tokens = Math.min(burst, tokens + ((now - filledAtMs) * pace.perSecond) / 1000)
      filledAtMs = now
      wait = Math.max(wait, tokens >= 1 ? 0 : ((1 - tokens) * 1000) / pace.perSecond)
    }
    return wait
  }
  const take = (): void => {
    tokens -= 1
    const noise = pace.noiseMs > 0 ? ((randomInt(random, 2001) - 1000) / 1000) * pace.noiseMs : 0
    nextStartMs = clock.nowMs() + Math.max(0, pace.delayMs + noise)
  }
  const serve = async (signal: AbortSignal): Promise<boolean> => {
    // A timer may fire a little early; a few rounds always suffice, and the loop ends with the signal in any case.
    for (let wait = waitMs(); wait > 0 && !signal.aborted; wait = waitMs()) await sleep(clock, wait, signal)
    if (signal.aborted) return false
    take()
    return true
  }
  return {
    next: (signal) => {
      if (pace.delayMs <= 0 && pace.noiseMs <= 0 && pace.perSecond <= 0) return Promise.resolve(!signal.aborted)
      const turn = line.then(() => serve(signal))
      line = turn
      return turn
    },
  }
}
