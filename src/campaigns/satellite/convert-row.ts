/**
 * Writes a row in the flavour that is asked for.
 *
 * **Invariant**: in its own flavour a row comes out as it went in. In another one it says in `candor` where it comes from,
 * what the source did not have (`missing`), what there is no place for (`lost`), which fields nobody knows,
 * and what an earlier conversion said.
 */
import type { JsonFields, SatelliteFlavour, SatelliteRow } from '../../model/satellite-row.ts'
import type { WrittenRow } from './written-row.ts'
import { writeInFlavour } from './write-in-flavour.ts'

/** What a row can be written as: a documented flavour, or its own one whichever that is. */
export type OutputFormat = Exclude<SatelliteFlavour, 'v2.3'> | 'source'

/** Writes a row. The unknown fields of single queries and addresses stay only where the flavour has such. */
export function convertRow(row: SatelliteRow, format: OutputFormat): WrittenRow {
  const flavour = format === 'source' ? row.flavour : format
  const written = writeInFlavour(row, flavour)
  if (flavour === row.flavour) return { ...written, role: row.role, fields: restoreSpelling(row, written.fields) }
  const { candor: earlier, ...unknown } = row.unknown
  const mark = {
    converted_from: row.flavour,
    missing: written.missing,
    lost: written.lost,
    ...(earlier === undefined ? {} : { earlier }),
    ...(Object.keys(unknown).length > 0 ? { fields: unknown } : {}),
  }
  return { ...written, fields: { ...written.fields, candor: mark } }
}

function restoreSpelling(row: SatelliteRow, fields: JsonFields): JsonFields {
  const { spelling } = row
  const all = { ...fields, ...row.unknown, ...spelling.fields }
  if (spelling.absent.length === 0) return all
  return Object.fromEntries(Object.entries(all).filter(([name]) => !spelling.absent.includes(name)))
}
