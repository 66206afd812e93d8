/**
 * Names of addresses in the reverse tree.
 *
 * **Sources**: RFC 1035 section 3.5, RFC 3596 section 2.5.
 */
import { assert } from '../../core/assert.ts'
import { parseIp } from '../../core/ip-address.ts'
import { parseName, type Name } from '../../dns/name.ts'

/** `53.2.0.192.in-addr.arpa`. @throws {BugError} When the text is no address. */
export function reverseName(address: string): Name {
  const octets = parseIp(address)
  assert(octets !== undefined, 'a reverse name is that of an address')
  const labels =
    octets.length === 4
      ? [...octets].toReversed().map(String)
      : [...octets].toReversed().flatMap((octet) => [(octet & 15).toString(16), (octet >> 4).toString(16)])
  const name = parseName(`${labels.join('.')}.${octets.length === 4 ? 'in-addr' : 'ip6'}.arpa`)
  assert(name !== undefined, 'a reverse name is a name')
  return name
}
