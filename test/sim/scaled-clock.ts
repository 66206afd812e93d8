/** A clock that runs faster than the machine's, and that a test can set forward. */
import type { Clock, Timer } from '../../src/core/clock.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'

/** A fast clock. */
export interface ScaledClock extends Clock {
  /** Lets time pass at once; timers that came due fire. */
  skip(ms: number): void
}

/** Starts a clock that runs `factor` times as fast, from now. */
export function createScaledClock(factor: number): ScaledClock {
  const startMs = nodeClock.nowMs()
  const wallStartMs = nodeClock.wallNowMs()
  let skippedMs = 0
  const nowMs = (): number => startMs + (nodeClock.nowMs() - startMs) * factor + skippedMs
  const armed = new Set<{ rearm: () => void }>()
  return {
    nowMs,
    wallNowMs: () => wallStartMs + nowMs() - startMs,
    setTimer: (delayMs, callback) => {
      const dueMs = nowMs() + delayMs
      let timer: Timer
      const fire = (): void => {
        armed.delete(entry)
        callback()
      }
      const arm = (): Timer => nodeClock.setTimer(Math.max(0, dueMs - nowMs()) / factor, fire)
      const entry = {
        rearm: () => {
          timer.cancel()
          timer = arm()
        },
      }
      timer = arm()
      armed.add(entry)
      return {
        cancel: () => {
          armed.delete(entry)
          timer.cancel()
        },
      }
    },
    skip: (ms) => {
      skippedMs += ms
      for (const entry of armed) entry.rearm()
    },
  }
}
