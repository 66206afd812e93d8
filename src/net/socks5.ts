/**
 * What both ends of SOCKS5 share: numbers, reply names and addresses.
 *
 *     +----+-----+-------+------+----------+----------+
 *     |VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |     a request; a reply has REP in the place of CMD
 *     +----+-----+-------+------+----------+----------+
 *     | 1  |  1  | X'00' |  1   | Variable |    2     |
 *
 * Sources: RFC 1928, RFC 1929; Tor's socks-extensions (https://spec.torproject.org/socks-extensions).
 */
import { formatIp, parseIp } from '../core/ip-address.ts'
import type { OctetReader } from './octet-reader.ts'

/** Numbers of the protocol. */
export const SOCKS5 = {
  version: 5,
  noAuthentication: 0,
  userPassword: 2,
  noAcceptableMethod: 0xff,
  /** Version of the sub-negotiation of RFC 1929. */
  userPasswordVersion: 1,
  connect: 1,
  /** Tor's extension: resolve a name, connect nowhere. */
  resolve: 0xf0,
  succeeded: 0,
} as const

const ADDRESS_IPV4 = 1
const ADDRESS_NAME = 3
const ADDRESS_IPV6 = 4
const NAME_OCTETS_MAX = 255

const REPLY_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'SUCCEEDED'],
  [1, 'GENERAL_FAILURE'],
  [2, 'NOT_ALLOWED'],
  [3, 'NETWORK_UNREACHABLE'],
  [4, 'HOST_UNREACHABLE'],
  [5, 'CONNECTION_REFUSED'],
  [6, 'TTL_EXPIRED'],
  [7, 'COMMAND_NOT_SUPPORTED'],
  [8, 'ADDRESS_TYPE_NOT_SUPPORTED'],
  [0xf0, 'ONION_NOT_FOUND'],
  [0xf1, 'ONION_INVALID'],
  [0xf2, 'ONION_INTRODUCTION_FAILED'],
  [0xf3, 'ONION_RENDEZVOUS_FAILED'],
  [0xf4, 'ONION_MISSING_AUTHORIZATION'],
  [0xf5, 'ONION_WRONG_AUTHORIZATION'],
  [0xf6, 'ONION_BAD_ADDRESS'],
  [0xf7, 'ONION_INTRODUCTION_TIMED_OUT'],
])

/** The name of a reply code, `HOST_UNREACHABLE`; `REPLY_99` for one that nobody has named. */
export function formatSocksReply(reply: number): string {
  return REPLY_NAMES.get(reply) ?? `REPLY_${reply}`
}

/** Where a request leads: a host name or an address in text, and a port. */
export interface SocksTarget {
  readonly host: string
  /** 0 to 65535. */
  readonly port: number
}

/**
 * Encodes a request or a reply.
 *
 * @param code - CMD of a request, REP of a reply.
 * @returns `undefined` when the host is longer than 255 octets, empty, or not ASCII.
 */
export function encodeSocksMessage(code: number, { host, port }: SocksTarget): Uint8Array | undefined {
  const address = encodeAddress(host)
  if (address === undefined) return undefined
  return Uint8Array.of(SOCKS5.version, code, 0, ...address, port >> 8, port & 0xff)
}

function encodeAddress(host: string): readonly number[] | undefined {
  const ip = parseIp(host)
  if (ip !== undefined) return [ip.length === 4 ? ADDRESS_IPV4 : ADDRESS_IPV6, ...ip]
  const isName = host.length > 0 && host.length <= NAME_OCTETS_MAX && /^[\x21-\x7e]+$/.test(host)
  return isName ? [ADDRESS_NAME, host.length, ...new TextEncoder().encode(host)] : undefined
}

/** A request or a reply as it was read. */
export type SocksMessage =
  | { readonly kind: 'message'; readonly code: number; readonly target: SocksTarget }
  /** The peer finished before the end of the message. */
  | { readonly kind: 'eof' }
  /** Another version, an unknown kind of address, or a name that is not printable ASCII. */
  | { readonly kind: 'malformed'; readonly unknownAddressType: boolean }

/** Reads a request or a reply: at most 262 octets. @throws {NetError} When the connection broke. */
export async function readSocksMessage(reader: OctetReader): Promise<SocksMessage> {
  const head = await reader.take(4)
  if (head === undefined) return { kind: 'eof' }
  const [version, code = 0, , addressType] = head
  if (version !== SOCKS5.version) return { kind: 'malformed', unknownAddressType: false }
  const length = await readAddressLength(reader, addressType)
  if (length === 'malformed') return { kind: 'malformed', unknownAddressType: true }
  const rest = length === undefined ? undefined : await reader.take(length + 2)
  if (length === undefined || rest === undefined) return { kind: 'eof' }
  const host = decodeHost(addressType, rest.subarray(0, length))
  if (host === undefined) return { kind: 'malformed', unknownAddressType: false }
  const port = ((rest[length] ?? 0) << 8) | (rest[length + 1] ?? 0)
  return { kind: 'message', code, target: { host, port } }
}

async function readAddressLength(
  reader: OctetReader,
  addressType: number | undefined,
): Promise<number | 'malformed' | undefined> {
  if (addressType === ADDRESS_IPV4) return 4
  if (addressType === ADDRESS_IPV6) return 16
  return addressType === ADDRESS_NAME ? (await reader.take(1))?.[0] : 'malformed'
}

/** Some servers put an empty name into a reply; only a name with octets that no name has is refused. */
function decodeHost(addressType: number | undefined, octets: Uint8Array): string | undefined {
  if (addressType !== ADDRESS_NAME) return formatIp(octets)
  const host = String.fromCharCode(...octets)
  return /^[\x21-\x7e]*$/.test(host) ? host : undefined
}
