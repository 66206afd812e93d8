/** Time from the Web's own functions: for workerd, where Node's modules do not exist. */
import type { Clock } from '../core/clock.ts'

/** The clock of the runtime. In workerd it stands still between two answers of the network. */
export const webClock: Clock = {
  nowMs: () => performance.now(),
  wallNowMs: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, delayMs))
    return {
      cancel: () => {
        clearTimeout(timer)
      },
    }
  },
}
