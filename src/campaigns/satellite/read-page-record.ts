/**
 * Pages at addresses, as `blockpages.json` and `control_pages.json` have them.
 *
 * **Invariant**: a published record shows no certificate here: it never says whether a chain was verified.
 *
 * Format: docs/formats/satellite.md
 */
import type { SatelliteFetch, SatellitePage } from '../../model/satellite-evidence.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { isFields, MalformedRowError, needText } from './row-fields.ts'

/** @throws {MalformedRowError} */
export function readPageRecord(fields: JsonFields): SatelliteFetch {
  return {
    address: needText(fields, 'ip'),
    domain: needText(fields, 'keyword'),
    http: readPage(fields, 'http'),
    https: readPage(fields, 'https'),
    certificate: null,
    startedAtMs: 0,
    endedAtMs: 0,
  }
}

function readPage(fields: JsonFields, field: 'http' | 'https'): SatellitePage | null {
  const page = fields[field]
  if (page === undefined || page === null || page === '') return null
  if (typeof page === 'string') return { error: page }
  if (!isFields(page)) throw new MalformedRowError(`the field ${field} is neither an object nor a text`)
  const { status_line: statusLine, headers, body } = page
  if (typeof statusLine !== 'string' || typeof body !== 'string')
    throw new MalformedRowError(`the field ${field} has no status_line or no body`)
  return { statusLine, headers: readHeaders(headers), body, isTruncated: false, bodySha256: '' }
}

/** What is no list of texts is left out: headers come from strangers. */
function readHeaders(headers: unknown): Readonly<Record<string, readonly string[]>> {
  if (!isFields(headers)) return {}
  const entries = Object.entries(headers).map(([name, values]) => {
    const list: readonly unknown[] = Array.isArray(values) ? values : [values]
    return [name, list.filter((value) => typeof value === 'string')] as const
  })
  return Object.fromEntries(entries)
}
