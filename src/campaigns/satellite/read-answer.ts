/**
 * What a response says, as Satellite data have it: a code, and the IPv4 addresses of its answer section.
 *
 * **Invariant**: pure; octets that are no message have the code −1.
 */
import { decodeMessage } from '../../dns/decode-message.ts'
import { fullRcode } from '../../dns/message.ts'

/** What one datagram says. */
export interface ReadAnswer {
  readonly rcode: number
  /** Each once, in their order. */
  readonly addresses: readonly string[]
}

/** Reads one response. */
export function readAnswer(octets: Uint8Array): ReadAnswer {
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') return { rcode: -1, addresses: [] }
  const addresses = decoded.message.answers.flatMap(({ rdata }) => (rdata.kind === 'a' ? [rdata.address] : []))
  return { rcode: fullRcode(decoded.message), addresses: [...new Set(addresses)] }
}
