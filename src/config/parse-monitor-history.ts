/**
 * Reads histories: what the monitor that this one follows kept in its key-value store, or what `candor monitor explain`
 * writes.
 *
 * **Invariant**: an entry of another shape is an error with its place; nothing of the file is taken then.
 *
 * Format: docs/formats/monitor.md
 */
import { ConfigError } from '../core/config-error.ts'
import { parseTime } from '../core/clock.ts'
import type { MonitorHistory } from '../model/monitor-state.ts'

const KEY = /^dns:(.+):([A-Z]+)$/
const FORM =
  '{"dns:zone.example:A": {"domain": "zone.example", "ips": ["192.0.2.1"], "timestamp": 1704110400000, "recordType": "A"}}, a list of {"key", "value"}, or lines of candor monitor explain'

type Fields = Readonly<Record<string, unknown>>

/** Parses a history. @throws {ConfigError} With the place of the mistake. */
export function parseMonitorHistory(file: string, text: string): readonly MonitorHistory[] {
  const whole = parseJson(text)
  const documents = whole === undefined ? parseLines(file, text) : [{ place: file, value: whole }]
  const entries = documents.flatMap(({ place, value }) => readDocument(place, value))
  if (entries.length === 0) throw new ConfigError(file, 'there is no history in it', FORM)
  return entries
}

interface Placed {
  readonly place: string
  readonly value: unknown
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parseLines(file: string, text: string): readonly Placed[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `${file}:${index + 1}`
    const value = parseJson(line)
    if (value === undefined) throw new ConfigError(place, 'it is no JSON', FORM)
    return [{ place, value }]
  })
}

function readDocument(place: string, value: unknown): readonly MonitorHistory[] {
  if (Array.isArray(value))
    return (value as readonly unknown[]).flatMap((each, index) => readDocument(`${place}[${index}]`, each))
  const fields = toFields(place, value)
  if (typeof fields['record_type'] === 'string') return [readExplained(place, fields)]
  if (typeof fields['key'] === 'string') return readPair(place, fields['key'], fields['value'])
  if (Array.isArray(fields['ips'])) return [readStored(place, fields)]
  return Object.entries(fields).flatMap(([key, each]) => readPair(`${place} ${key.slice(0, 80)}`, key, each))
}

/** Other keys of the store are not for us. */
function readPair(place: string, key: string, value: unknown): readonly MonitorHistory[] {
  if (!KEY.test(key)) return []
  return [readStored(place, toFields(place, typeof value === 'string' ? parseJson(value) : value))]
}

function readStored(place: string, { domain, ips, timestamp, recordType }: Fields): MonitorHistory {
  const atMs = Number(timestamp)
  const isRight = typeof domain === 'string' && typeof recordType === 'string' && isTexts(ips) && atMs > 0
  if (!isRight) throw new ConfigError(place, 'this is no entry of the store', FORM)
  const values = ips.map((value) => ({ value, firstSeenMs: atMs, lastSeenMs: atMs }))
  return { domain: clean(domain), type: recordType.toUpperCase(), values, areSets: false, ttl: null }
}

function readExplained(place: string, { domain, record_type: type, values, ttl_seconds: ttl }: Fields): MonitorHistory {
  if (typeof domain !== 'string' || typeof type !== 'string' || !Array.isArray(values))
    throw new ConfigError(place, 'this is no line of candor monitor explain', FORM)
  const range = (ttl ?? {}) as Fields
  const [min, max] = [range['min'], range['max']]
  return {
    domain: clean(domain),
    type: type.toUpperCase(),
    values: (values as readonly unknown[]).map((each) => {
      const fields = toFields(place, each)
      const [first, last] = [parseTime(String(fields['first_seen'])), parseTime(String(fields['last_seen']))]
      if (typeof fields['value'] === 'string' && first <= last)
        return { value: fields['value'], firstSeenMs: first, lastSeenMs: last }
      throw new ConfigError(place, 'a value has no text or no times', FORM)
    }),
    areSets: true,
    ttl: typeof min === 'number' && typeof max === 'number' && min <= max ? { min, max } : null,
  }
}

function toFields(place: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new ConfigError(place, 'this is no object', FORM)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '')
}

function clean(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, '')
}
