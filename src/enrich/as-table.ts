/**
 * Ranges of addresses → autonomous systems, in typed arrays: half a million ranges in about 20 MB, looked up by binary
 * search.
 *
 * **Sources**: the CSV form of ip-location-db: `first,last,number,"organisation"`, sorted by first address.
 */
import type { IpOctets } from '../core/ip-address.ts'

/** An autonomous system. */
export interface AsEntry {
  readonly asn: number
  /** The organisation; empty when the table has none. */
  readonly asName: string
}

/** A table of one address family. */
export interface AsTable {
  /** @returns `undefined` for addresses that no range covers, and for the other family. */
  lookup(octets: IpOctets): AsEntry | undefined
  /** How many ranges there are. */
  readonly size: number
}

const NEWLINE = 0x0a
const COMMA = 0x2c
const DOT = 0x2e
const COLON = 0x3a

interface Columns {
  readonly words: 1 | 4
  readonly size: number
  readonly firsts: Uint32Array
  readonly lasts: Uint32Array
  readonly numbers: Uint32Array
  /** Names of autonomous systems, each held once. */
  readonly names: ReadonlyMap<number, string>
}

/**
 * Reads a CSV file as octets (no text is made of its lines, for speed).
 *
 * @param words - 32-bit words of an address: 1 for IPv4, 4 for IPv6.
 * @returns `undefined` when a line does not have the form, or the ranges are not in order. Where two overlap (the
 *   published file has such a place) the one that begins later wins.
 */
export function readAsTable(csv: Uint8Array, words: 1 | 4): AsTable | undefined {
  const lines = countLines(csv)
  const firsts = new Uint32Array(lines * words)
  const lasts = new Uint32Array(lines * words)
  const numbers = new Uint32Array(lines)
  const names = new Map<number, string>()
  const decoder = new TextDecoder()
  const readAddress = words === 1 ? readIpv4 : readIpv6
  let size = 0
  for (let at = 0; at < csv.length;) {
    const newline = csv.indexOf(NEWLINE, at)
    const end = newline < 0 ? csv.length : newline
    const firstEnd = csv.indexOf(COMMA, at)
    const lastEnd = csv.indexOf(COMMA, firstEnd + 1)
    const numberEnd = csv.indexOf(COMMA, lastEnd + 1)
    if (firstEnd < 0 || lastEnd <= firstEnd || numberEnd <= lastEnd || numberEnd > end) return undefined
    const place = size * words
    if (!readAddress(csv, at, firstEnd, firsts, place)) return undefined
    if (!readAddress(csv, firstEnd + 1, lastEnd, lasts, place)) return undefined
    if (compareAt(firsts, place, lasts, place, words) > 0) return undefined
    if (size > 0 && compareAt(firsts, place - words, firsts, place, words) >= 0) return undefined
    const asn = readNumber(csv, lastEnd + 1, numberEnd)
    if (asn === undefined) return undefined
    numbers[size] = asn
    if (!names.has(asn)) names.set(asn, readName(decoder.decode(csv.subarray(numberEnd + 1, end))))
    size += 1
    at = end + 1
  }
  return createTable({ words, size, firsts, lasts, numbers, names })
}

function createTable({ words, size, firsts, lasts, numbers, names }: Columns): AsTable {
  return {
    size,
    lookup: (octets) => {
      if (octets.length !== words * 4) return undefined
      const wanted = toWords(octets)
      let low = 0
      let high = size
      while (low < high) {
        const middle = (low + high) >>> 1
        if (compareAt(firsts, middle * words, wanted, 0, words) <= 0) low = middle + 1
        else high = middle
      }
      const index = low - 1
      if (index < 0 || compareAt(lasts, index * words, wanted, 0, words) < 0) return undefined
      const asn = numbers[index] ?? 0
      return { asn, asName: names.get(asn) ?? '' }
    },
  }
}

function toWords(octets: IpOctets): Uint32Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  return Uint32Array.from({ length: octets.length / 4 }, (_, index) => view.getUint32(index * 4))
}

function compareAt(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, words: number): number {
  for (let index = 0; index < words; index++) {
    const difference = (a[aAt + index] ?? 0) - (b[bAt + index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function countLines(csv: Uint8Array): number {
  let count = 1
  for (let at = csv.indexOf(NEWLINE); at >= 0; at = csv.indexOf(NEWLINE, at + 1)) count += 1
  return count
}

/** `"Cloudflare, Inc."` → `Cloudflare, Inc.`; doubled quotes are one. */
function readName(field: string): string {
  const text = field.replace(/\r$/, '')
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
}

function readNumber(csv: Uint8Array, start: number, end: number): number | undefined {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (csv[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return end > start && value <= 0xffff_ffff ? value : undefined
}

/** Dotted decimal, or the number that ip-location-db's `-num` files have. */
function readIpv4(csv: Uint8Array, start: number, end: number, target: Uint32Array, place: number): boolean {
  let value = 0
  let part = 0
  let dots = 0
  for (let at = start; at < end; at++) {
    const octet = csv[at] ?? 0
    if (octet === DOT) {
      if (part > 255) return false
      value = value * 256 + part
      part = 0
      dots += 1
    } else if (octet >= 0x30 && octet <= 0x39) part = part * 10 + octet - 0x30
    else return false
  }
  if (dots > 0 && part > 255) return false
  value = value * 256 + part
  if (end === start || (dots !== 0 && dots !== 3) || value > 0xffff_ffff) return false
  target[place] = value
  return true
}

/** Groups of hexadecimal digits with at most one `::`; no dotted tail (the files have none). */
function readIpv6(csv: Uint8Array, start: number, end: number, target: Uint32Array, place: number): boolean {
  const groups = new Uint16Array(8)
  let count = 0
  let gapAt = -1
  let at = start
  while (at < end) {
    if (csv[at] === COLON) {
      if (csv[at + 1] !== COLON || gapAt >= 0) return false
      gapAt = count
      at += 2
      continue
    }
    let group = 0
    const groupStart = at
    for (let digit = hexDigit(csv[at]); at < end && digit >= 0; digit = hexDigit(csv[at])) {
      group = group * 16 + digit
      at += 1
    }
    if (at === groupStart || at - groupStart > 4 || count === 8) return false
    groups[count] = group
    count += 1
    if (at < end && csv[at] === COLON && csv[at + 1] !== COLON) at += 1
  }
  if (gapAt < 0 ? count !== 8 : count > 7) return false
  if (gapAt >= 0) {
    groups.copyWithin(8 - (count - gapAt), gapAt, count)
    groups.fill(0, gapAt, 8 - (count - gapAt))
  }
  for (let word = 0; word < 4; word++) {
    target[place + word] = (((groups[word * 2] ?? 0) << 16) | (groups[word * 2 + 1] ?? 0)) >>> 0
  }
  return true
}

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const lower = octet | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
