/**
 * Answers that no public name can truthfully have: addresses of reserved ranges.
 *
 * **Invariant**: pure; the address plan says which ranges are reserved. Where the control says the same, the name is
 * misconfigured, and nobody interferes.
 *
 * Rule: docs/detectors/satellite-bogon.md
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { parseIp } from '../core/ip-address.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { ControlSet } from './satellite-control.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** @returns `undefined` when every answer could be public, or is no address at all. */
export function detectBogonAnswer(
  row: SatelliteRow,
  control: ControlSet,
  plan: Pick<AddressPlan, 'isBogusAnswer'>,
): SatelliteFinding | undefined {
  const isBogus = (address: string): boolean => {
    const octets = parseIp(address)
    return octets !== undefined && plan.isBogusAnswer(octets)
  }
  const bogus = listTestAnswers(row)
    .map(({ address }) => address)
    .filter((address) => isBogus(address))
  if (bogus.length === 0) return undefined
  const inControl = [...control.addresses].filter((address) => isBogus(address))
  return {
    rule: 'bogon-answer',
    version: 1,
    evidence: { addresses: bogus, control: inControl },
    weights: inControl.length > 0 ? { interference: 0, down: 0.7, ok: 0 } : { interference: 0.8, down: 0.1, ok: 0 },
  }
}
