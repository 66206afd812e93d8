/**
 * The address plan of the laboratory: its loopback and documentation addresses are public and belong to somebody.
 *
 * Each /16 of 127/8 is the neighbourhood of one relay. Neighbourhoods are spread over five networks in four countries,
 * with numbers and codes that are reserved for such use.
 *
 * Invariant: what is not the laboratory's is as on the public Internet; 127.0/16 is the machine's own and stays reserved.
 *
 * Sources: RFC 5398 (AS numbers for documentation), ISO 3166-1 (user-assigned codes XA to XZ), RFC 5737, RFC 3849.
 */
import { type AddressOwner, type AddressPlan, publicAddressPlan } from '../core/address-plan.ts'
import { type IpOctets, type IpPrefix, parsePrefix, prefixContains } from '../core/ip-address.ts'

const AS_FIRST = 64_496
const AS_COUNT = 5
const COUNTRIES = ['XA', 'XB', 'XC', 'XD'] as const
/** 127.252 and above: authorities, pages and the shared resolver. */
const SERVERS_FROM = 252

const DOCUMENTATION: readonly { readonly prefix: IpPrefix; readonly owner: AddressOwner }[] = [
  { prefix: prefixOf('198.51.100.0/24'), owner: ownerOf(64_510, 'Laboratory Sites', 'XE') },
  { prefix: prefixOf('203.0.113.0/24'), owner: ownerOf(64_511, 'Laboratory Lies', 'XF') },
  { prefix: prefixOf('192.0.2.0/24'), owner: ownerOf(64_509, 'Laboratory Clients', 'XG') },
  { prefix: prefixOf('2001:db8::/32'), owner: ownerOf(64_510, 'Laboratory Sites', 'XE') },
]

/** The plan. */
export const laboratoryAddressPlan: AddressPlan = {
  isPublic: (octets) => findOwner(octets) !== undefined || publicAddressPlan.isPublic(octets),
  isBogusAnswer: (octets) => findOwner(octets) === undefined && publicAddressPlan.isBogusAnswer(octets),
  lookup: (octets) => findOwner(octets) ?? publicAddressPlan.lookup(octets),
}

function findOwner(octets: IpOctets): AddressOwner | undefined {
  const [first = 0, second = 0] = octets
  if (octets.length === 4 && first === 127 && second > 0) {
    if (second >= SERVERS_FROM) return ownerOf(64_508, 'Laboratory Central', 'XH')
    const index = second % AS_COUNT
    return ownerOf(AS_FIRST + index, `Laboratory Network ${index + 1}`, COUNTRIES[second % COUNTRIES.length] ?? 'XA')
  }
  return DOCUMENTATION.find(({ prefix }) => prefixContains(prefix, octets))?.owner
}

function ownerOf(asn: number, asName: string, country: string): AddressOwner {
  return { asn, asName, country }
}

function prefixOf(text: string): IpPrefix {
  // The literals of this file are valid; an empty prefix would contain nothing and fail the test.
  return parsePrefix(text) ?? { octets: new Uint8Array(), bits: 0 }
}
