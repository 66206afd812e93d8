/** Chooses the writer of a flavour. */
import type { SatelliteFlavour, SatelliteRow } from '../../model/satellite-row.ts'
import { writeV1Row } from './write-v1-row.ts'
import { writeV20Row } from './write-v20-row.ts'
import { writeV22Row } from './write-v22-row.ts'
import type { WrittenRow } from './written-row.ts'

/** The row in the usual form of a flavour, without what is unknown and without its spelling. */
export function writeInFlavour(row: SatelliteRow, flavour: SatelliteFlavour): WrittenRow {
  switch (flavour) {
    case 'v1':
      return writeV1Row(row)
    case 'v2.0':
    case 'v2.1':
      return writeV20Row(row, flavour)
    case 'v2.2':
    case 'v2.3':
      return writeV22Row(row)
  }
}
