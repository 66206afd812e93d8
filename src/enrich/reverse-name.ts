/**
 * The name under which something about an address is asked for: its octets, or nibbles for IPv6, backwards.
 *
 * Sources: RFC 1035 section 3.5, RFC 3596 section 2.5, RFC 5782 (blocklists over DNS).
 */
import { parseIp } from '../core/ip-address.ts'

/** `1.2.0.192` and `192.0.2.1`: backwards, without a zone behind. @returns `undefined` for what is no address. */
export function reverseLabels(address: string): string | undefined {
  const octets = parseIp(address)
  if (octets === undefined) return undefined
  if (octets.length === 4) return [...octets].toReversed().join('.')
  return [...octets]
    .flatMap((octet) => [octet >> 4, octet & 15])
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.')
}

/** The name whose PTR record is the name of an address. @returns `undefined` for what is no address. */
export function reverseName(address: string): string | undefined {
  const labels = reverseLabels(address)
  return labels === undefined ? undefined : `${labels}.${address.includes(':') ? 'ip6' : 'in-addr'}.arpa`
}
