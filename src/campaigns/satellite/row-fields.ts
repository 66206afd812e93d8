/**
 * Fields of a row that came from outside, read one by one.
 *
 * **Invariant**: a field that is there with a wrong type makes the row malformed; one that is missing is `null`.
 */
import type { JsonFields, SatelliteConfidence, SatelliteLocation, SatelliteTime } from '../../model/satellite-row.ts'
import { parseGoTime } from './go-time.ts'

/** Fields of a row of v2.0 to v2.3, as published and as documented; every other one is kept as unknown. */
export const RESULT_FIELDS: ReadonlySet<string> = new Set([
  'vp',
  'location',
  'test_url',
  'response',
  'passed_control',
  'passed_liveness',
  'connect_error',
  'in_control_group',
  'anomaly',
  'confidence',
  'start_time',
  'end_time',
  'excluded',
  'exclude_reason',
  'excluded_reason',
])

/** The row cannot be read; the message says why, in a few words for the quarantine. */
export class MalformedRowError extends Error {
  override readonly name = 'MalformedRowError'
}

/** Whether a JSON value is an object, and no list. */
export function isFields(value: unknown): value is JsonFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws {MalformedRowError} When it is missing, empty or no text. */
export function needText(row: JsonFields, field: string): string {
  const value = row[field]
  if (typeof value === 'string' && value !== '') return value
  throw new MalformedRowError(`the field ${field} is missing or no text`)
}

/** @throws {MalformedRowError} */
export function takeBoolean(row: JsonFields, field: string): boolean | null {
  const value = row[field]
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? null
  throw new MalformedRowError(`the field ${field} is neither true nor false`)
}

/** @throws {MalformedRowError} */
export function takeTime(row: JsonFields, field: string): SatelliteTime | null {
  const value = row[field]
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return parseGoTime(value)
  throw new MalformedRowError(`the field ${field} is no text`)
}

/** @throws {MalformedRowError} */
export function takeObject(row: JsonFields, field: string): JsonFields | null {
  const value = row[field]
  if (value === undefined || value === null) return null
  if (isFields(value)) return value
  throw new MalformedRowError(`the field ${field} is no object`)
}

/** A list of texts. @throws {MalformedRowError} */
export function takeTexts(row: JsonFields, field: string): readonly string[] | null {
  const value = row[field]
  if (value === undefined || value === null) return null
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new MalformedRowError(`the field ${field} is no list of texts`)
}

/** A number; a text that is one; `null` for whatever says nothing. @throws {MalformedRowError} */
export function takeNumber(row: JsonFields, field: string): number | null {
  const value = row[field]
  if (value === undefined || value === null || value === '') return null
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new MalformedRowError(`the field ${field} is no number`)
}

/** An error: a text, or an object that is kept as text; `"null"` and the empty text are none. */
export function takeError(row: JsonFields, field: string): string | null {
  const value = row[field]
  if (value === undefined || value === null || value === 'null' || value === '') return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** @throws {MalformedRowError} */
export function takeLocation(row: JsonFields): SatelliteLocation | null {
  const location = takeObject(row, 'location')
  if (location === null) return null
  const text = (field: string): string | null => {
    const value = location[field]
    return typeof value === 'string' && value !== '' ? value : null
  }
  return { countryName: text('country_name'), countryCode: text('country_code') }
}

/** Both names of `untagged_response` are read. @throws {MalformedRowError} */
export function takeConfidence(row: JsonFields): SatelliteConfidence | null {
  const confidence = takeObject(row, 'confidence')
  if (confidence === null) return null
  const matches = confidence['matches']
  if (matches !== undefined && matches !== null && !(Array.isArray(matches) && matches.every(isNumber)))
    throw new MalformedRowError('the field confidence.matches is no list of numbers')
  return {
    average: takeNumber(confidence, 'average'),
    matches: matches ?? null,
    untaggedControls: takeBoolean(confidence, 'untagged_controls'),
    untaggedResponse: takeBoolean(confidence, 'untagged_response') ?? takeBoolean(confidence, 'untagged_answers'),
  }
}

/** What is left of a row without the fields that are known. */
export function takeUnknown(row: JsonFields, known: ReadonlySet<string>): JsonFields {
  for (const field in row) {
    if (!known.has(field)) return Object.fromEntries(Object.entries(row).filter(([name]) => !known.has(name)))
  }
  return NOTHING
}

const NOTHING: JsonFields = Object.freeze({})

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
