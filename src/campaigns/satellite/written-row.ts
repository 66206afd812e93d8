/** A row in the form of one flavour, before it is a line. */
import type { JsonFields, SatelliteRole } from '../../model/satellite-row.ts'

/** What a writer of one flavour gives. */
export interface WrittenRow {
  /** Which file it belongs to. */
  readonly role: SatelliteRole
  readonly fields: JsonFields
  /** Fields that the source did not have; they stand in `fields` in their empty form. */
  readonly missing: readonly string[]
  /** What the source had and this flavour has no place for. */
  readonly lost: readonly string[]
}
