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
  const time = formatIn(timeZone, wallMs).slice(11)
  return (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) % DAY_MINUTES
}

/** The day of a moment in a time zone: `2026-01-31`. @throws {RangeError} When there is no such zone. */
export function dayOf(wallMs: number, timeZone: string): string {
  return formatIn(timeZone, wallMs).slice(0, 10)
}

const FORMATS_MAX = 16
/** Making one costs a thousand times more than using it. A program has one zone in its settings. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** `2026-01-31 23:59`: the Swedish form of a date is that of ISO 8601. */
function formatIn(timeZone: string, wallMs: number): string {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const [two, numeric] = ['2-digit', 'numeric'] as const
    const fields = { year: numeric, month: two, day: two, hour: two, minute: two, hourCycle: 'h23' } as const
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, ...fields })
    if (formats.size >= FORMATS_MAX) formats.clear()
    formats.set(timeZone, format)
  }
  return format.format(wallMs)
}
