/** The addresses that a row has for the name tested. */
import type { SatelliteAnswer, SatelliteRow } from '../model/satellite-row.ts'

/** Of all test queries, in their order; those of control queries are not among them. */
export function listTestAnswers(row: SatelliteRow): readonly SatelliteAnswer[] {
  return row.trials.filter((trial) => trial.purpose === 'test').flatMap((trial) => trial.answers)
}
