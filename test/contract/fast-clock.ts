/** The machine's clock, faster: an hour of a daemon in some seconds of a test. Sockets stay as slow as they are. */
import type { Clock } from '../../src/core/clock.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'

/** A clock that runs `factor` times as fast, and stands at the present when it is made. */
export function createFastClock(factor: number): Clock {
  const [startMs, wallMs] = [nodeClock.nowMs(), nodeClock.wallNowMs()]
  const elapsedMs = (): number => (nodeClock.nowMs() - startMs) * factor
  return {
    nowMs: () => startMs + elapsedMs(),
    wallNowMs: () => wallMs + elapsedMs(),
    setTimer: (delayMs, callback) => nodeClock.setTimer(delayMs / factor, callback),
  }
}
