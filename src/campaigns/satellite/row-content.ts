/** A row without the facts about how its source wrote it: what a reader of one flavour gives. */
import type { SatelliteRow } from '../../model/satellite-row.ts'

/** Everything but the flavour and the spelling. */
export type RowContent = Omit<SatelliteRow, 'flavour' | 'spelling'>
