/**
 * Quiet hours: what can wait, waits.
 *
 * Times are those of a time zone, so that the night stays the night when clocks change.
 *
 * Invariant: pure; the wall clock is looked at anew each time, so that a jump of it does no harm.
 */

/** Minutes of the day, 0 to 1,439; `from` later than `to` goes over midnight. */
export interface QuietHours {
  readonly fromMinute: number
  readonly toMinute: number
  /** A name of the IANA database: `Europe/Berlin`, `UTC`. */
  readonly timeZone: string
}

const DAY_MINUTES = 1_440

/** @returns Whether a moment (Unix milliseconds) lies in the quiet hours; the last minute of them is `to` − 1. */
export function isQuietTime(hours: QuietHours, wallMs: number): boolean {
  const minute = minuteOfDay(wallMs, hours.timeZone)
  const { fromMinute, toMinute } = hours
  return fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute
}

/** The minute of the day of a moment in a time zone. @throws {RangeError} When there is no such zone. */
export function minuteOfDay(wallMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(wallMs)
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return (read('hour') * 60 + read('minute')) % DAY_MINUTES
}

/** The day of a moment in a time zone: `2026-01-31`. @throws {RangeError} When there is no such zone. */
export function dayOf(wallMs: number, timeZone: string): string {
  // The Swedish form of a date is ISO 8601.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    wallMs,
  )
}
