/** Numbers as people read them. */

/** @returns `1,238`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

/** @returns `1 exit`, `38 exits`. */
export function formatCounted(count: number, singular: string, plural: string): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`
}

/** @returns `63.2 %`, `< 0.1 %`; an en dash when the denominator is 0: no share is no number. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–'
  const percent = (100 * part) / whole
  if (percent > 0 && percent < 0.1) return '< 0.1 %'
  if (percent < 100 && percent > 99.9) return '> 99.9 %'
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`
}

/** @returns `12 ms`, `2.01 s`; an en dash for `null`. */
export function formatMs(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`
}

/** @returns `8 s`, `3 min`, `1 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** @returns `2026-11-20 22:18:06.123 UTC` for an ISO 8601 time in UTC. */
export function formatTimeText(isoTime: string): string {
  return isoTime.replace('T', ' ').replace(/Z$/, ' UTC')
}

/** @returns The first 8 digits of a fingerprint with an ellipsis. */
export function shortenFingerprint(fingerprint: string): string {
  return fingerprint.length > 10 ? `${fingerprint.slice(0, 8)}…` : fingerprint
}

/** @returns `2026-11-20 22:18 UTC` for an ISO 8601 time in UTC. */
export function formatMinute(isoTime: string): string {
  return `${isoTime.slice(0, 10)} ${isoTime.slice(11, 16)} UTC`
}

/** @returns `2026-11-20 22:18 UTC` for a run id of 14 digits. */
export function formatRunTime(runId: string): string {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)\d\d$/.exec(runId)
  if (parts === null) return runId
  const [, year, month, day, hour, minute] = parts
  return `${year}-${month}-${day} ${hour}:${minute} UTC`
}

/** @returns `40 s`, `25 min`, `7 h`, `3 days`: a length of time as people say it, rounded. */
export function formatSpan(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1_000))} s`
  if (minutes < 90) return `${Math.round(minutes)} min`
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`
  return `${Math.round(minutes / 1_440)} days`
}

/** @returns `812 kB`, `244 MB`, `1.9 GB`: powers of ten, as disks are sold. */
export function formatOctets(octets: number): string {
  const kilo = octets / 1_000
  if (kilo < 1_000) return `${Math.round(kilo)} kB`
  return kilo < 1_000_000 ? `${Math.round(kilo / 1_000)} MB` : `${(kilo / 1_000_000).toFixed(1)} GB`
}
