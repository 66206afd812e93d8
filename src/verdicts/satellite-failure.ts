/**
 * A pair without an answer, held against the share of control resolvers that had one: NXDOMAIN, and any other failure.
 *
 * **Invariant**: pure. One control that answered proves little: the lower end of the share's interval counts.
 *
 * Rule: docs/detectors/satellite-failure.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { ControlSet } from './satellite-control.ts'
import { listTestAnswers } from './satellite-test-answers.ts'
import { wilsonInterval } from './wilson-interval.ts'

const NXDOMAIN = 3

/** @returns `undefined` for a pair with an answer, one whose resolver did not pass its own test, or a name without control. */
export function detectFailureAgainstControl(row: SatelliteRow, control: ControlSet): SatelliteFinding | undefined {
  if (control.asked === 0 || row.passedLiveness === false || listTestAnswers(row).length > 0) return undefined
  const rcodes = row.trials.filter(({ purpose }) => purpose === 'test').flatMap(({ rcode }) => rcode ?? [])
  const last = rcodes.at(-1)
  // NODATA (0 without an address) and what says nothing at all are failures as well, if there was a query.
  if (last === undefined) return undefined
  const { low } = wilsonInterval(control.answered, control.asked)
  const isNxdomain = last === NXDOMAIN
  return {
    rule: isNxdomain ? 'nxdomain-against-control' : 'failure-against-control',
    version: 2,
    evidence: { rcodes, control_asked: control.asked, control_answered: control.answered, control_share_low: low },
    // A lie about a name is made on purpose; a failure may well be the resolver's own.
    weights: { interference: (isNxdomain ? 0.8 : 0.4) * low, down: isNxdomain ? 1 - low : 1 - low / 2, ok: 0 },
  }
}
