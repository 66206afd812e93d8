/**
 * Which addresses Tor's clients refuse in answers (`ClientDNSRejectInternalAddresses`): a fact about Tor, therefore not
 * part of the address plan.
 *
 * Sources: tor's `tor_addr_is_internal()`: RFC 1918, loopback, link-local, 0/8, and their IPv6 counterparts.
 */
import { parseIp, parsePrefix, prefixContains, type IpPrefix } from '../../core/ip-address.ts'

const INTERNAL: readonly IpPrefix[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
].flatMap((text) => parsePrefix(text) ?? [])

/** @returns Whether Tor calls an address internal; `false` for what is no address. */
export function isInternalAddress(address: string): boolean {
  const octets = parseIp(address)
  return octets !== undefined && INTERNAL.some((prefix) => prefixContains(prefix, octets))
}
