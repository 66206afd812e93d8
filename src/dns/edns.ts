/**
 * EDNS options as values.
 *
 * **Invariant:** an option is given a shape only if encoding that shape gives back the same octets; everything else,
 * known code or not, stays `unknown` with its octets.
 *
 * **Sources:** RFC 6891 section 6.1.2 (framing), RFC 5001 (NSID), RFC 7871 (client subnet), RFC 7873 (cookies),
 * RFC 7830 (padding), RFC 8914 (extended errors); the IANA registry "DNS EDNS0 Option Codes".
 */
import { assert, assertNever } from '../core/assert.ts'
import { formatIp, parseIp, truncatePrefix } from '../core/ip-address.ts'
import { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** An option of the OPT record. */
export type EdnsOption =
  | {
      readonly kind: 'nsid'
      /** What the server calls itself; empty in queries. Often text, but any octets are allowed. */
      readonly octets: Uint8Array
    }
  | {
      readonly kind: 'client_subnet'
      /** The first address of the subnet, in canonical form. */
      readonly address: string
      /** 0 to 32 or 128. */
      readonly sourceBits: number
      /** 0 in queries; in responses for how many bits the answer holds. */
      readonly scopeBits: number
    }
  | {
      readonly kind: 'cookie'
      /** 8 octets. */
      readonly client: Uint8Array
      /** 8 to 32 octets, or none in a first query. */
      readonly server: Uint8Array
    }
  | {
      readonly kind: 'padding'
      /** How many zero octets. */
      readonly sizeOctets: number
    }
  | {
      readonly kind: 'extended_error'
      readonly infoCode: number
      /** May be empty. */
      readonly text: string
    }
  | { readonly kind: 'unknown'; readonly code: number; readonly octets: Uint8Array }

const OPTION_NSID = 3
const OPTION_CLIENT_SUBNET = 8
const OPTION_COOKIE = 10
const OPTION_PADDING = 12
const OPTION_EXTENDED_ERROR = 15

const CLIENT_COOKIE_OCTETS = 8
const SERVER_COOKIE_OCTETS_MIN = 8
const SERVER_COOKIE_OCTETS_MAX = 32

/** Reads options up to the reader's end; the reader fails when a length does not fit. */
export function decodeEdnsOptions(reader: WireReader): readonly EdnsOption[] {
  const options: EdnsOption[] = []
  while (reader.remaining() > 0) {
    const code = reader.uint16()
    const octets = reader.take(reader.uint16())
    if (reader.failure === undefined) options.push(decodeEdnsOption(code, octets))
  }
  return options
}

function decodeEdnsOption(code: number, octets: Uint8Array): EdnsOption {
  switch (code) {
    case OPTION_NSID:
      return { kind: 'nsid', octets }
    case OPTION_CLIENT_SUBNET:
      return decodeClientSubnet(octets) ?? { kind: 'unknown', code, octets }
    case OPTION_COOKIE:
      return decodeCookie(octets) ?? { kind: 'unknown', code, octets }
    case OPTION_PADDING:
      return octets.every((octet) => octet === 0)
        ? { kind: 'padding', sizeOctets: octets.length }
        : { kind: 'unknown', code, octets }
    case OPTION_EXTENDED_ERROR:
      return decodeExtendedError(octets) ?? { kind: 'unknown', code, octets }
    default:
      return { kind: 'unknown', code, octets }
  }
}

/** RFC 7871 section 6: as many address octets as the source bits need, the rest of the last one zero. */
function decodeClientSubnet(octets: Uint8Array): EdnsOption | undefined {
  const reader = new WireReader(octets)
  const family = reader.uint16()
  const sourceBits = reader.uint8()
  const scopeBits = reader.uint8()
  const address = new Uint8Array(family === 1 ? 4 : 16)
  const width = address.length * 8
  if (reader.failure !== undefined || (family !== 1 && family !== 2) || sourceBits > width || scopeBits > width)
    return undefined
  const given = reader.takeRest()
  if (given.length !== Math.ceil(sourceBits / 8)) return undefined
  address.set(given)
  const text = formatIp(address)
  if (formatIp(truncatePrefix(address, sourceBits).octets) !== text) return undefined
  return { kind: 'client_subnet', address: text, sourceBits, scopeBits }
}

function decodeCookie(octets: Uint8Array): EdnsOption | undefined {
  const client = octets.slice(0, CLIENT_COOKIE_OCTETS)
  const server = octets.slice(CLIENT_COOKIE_OCTETS)
  if (client.length < CLIENT_COOKIE_OCTETS || !isServerCookieLength(server.length)) return undefined
  return { kind: 'cookie', client, server }
}

function decodeExtendedError(octets: Uint8Array): EdnsOption | undefined {
  if (octets.length < 2) return undefined
  const infoCode = ((octets[0] as number) << 8) | (octets[1] as number)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets.subarray(2))
    return { kind: 'extended_error', infoCode, text }
  } catch (error) {
    // The way of TextDecoder to say that this is not UTF-8.
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** Writes an option with its code and length. @throws {BugError} When a field is out of its range. */
export function encodeEdnsOption(writer: WireWriter, option: EdnsOption): void {
  writer.uint16(optionCode(option))
  writer.putMeasured(() => {
    switch (option.kind) {
      case 'nsid':
      case 'unknown':
        writer.put(option.octets)
        break
      case 'client_subnet':
        encodeClientSubnet(writer, option.address, option.sourceBits, option.scopeBits)
        break
      case 'cookie':
        encodeCookie(writer, option.client, option.server)
        break
      case 'padding':
        writer.put(new Uint8Array(option.sizeOctets))
        break
      case 'extended_error':
        writer.uint16(option.infoCode)
        writer.put(new TextEncoder().encode(option.text))
        break
    }
  })
}

function optionCode(option: EdnsOption): number {
  switch (option.kind) {
    case 'nsid':
      return OPTION_NSID
    case 'client_subnet':
      return OPTION_CLIENT_SUBNET
    case 'cookie':
      return OPTION_COOKIE
    case 'padding':
      return OPTION_PADDING
    case 'extended_error':
      return OPTION_EXTENDED_ERROR
    case 'unknown':
      return option.code
    default:
      return assertNever(option)
  }
}

/** Bits of the address after the source bits are cleared: RFC 7871 asks for it, and nobody needs to know them. */
function encodeClientSubnet(writer: WireWriter, address: string, sourceBits: number, scopeBits: number): void {
  const octets = parseIp(address)
  assert(octets !== undefined, 'client subnet is no address')
  assert(sourceBits <= octets.length * 8 && scopeBits <= octets.length * 8, 'client subnet is longer than its address')
  writer.uint16(octets.length === 4 ? 1 : 2)
  writer.uint8(sourceBits)
  writer.uint8(scopeBits)
  writer.put(truncatePrefix(octets, sourceBits).octets.subarray(0, Math.ceil(sourceBits / 8)))
}

function encodeCookie(writer: WireWriter, client: Uint8Array, server: Uint8Array): void {
  assert(client.length === CLIENT_COOKIE_OCTETS, 'a client cookie has 8 octets')
  assert(isServerCookieLength(server.length), 'a server cookie has 8 to 32 octets')
  writer.put(client)
  writer.put(server)
}

/** RFC 7873 section 4. */
function isServerCookieLength(sizeOctets: number): boolean {
  return sizeOctets === 0 || (sizeOctets >= SERVER_COOKIE_OCTETS_MIN && sizeOctets <= SERVER_COOKIE_OCTETS_MAX)
}
