/**
 * All rules that need no network, over one judged row.
 *
 * **Invariant**: pure; the same row, control and tags give the same findings in the same order.
 */
import type { AddressPlan } from '../core/address-plan.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { detectBogonAnswer } from './satellite-bogon.ts'
import type { ControlSet, FindTags } from './satellite-control.ts'
import { detectFailureAgainstControl } from './satellite-failure.ts'
import { detectControlOverlap } from './satellite-overlap.ts'

/** Findings in the order of the rules: overlap, reserved addresses, failures. */
export function listSatelliteFindings(
  row: SatelliteRow,
  control: ControlSet,
  findTags: FindTags,
  plan: Pick<AddressPlan, 'isBogusAnswer'>,
): readonly SatelliteFinding[] {
  return [
    ...detectControlOverlap(row, control, findTags),
    detectBogonAnswer(row, control, plan),
    detectFailureAgainstControl(row, control),
  ].filter((finding) => finding !== undefined)
}
