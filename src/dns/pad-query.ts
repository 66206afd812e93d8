/**
 * Queries of equal length, so that what is asked over an encrypted transport cannot be told by its length.
 *
 * **Invariant:** a padded query is a multiple of 128 octets long.
 *
 * **Sources:** RFC 7830 (the option), RFC 8467 section 4.1 (block length).
 */
import { encodeQuery, type QueryFields } from './encode-message.ts'

const BLOCK_OCTETS = 128
/** Code and length of an option. */
const OPTION_HEAD_OCTETS = 4
const OPTION_PADDING = 12

/** Encodes a query with EDNS and pads it. @throws {BugError} When a field is out of its range. */
export function encodePaddedQuery(query: QueryFields): Uint8Array {
  const options = query.edns?.options ?? []
  const encode = (sizeOctets: number): Uint8Array =>
    encodeQuery({ ...query, edns: { ...query.edns, options: [...options, { kind: 'padding', sizeOctets }] } })
  const { length } = encodeQuery({ ...query, edns: query.edns ?? {} })
  const over = (length + OPTION_HEAD_OCTETS) % BLOCK_OCTETS
  return encode(over === 0 ? 0 : BLOCK_OCTETS - over)
}

/**
 * Pads a query that is encoded already and ends with an OPT record without options.
 *
 * @returns The query itself when it has no OPT record: it cannot be padded then.
 */
export function padQuery(query: Uint8Array): Uint8Array {
  const { length } = query
  if (((query[10] ?? 0) << 8) + (query[11] ?? 0) === 0) return query
  const padded = new Uint8Array(Math.ceil((length + OPTION_HEAD_OCTETS) / BLOCK_OCTETS) * BLOCK_OCTETS)
  const sizeOctets = padded.length - length - OPTION_HEAD_OCTETS
  padded.set(query)
  padded.set([(sizeOctets + OPTION_HEAD_OCTETS) >> 8, (sizeOctets + OPTION_HEAD_OCTETS) & 0xff], length - 2)
  padded.set([0, OPTION_PADDING, sizeOctets >> 8, sizeOctets & 0xff], length)
  return padded
}
