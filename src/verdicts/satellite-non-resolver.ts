/**
 * The second mode: an address where no resolver is gives an answer, so somebody on the path gave it.
 *
 * **Invariant**: pure. Whoever answers the control name is a resolver after all, and says nothing here.
 *
 * Rule: docs/detectors/satellite-non-resolver.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'

/** @returns `undefined` when the address is a resolver, or no query for the name had a response. */
export function detectAnswerFromNonResolver(row: SatelliteRow, isNonResolver: boolean): SatelliteFinding | undefined {
  if (!isNonResolver) return undefined
  const hasResponse = ({ rcode }: SatelliteRow['trials'][number]): boolean => rcode !== null && rcode >= 0
  if (row.trials.some((trial) => trial.purpose === 'control' && hasResponse(trial))) return undefined
  const responses = row.trials.filter((trial) => trial.purpose === 'test' && hasResponse(trial))
  if (responses.length === 0) return undefined
  return {
    rule: 'answer-from-non-resolver',
    version: 1,
    evidence: {
      rcodes: responses.flatMap(({ rcode }) => rcode ?? []),
      addresses: responses.flatMap(({ answers }) => answers.map(({ address }) => address)),
    },
    weights: { interference: 0.95, down: 0, ok: 0 },
  }
}
