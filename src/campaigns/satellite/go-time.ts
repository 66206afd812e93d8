/**
 * Times as Go prints them: `2021-04-18 14:49:01.62448452 -0400 EDT m=+10140.55`.
 *
 * **Invariant**: no digit is lost, and nothing throws: what is no time has no UTC form.
 *
 * Sources: Go's `time.Time.String`.
 */
import { formatIsoTime, parseTime } from '../../core/clock.ts'
import type { SatelliteTime } from '../../model/satellite-row.ts'

const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ([+-])(\d\d)(\d\d)(?: \S+)?(?: m=\S+)?$/

/** Reads a time; the fraction, the name of the zone and the `m=` part may be missing. */
export function parseGoTime(text: string): SatelliteTime {
  const match = GO_TIME.exec(text)
  if (match === null) return { text, utc: null }
  const [, date = '', time = '', fraction = '', sign = '+', hours = '', minutes = ''] = match
  const localMs = parseTime(`${date}T${time}.000Z`)
  if (!Number.isFinite(localMs)) return { text, utc: null }
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000
  const seconds = formatIsoTime(sign === '-' ? localMs + offsetMs : localMs - offsetMs).slice(0, 19)
  return { text, utc: fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z` }
}

/** Prints Unix milliseconds as Go does, in UTC: `2021-04-18 18:49:01.62448452 +0000 UTC`. */
export function formatGoTime(wallMs: number): string {
  const whole = Math.floor(wallMs / 1000) * 1000
  const fraction = String(Math.round((wallMs - whole) * 1000))
    .padStart(6, '0')
    .replace(/0+$/, '')
  const [date = '', time = ''] = formatIsoTime(whole).slice(0, 19).split('T')
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`
}
