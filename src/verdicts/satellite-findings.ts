/**
 * All rules over one judged row.
 *
 * **Invariant**: pure; the same row and evidence give the same findings in the same order.
 */
import type { AddressPlan } from '../core/address-plan.ts'
import type { SatelliteQueryPackets } from '../model/satellite-evidence.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { detectAsOfMany, type AddressSpread } from './satellite-as-of-many.ts'
import { detectBlockpage } from './satellite-blockpage.ts'
import { detectBogonAnswer } from './satellite-bogon.ts'
import { detectContentNetwork, type CdnCertificates } from './satellite-cdn.ts'
import type { ControlSet, FindTags } from './satellite-control.ts'
import { detectFailureAgainstControl } from './satellite-failure.ts'
import type { FindFetch } from './satellite-fetch-facts.ts'
import { detectInjectedResponse } from './satellite-injected.ts'
import { detectKnownBlockAddress, type FindBlockAddress } from './satellite-known-block.ts'
import { detectAnswerFromNonResolver } from './satellite-non-resolver.ts'
import { detectControlOverlap } from './satellite-overlap.ts'
import { detectUnreliableResolver, type ResolverProfiles } from './satellite-unreliable.ts'
import { detectValidTls } from './satellite-valid-tls.ts'

/** What the rules look at beside the row. */
export interface SatelliteEvidence {
  readonly findControl: (domain: string) => ControlSet
  readonly findTags: FindTags
  readonly findFetch: FindFetch
  readonly findBlockAddress: FindBlockAddress
  readonly findCdnCertificate: CdnCertificates['find']
  readonly isNonResolver: (resolver: string) => boolean
  readonly plan: Pick<AddressPlan, 'isBogusAnswer'>
  /** What the whole scan says of an address, and of a resolver. */
  readonly findBlockServer: AddressSpread['find']
  readonly findProfile: ResolverProfiles['find']
}

/**
 * Findings in the order of the rules: what speaks for the answer, what is seen on the path, what speaks against it.
 *
 * @param packets - Of the queries of the row that had more than one.
 */
export function listSatelliteFindings(
  row: SatelliteRow,
  packets: readonly SatelliteQueryPackets[],
  evidence: SatelliteEvidence,
): readonly SatelliteFinding[] {
  const control = evidence.findControl(row.domain)
  const overlap = detectControlOverlap(row, control, evidence.findTags)
  const sharesNothing = overlap.length === 0 && hasControl(row, control)
  return [
    ...overlap,
    detectValidTls(row, evidence.findFetch),
    detectInjectedResponse(packets),
    detectAnswerFromNonResolver(row, evidence.isNonResolver(row.resolver)),
    detectBogonAnswer(row, control, evidence.plan),
    detectFailureAgainstControl(row, control),
    detectKnownBlockAddress(row, evidence.findBlockAddress),
    detectBlockpage(row, evidence.findFetch),
    detectAsOfMany(row, evidence.findBlockServer, sharesNothing),
    ...detectContentNetwork(row, evidence.findTags, evidence.findCdnCertificate),
    detectUnreliableResolver(evidence.findProfile(row.resolver)),
  ].filter((finding) => finding !== undefined)
}

/** Whether the control of a name answered, and the row shares nothing with it: what the spread of addresses counts. */
export function sharesNothingWithControl(
  row: SatelliteRow,
  { findControl, findTags }: Pick<SatelliteEvidence, 'findControl' | 'findTags'>,
): boolean {
  const control = findControl(row.domain)
  return hasControl(row, control) && detectControlOverlap(row, control, findTags).length === 0
}

/** A scan without the responses of its control resolvers says it in the rows. */
function hasControl(row: SatelliteRow, control: ControlSet): boolean {
  return control.asked > 0 ? control.answered > 0 : row.inControlGroup === true
}
