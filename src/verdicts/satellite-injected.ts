/**
 * One query, two different responses: somebody on the path answered as well.
 *
 * **Invariant**: pure. Responses are compared by what they say (response code and set of addresses), so that a duplicate, or a
 * resolver that was asked twice by the network and turned its list, is none.
 *
 * Rule: docs/detectors/satellite-injected.md
 */
import type { SatellitePacket, SatelliteQueryPackets } from '../model/satellite-evidence.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'

/** After the first response; what comes later is another query's. */
const LATE_WINDOW_MS = 500

/** @returns `undefined` when no query of the pair has two responses that differ. The first that does is the evidence. */
export function detectInjectedResponse(queries: readonly SatelliteQueryPackets[]): SatelliteFinding | undefined {
  for (const { name, purpose, packets } of queries) {
    const [first, ...later] = packets
    if (first === undefined) continue
    const other = later.find(
      (packet) => packet.elapsedMs - first.elapsedMs <= LATE_WINDOW_MS && isDifferent(first, packet),
    )
    if (other === undefined) continue
    return {
      rule: 'injected-response',
      version: 1,
      evidence: {
        name,
        purpose,
        responses: packets.length,
        gap_ms: Math.round((other.elapsedMs - first.elapsedMs) * 1000) / 1000,
        first_rcode: first.rcode,
        first_addresses: first.answers,
        other_rcode: other.rcode,
        other_addresses: other.answers,
      },
      weights: { interference: 0.9, down: 0, ok: 0 },
    }
  }
  return undefined
}

function isDifferent(a: SatellitePacket, b: SatellitePacket): boolean {
  if (a.octetsSha256 === b.octetsSha256) return false
  if (a.rcode !== b.rcode) return true
  const [left, right] = [new Set(a.answers), new Set(b.answers)]
  return left.size !== right.size || [...left].some((address) => !right.has(address))
}
