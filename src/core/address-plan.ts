/**
 * Which addresses count as public, and whose they are: the address plan, a capability.
 *
 * The laboratory passes a plan of its own, in which its loopback and documentation addresses are public and have AS and
 * country, so that every rule works there unchanged. No configuration can change the plan.
 *
 * Invariant: an address that carries an IPv4 address inside is never more public than that one.
 *
 * Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), multicast registries.
 */
import { parsePrefix, prefixContains, type IpOctets, type IpPrefix } from './ip-address.ts'

/** Who announces an address, and where it is. */
export interface AddressOwner {
  readonly asn: number
  readonly asName: string
  /** ISO 3166 code, upper case; empty when not known. */
  readonly country: string
}

/** What is known about addresses. Octets are 4 (IPv4) or 16 (IPv6). */
export interface AddressPlan {
  /** Whether packets may be sent there on behalf of somebody else. */
  isPublic(octets: IpOctets): boolean
  /** Whether a public name cannot truthfully have this address. */
  isBogusAnswer(octets: IpOctets): boolean
  /** @returns `undefined` when nobody is known. */
  lookup(octets: IpOctets): AddressOwner | undefined
}

/** A block of addresses that is not public. */
export interface ReservedRange {
  readonly prefix: IpPrefix
  /** What the registry calls it. */
  readonly name: string
  /** Where it is reserved. */
  readonly rfc: number
}

/** The blocks of both families that are not public. Blocks that carry an IPv4 address inside are not listed. */
export const RESERVED_RANGES: readonly ReservedRange[] = [
  reserved('0.0.0.0/8', 'this network', 791),
  reserved('10.0.0.0/8', 'private use', 1918),
  reserved('100.64.0.0/10', 'shared address space', 6598),
  reserved('127.0.0.0/8', 'loopback', 1122),
  reserved('169.254.0.0/16', 'link-local', 3927),
  reserved('172.16.0.0/12', 'private use', 1918),
  // Two anycast addresses in it are reachable, for services on the way and for nobody's name.
  reserved('192.0.0.0/24', 'IETF protocol assignments', 6890),
  reserved('192.0.2.0/24', 'documentation', 5737),
  reserved('192.88.99.0/24', '6to4 relay anycast, deprecated', 7526),
  reserved('192.168.0.0/16', 'private use', 1918),
  reserved('198.18.0.0/15', 'benchmarking', 2544),
  reserved('198.51.100.0/24', 'documentation', 5737),
  reserved('203.0.113.0/24', 'documentation', 5737),
  reserved('224.0.0.0/4', 'multicast', 5771),
  reserved('240.0.0.0/4', 'reserved for future use, and limited broadcast', 1112),
  reserved('::/128', 'unspecified', 4291),
  reserved('::1/128', 'loopback', 4291),
  reserved('::/96', 'IPv4-compatible, deprecated', 4291),
  reserved('::ffff:0:0/96', 'IPv4-mapped: for use within a machine', 4291),
  reserved('64:ff9b:1::/48', 'local-use translation', 8215),
  reserved('100::/64', 'discard-only', 6666),
  reserved('100:0:0:1::/64', 'dummy prefix', 9780),
  // AS112 and AMT in it are reachable, but no name lives there.
  reserved('2001::/23', 'IETF protocol assignments', 2928),
  reserved('2001:db8::/32', 'documentation', 3849),
  reserved('3fff::/20', 'documentation', 9637),
  reserved('5f00::/16', 'segment routing identifiers', 9602),
  reserved('fc00::/7', 'unique local', 4193),
  reserved('fe80::/10', 'link-local', 4291),
  reserved('fec0::/10', 'site-local, deprecated', 3879),
  reserved('ff00::/8', 'multicast', 4291),
]

function reserved(prefix: string, name: string, rfc: number): ReservedRange {
  return { prefix: prefixOf(prefix), name, rfc }
}

function prefixOf(text: string): IpPrefix {
  // The literals of this file are valid; the empty prefix of a mistake would contain nothing and fail the test.
  return parsePrefix(text) ?? { octets: new Uint8Array(0), bits: 0 }
}

/** RFC 6052 section 2.1. */
const NAT64 = prefixOf('64:ff9b::/96')
/** RFC 3056 section 2. */
const SIX_TO_FOUR = prefixOf('2002::/16')
/** RFC 4380 section 4. */
const TEREDO = prefixOf('2001::/32')
/** RFC 4291 section 2.4: everything else is not assigned to be routed. */
const GLOBAL_UNICAST = prefixOf('2000::/3')

/** @returns The reserved block that an address lies in; `undefined` for others. */
export function findReservedRange(octets: IpOctets): ReservedRange | undefined {
  return RESERVED_RANGES.find(({ prefix }) => prefixContains(prefix, octets))
}

/** The plan of the public Internet. It knows no owners: `enrich/` adds them from a table. */
export const publicAddressPlan: AddressPlan = {
  isPublic,
  isBogusAnswer: (octets) => !isPublic(octets),
  lookup: () => undefined,
}

function isPublic(octets: IpOctets): boolean {
  const carried = carriedIpv4(octets)
  if (carried !== undefined) return carried.every((v4) => findReservedRange(v4) === undefined)
  if (octets.length === 16 && !prefixContains(GLOBAL_UNICAST, octets)) return false
  return findReservedRange(octets) === undefined
}

/** @returns The IPv4 addresses that packets to this IPv6 address would be sent on to; `undefined` for all others. */
function carriedIpv4(octets: IpOctets): readonly IpOctets[] | undefined {
  if (prefixContains(NAT64, octets)) return [octets.subarray(12)]
  if (prefixContains(SIX_TO_FOUR, octets)) return [octets.subarray(2, 6)]
  // Server and client; the client's address stands there with every bit inverted.
  if (prefixContains(TEREDO, octets)) return [octets.subarray(4, 8), octets.subarray(12).map((octet) => octet ^ 0xff)]
  return undefined
}
