/**
 * Header lists of HTTP/2: decoding in full, encoding without a table and without Huffman.
 *
 * A query has a handful of headers that never change, so their octets are made once and sent as they are; responses are
 * decoded with the dynamic table, since servers use it.
 *
 * Invariant: a header block is bounded in octets and in headers, whatever the table makes of it.
 *
 * Sources: RFC 7541.
 */
import { assert } from '../core/assert.ts'
import { decodeHuffman } from './huffman-code.ts'

/** A name in lower case and its value; one character per octet. */
export type Header = readonly [name: string, value: string]

/** RFC 7541 appendix A; index 1 is the first. */
const STATIC_TABLE: readonly Header[] = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .map((line) => {
    const [name = '', ...value] = line.split(' ')
    return [name, value.join(' ')]
  })

/** What we announce (by saying nothing): the size that the protocol begins with. */
const TABLE_OCTETS_MAX = 4_096
/** RFC 7541 section 4.1. */
const ENTRY_OVERHEAD_OCTETS = 32
const LIST_OCTETS_MAX = 32_768
const HEADERS_MAX = 128
/** No length or index that fits our bounds has more continuation octets than this. */
const INTEGER_OCTETS_MAX = 4

/** Decodes the header blocks of one connection, in their order. */
export interface HpackDecoder {
  /** @returns The headers; `undefined` when the block is malformed or too large, after which nothing can be decoded. */
  decode(block: Uint8Array): readonly Header[] | undefined
}

/** A decoder with an empty table. */
export function createHpackDecoder(): HpackDecoder {
  const table = createDynamicTable()
  return {
    decode: (block) => {
      const reader = { octets: block, at: 0 }
      const headers: Header[] = []
      let sizeOctets = 0
      while (reader.at < block.length) {
        const first = block[reader.at] ?? 0
        if ((first & 0xe0) === 0x20) {
          const limit = readInteger(reader, 5)
          if (limit === undefined || limit > TABLE_OCTETS_MAX || headers.length > 0) return undefined
          table.resize(limit)
          continue
        }
        const header = readHeader(reader, first, table)
        if (header === undefined) return undefined
        sizeOctets += entryOctets(header)
        if (headers.push(header) > HEADERS_MAX || sizeOctets > LIST_OCTETS_MAX) return undefined
      }
      return headers
    },
  }
}

interface Reader {
  readonly octets: Uint8Array
  at: number
}

interface DynamicTable {
  get(index: number): Header | undefined
  add(header: Header): void
  resize(octets: number): void
}

function createDynamicTable(): DynamicTable {
  const entries: Header[] = []
  let sizeOctets = 0
  let limit = TABLE_OCTETS_MAX
  const evict = (): void => {
    while (sizeOctets > limit) {
      const oldest = entries.pop()
      if (oldest === undefined) return
      sizeOctets -= entryOctets(oldest)
    }
  }
  return {
    get: (index) => (index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : entries[index - STATIC_TABLE.length - 1]),
    add: (header) => {
      entries.unshift(header)
      sizeOctets += entryOctets(header)
      evict()
    },
    resize: (octets) => {
      limit = octets
      evict()
    },
  }
}

function entryOctets([name, value]: Header): number {
  return name.length + value.length + ENTRY_OVERHEAD_OCTETS
}

function readHeader(reader: Reader, first: number, table: DynamicTable): Header | undefined {
  if ((first & 0x80) !== 0) {
    const index = readInteger(reader, 7)
    return index === undefined || index === 0 ? undefined : table.get(index)
  }
  const isIndexed = (first & 0x40) !== 0
  const nameIndex = readInteger(reader, isIndexed ? 6 : 4)
  if (nameIndex === undefined) return undefined
  const name = nameIndex === 0 ? readString(reader) : table.get(nameIndex)?.[0]
  const value = name === undefined ? undefined : readString(reader)
  if (name === undefined || value === undefined) return undefined
  const header: Header = [name, value]
  if (isIndexed) table.add(header)
  return header
}

/** RFC 7541 section 5.1. */
function readInteger(reader: Reader, prefixBits: number): number | undefined {
  const mask = 2 ** prefixBits - 1
  let value = (reader.octets[reader.at++] ?? 0) & mask
  if (value < mask) return value
  for (let count = 0; count < INTEGER_OCTETS_MAX; count++) {
    const octet = reader.octets[reader.at++]
    if (octet === undefined) return undefined
    value += (octet & 0x7f) * 128 ** count
    if ((octet & 0x80) === 0) return value
  }
  return undefined
}

/** RFC 7541 section 5.2. */
function readString(reader: Reader): string | undefined {
  const isHuffman = ((reader.octets[reader.at] ?? 0) & 0x80) !== 0
  const length = readInteger(reader, 7)
  if (length === undefined || reader.at + length > reader.octets.length) return undefined
  const octets = reader.octets.subarray(reader.at, reader.at + length)
  reader.at += length
  return isHuffman ? decodeHuffman(octets) : String.fromCharCode(...octets)
}

/** Encodes headers: none is put into a table, so the octets are the same each time. Values are ASCII. */
export function encodeHeaders(headers: readonly Header[]): Uint8Array {
  return Uint8Array.from(headers.flatMap(encodeHeader))
}

function encodeHeader([name, value]: Header): readonly number[] {
  const whole = STATIC_TABLE.findIndex(([other, text]) => other === name && text === value)
  if (whole >= 0) return encodeInteger(whole + 1, 7, 0x80)
  const named = STATIC_TABLE.findIndex(([other]) => other === name)
  return [...encodeInteger(named + 1, 4, 0), ...(named < 0 ? encodeString(name) : []), ...encodeString(value)]
}

function encodeInteger(value: number, prefixBits: number, pattern: number): readonly number[] {
  const mask = 2 ** prefixBits - 1
  if (value < mask) return [pattern | value]
  const octets = [pattern | mask]
  for (let rest = value - mask; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...octets, rest]
    octets.push((rest % 128) | 0x80)
  }
}

function encodeString(text: string): readonly number[] {
  const octets = [...new TextEncoder().encode(text)]
  assert(octets.length === text.length, 'headers are ASCII')
  return [...encodeInteger(octets.length, 7, 0), ...octets]
}
