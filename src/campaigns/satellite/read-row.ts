/**
 * Reads a row of any flavour.
 *
 * **Invariant**: writing the row again in its own flavour gives the same JSON, field by field: what the writer would write
 * otherwise is kept in `spelling`.
 */
import type { JsonFields, SatelliteFlavour, SatelliteRole, SatelliteRow } from '../../model/satellite-row.ts'
import { isJsonEqual } from './json-equality.ts'
import { readV1Row } from './read-v1-row.ts'
import { readV20Row } from './read-v20-row.ts'
import { readV22Row } from './read-v22-row.ts'
import type { RowContent } from './row-content.ts'
import { isFields, MalformedRowError } from './row-fields.ts'
import { tellFlavour } from './tell-flavour.ts'
import { writeInFlavour } from './write-in-flavour.ts'

/**
 * Reads one row.
 *
 * @param role - What the name of the file says the row is; `undefined` leaves it to the shape.
 * @throws {MalformedRowError}
 */
export function readRow(value: unknown, role: SatelliteRole | undefined): SatelliteRow {
  if (!isFields(value)) throw new MalformedRowError('the line is no JSON object')
  const flavour = tellFlavour(value)
  if (flavour === undefined) throw new MalformedRowError('the row has the shape of no flavour')
  const row = { ...readContent(value, flavour, role), flavour, spelling: { fields: {}, absent: [] } }
  return { ...row, spelling: compareSpelling(value, { ...writeInFlavour(row, flavour).fields, ...row.unknown }) }
}

function readContent(value: JsonFields, flavour: SatelliteFlavour, role: SatelliteRole | undefined): RowContent {
  if (flavour === 'v1') return readV1Row(value, role)
  return Array.isArray(value['response']) ? readV22Row(value, role) : readV20Row(value, flavour, role)
}

function compareSpelling(source: JsonFields, written: JsonFields): SatelliteRow['spelling'] {
  const fields = Object.entries(source).filter(
    ([name, value]) => !Object.hasOwn(written, name) || !isJsonEqual(value, written[name]),
  )
  return {
    fields: Object.fromEntries(fields),
    absent: Object.keys(written).filter((name) => !Object.hasOwn(source, name)),
  }
}
