/** Quiet hours: no circuit is begun in them. */
import { sleep, type Clock } from '../../core/clock.ts'
import type { Pacer } from '../../measure/pacer.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440

/** Minutes of the UTC day, 0 to 1,439; `from` later than `to` goes over midnight. */
export interface QuietHours {
  readonly fromMinute: number
  readonly toMinute: number
}

/** A pacer that waits out the quiet hours. The wall clock is looked at every minute, so that a jump does no harm. */
export function withQuietHours(pacer: Pacer, clock: Clock, hours: QuietHours | null): Pacer {
  if (hours === null) return pacer
  return {
    next: async (signal) => {
      while (!signal.aborted && isQuiet(clock.wallNowMs(), hours)) await sleep(clock, MINUTE_MS, signal)
      return await pacer.next(signal)
    },
  }
}

/** @returns Whether a moment (Unix milliseconds) lies in the quiet hours. */
export function isQuiet(wallMs: number, { fromMinute, toMinute }: QuietHours): boolean {
  const minute = Math.floor(wallMs / MINUTE_MS) % DAY_MINUTES
  return fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute
}
