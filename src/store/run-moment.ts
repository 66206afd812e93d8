/** Run ids are moments: 14 digits UTC, `20260131235959`. */
import { formatCompactTime, parseTime } from '../core/clock.ts'

/** @returns Unix milliseconds of a run id of 14 digits; NaN when it names no moment. */
export function momentOfRun(runId: string): number {
  const part = (start: number, end: number): string => runId.slice(start, end)
  return parseTime(`${part(0, 4)}-${part(4, 6)}-${part(6, 8)}T${part(8, 10)}:${part(10, 12)}:${part(12, 14)}Z`)
}

/** The first run id that a moment (ISO 8601 UTC) can have; 0 when the text is no moment. */
export function firstRunIdAt(moment: string): number {
  const timeMs = parseTime(moment)
  return Number.isNaN(timeMs) ? 0 : Number(formatCompactTime(timeMs))
}

/** @returns The day of a run, `2026-01-31`. */
export function dayOfRun(runId: string): string {
  return `${runId.slice(0, 4)}-${runId.slice(4, 6)}-${runId.slice(6, 8)}`
}
