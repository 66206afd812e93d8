/** Tags of an address, as every flavour writes them. */
import type { JsonFields, SatelliteTags } from '../../model/satellite-row.ts'
import { MalformedRowError, takeNumber } from './row-fields.ts'

/** Reads the four tags; `null`, `""` and 0 are no tag, and a number may come with a fraction of zero. @throws {MalformedRowError} */
export function readTags(facts: JsonFields): SatelliteTags {
  const number = takeNumber(facts, 'asnum')
  return {
    http: takeTag(facts, 'http'),
    cert: takeTag(facts, 'cert'),
    asnum: number === null || number === 0 ? null : number,
    asname: takeTag(facts, 'asname'),
  }
}

function takeTag(facts: JsonFields, field: string): string | null {
  const value = facts[field]
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return value
  throw new MalformedRowError(`the tag ${field} is no text`)
}
