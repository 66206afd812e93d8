/**
 * Measures our own lateness, so that it is never blamed on somebody else.
 *
 * A timer that should fire every 20 ms and fires later shows how long the event loop was busy. Timing verdicts subtract
 * nothing; they say `unsure` when this delay was large.
 */
import type { Clock, Timer } from '../core/clock.ts'

/** Sampling period in milliseconds: well below a quarter of any time-out that is judged (500 ms at least). */
const PERIOD_MS = 20
/** Samples kept: two minutes, longer than any question lasts. */
const SAMPLES_MAX = 6_000
/** Lateness below this is the timer's own granularity. */
const NOTICEABLE_MS = 5

/** A running measurement of the event loop's delay. */
export interface OwnDelay extends Disposable {
  /** Largest delay seen since `startMs` (a reading of the clock), in milliseconds. */
  since(startMs: number): number
}

/** Starts measuring; dispose to stop. */
export function measureOwnDelay(clock: Clock): OwnDelay {
  const late: { atMs: number; delayMs: number }[] = []
  let dueMs = clock.nowMs() + PERIOD_MS
  let timer: Timer = clock.setTimer(PERIOD_MS, tick)
  function tick(): void {
    const now = clock.nowMs()
    const delayMs = now - dueMs
    if (delayMs > NOTICEABLE_MS) {
      late.push({ atMs: now, delayMs })
      if (late.length > SAMPLES_MAX) late.splice(0, SAMPLES_MAX / 2)
    }
    dueMs = now + PERIOD_MS
    timer = clock.setTimer(PERIOD_MS, tick)
  }
  return {
    since: (startMs) => {
      // A loop that is blocked right now has not ticked yet.
      let worst = Math.max(0, clock.nowMs() - dueMs)
      for (let i = late.length - 1; i >= 0; i--) {
        const sample = late[i]
        if (sample === undefined || sample.atMs < startMs) break
        worst = Math.max(worst, sample.delayMs)
      }
      return worst
    },
    [Symbol.dispose]: () => {
      timer.cancel()
    },
  }
}
