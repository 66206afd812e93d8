/**
 * Names that an exits run asks for, `{run_id}.{attempt}.{timestamp_ms}.{fingerprint}.{zone}`, as the authority sees them.
 *
 * A resolver that minimises asks for the parents first (`{fingerprint}.{zone}`, …), BIND with a label `_` in front; these
 * are recognised as well.
 *
 * Invariant: says only that a name has the form. That it was really issued, the run knows.
 */
import { parseTime } from '../core/clock.ts'

/** What a name of the form says. Parts that a minimised name lacks are `undefined`. */
export interface RunName {
  /** 40 hex digits, upper case. */
  readonly fingerprint: string
  /** When the question was sent, Unix milliseconds. */
  readonly sentAtMs: number | undefined
  /** 14 digits. */
  readonly runId: string | undefined
}

/**
 * Parses the labels of a name below its zone.
 *
 * @param labels - Leftmost first, in any case; at most the four of the form (and `_`).
 * @returns `undefined` when the labels do not have the form.
 */
export function parseRunName(labels: readonly string[]): RunName | undefined {
  const parts = labels[0] === '_' ? labels.slice(1) : labels
  if (parts.length < 1 || parts.length > 4) return undefined
  const [fingerprint, timestamp, attempt, runId] = parts.toReversed()
  if (fingerprint === undefined || !/^[\da-f]{40}$/i.test(fingerprint)) return undefined
  if (attempt !== undefined && !/^\d{1,4}$/.test(attempt)) return undefined
  if (runId !== undefined && !/^\d{14}$/.test(runId)) return undefined
  const sentAtMs = timestamp === undefined ? undefined : parseTimestamp(timestamp)
  if (Number.isNaN(sentAtMs)) return undefined
  return { fingerprint: fingerprint.toUpperCase(), sentAtMs, runId }
}

/** `YYYYMMDDHHMMSSmmm` → Unix milliseconds; NaN when it is none. */
function parseTimestamp(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, day, hour, minute, second, ms] = match
  return parseTime(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
}
