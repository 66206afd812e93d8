/** The small forms of `dns-monitor.toml`: spans of time, and values that are expected within one. */
import { parseTime } from '../core/clock.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { ExpectedValue, TimeSpan } from '../model/monitor-name.ts'

/** What a span looks like. */
export const SPAN_FORM = '2026-01-31T22:00:00Z/2026-02-01T02:00:00Z'

/** Parses `from/until`, both ISO 8601 with a zone. @returns `undefined` when it is none, or ends before it begins. */
export function parseSpan(text: string): TimeSpan | undefined {
  const [from = '', until = '', ...more] = text.split('/')
  const isTime = (each: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/.test(each)
  if (more.length > 0 || !isTime(from) || !isTime(until)) return undefined
  const span = { fromMs: parseTime(from), untilMs: parseTime(until) }
  return span.fromMs < span.untilMs ? span : undefined
}

/** Parses a value, a prefix or `AS64500`, with a span behind it or without. @returns `undefined` for empty text. */
export function parseExpected(text: string): ExpectedValue | undefined {
  const words = text.trim().split(' ')
  const span = words.length > 1 ? parseSpan(words.at(-1) ?? '') : undefined
  const value = (span === undefined ? words : words.slice(0, -1)).join(' ')
  if (value === '') return undefined
  const as = /^as(\d{1,10})$/i.exec(value)?.[1]
  return { text: as === undefined ? (canonicalIp(value) ?? value) : `AS${as}`, span: span ?? null }
}
