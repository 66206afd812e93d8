/**
 * Which resolvers belong together: those of one prefix, and those of one autonomous system. A server farm that is asked at
 * many of its addresses is asked as a whole.
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { formatPrefix, parseIp, truncatePrefix } from '../core/ip-address.ts'

/** What one network is usually given: IPv4 /24, IPv6 /48. */
const PREFIX_BITS = { ipv4: 24, ipv6: 48 }

/** @returns For each address the number of its prefix, from 0 in the order of first occurrence. */
export function groupByPrefix(addresses: readonly string[]): Int32Array {
  const numbers = new Map<string, number>()
  return Int32Array.from(addresses, (address) => {
    const octets = parseIp(address)
    if (octets === undefined) return numberOf(numbers, address)
    const bits = octets.length === 4 ? PREFIX_BITS.ipv4 : PREFIX_BITS.ipv6
    return numberOf(numbers, formatPrefix(truncatePrefix(octets, bits)))
  })
}

/**
 * @returns For each address the number of its autonomous system, from 0 in the order of first occurrence; −1 where it is
 *   not known.
 */
export function groupByAs(addresses: readonly string[], plan: Pick<AddressPlan, 'lookup'>): Int32Array {
  const numbers = new Map<number, number>()
  return Int32Array.from(addresses, (address) => {
    const octets = parseIp(address)
    const owner = octets === undefined ? undefined : plan.lookup(octets)
    return owner === undefined ? -1 : numberOf(numbers, owner.asn)
  })
}

function numberOf<T>(numbers: Map<T, number>, key: T): number {
  const known = numbers.get(key)
  if (known !== undefined) return known
  numbers.set(key, numbers.size)
  return numbers.size - 1
}
