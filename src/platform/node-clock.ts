/** Time from Node: the monotonic clock, the wall clock and timers. */
import type { Clock, Timer } from '../core/clock.ts'

/** The longest delay that Node's timers take; a longer one would fire at once. */
const DELAY_MS_MAX = 0x7fff_ffff

/** The clock of the machine. A pending timer keeps the process alive. */
export const nodeClock: Clock = {
  nowMs: () => performance.now(),
  wallNowMs: () => Date.now(),
  setTimer,
}

function setTimer(delayMs: number, callback: () => void): Timer {
  const endsAtMs = performance.now() + Math.max(0, delayMs)
  const arm = (): NodeJS.Timeout =>
    setTimeout(
      () => {
        // Node fires up to a millisecond early; nobody may see a timer that ran before its time.
        if (performance.now() < endsAtMs) timeout = arm()
        else callback()
      },
      Math.min(Math.ceil(endsAtMs - performance.now()), DELAY_MS_MAX),
    )
  let timeout = arm()
  return {
    cancel: () => {
      clearTimeout(timeout)
    },
  }
}
