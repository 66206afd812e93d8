/**
 * Reads JSON out of octets without making values of it: what a row usually holds, and nothing else.
 *
 * **Invariant**: a function that returns `false` has found what it does not know; whoever asked gives the whole line to
 * `JSON.parse`. A text or value that is taken is checked by its first appearance, later ones by being equal to it.
 *
 * Sources: RFC 8259.
 */

/** A place in one line, and what was taken last. */
export interface OctetCursor {
  octets: Uint8Array
  at: number
  /** Behind the last octet of the line. */
  end: number
  /** First octet of what was taken last; of a text, the one behind its quote. */
  from: number
  /** Behind the last octet of what was taken. */
  to: number
  /** A number that equal octets share. */
  hash: number
  /** Whether the text taken last holds a backslash. */
  isEscaped: boolean
}

/** What a hash begins with. */
export const HASH_START = 0x811c9dc5
const HASH_PRIME = 0x01000193

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const DEPTH_MAX = 8

/** A cursor over nothing. */
export function createOctetCursor(): OctetCursor {
  return { octets: new Uint8Array(0), at: 0, end: 0, from: 0, to: 0, hash: 0, isEscaped: false }
}

/** Adds a number to a hash. */
export function mixHash(hash: number, value: number): number {
  return Math.imul(hash ^ value, HASH_PRIME)
}

/** Goes to the next octet that is no white space. @returns That octet; −1 at the end of the line. */
export function peekOctet(cursor: OctetCursor): number {
  const { octets, end } = cursor
  let { at } = cursor
  while (at < end) {
    const octet = octets[at] as number
    if (octet > SPACE) break
    if (octet !== SPACE && octet !== 0x09 && octet !== 0x0d) return -1
    at++
  }
  cursor.at = at
  return at < end ? (octets[at] as number) : -1
}

/** Takes one octet, with white space before it. */
export function takeOctet(cursor: OctetCursor, octet: number): boolean {
  if (peekOctet(cursor) !== octet) return false
  cursor.at++
  return true
}

/** Takes a text. Escapes are not looked into. */
export function takeText(cursor: OctetCursor): boolean {
  if (peekOctet(cursor) !== QUOTE) return false
  const { octets, end } = cursor
  let at = cursor.at + 1
  const from = at
  let hash = HASH_START
  let isEscaped = false
  for (; at < end; at++) {
    const octet = octets[at] as number
    if (octet === QUOTE) {
      cursor.from = from
      cursor.to = at
      cursor.at = at + 1
      cursor.hash = hash
      cursor.isEscaped = isEscaped
      return true
    }
    if (octet < SPACE) return false
    hash = Math.imul(hash ^ octet, HASH_PRIME)
    if (octet !== BACKSLASH) continue
    isEscaped = true
    if (++at >= end) return false
    hash = Math.imul(hash ^ (octets[at] as number), HASH_PRIME)
  }
  return false
}

/** Takes a number or a word, up to what ends it. */
export function takeWord(cursor: OctetCursor): boolean {
  if (peekOctet(cursor) === -1) return false
  const { octets, end } = cursor
  const from = cursor.at
  let at = from
  let hash = HASH_START
  for (; at < end; at++) {
    const octet = octets[at] as number
    // Comma, brackets, braces, white space.
    if (octet <= SPACE || octet === 0x2c || octet === 0x5d || octet === 0x7d) break
    if (octet === QUOTE || octet === 0x7b || octet === 0x5b || octet === 0x3a) return false
    hash = Math.imul(hash ^ octet, HASH_PRIME)
  }
  cursor.from = from
  cursor.to = at
  cursor.at = at
  cursor.hash = hash
  return at > from
}

/** Takes a list or an object as a whole. Whether it is JSON is seen by whoever sees it first. */
export function takeNested(cursor: OctetCursor): boolean {
  const first = peekOctet(cursor)
  if (first !== 0x7b && first !== 0x5b) return false
  const { octets, end } = cursor
  const from = cursor.at
  let hash = HASH_START
  let depth = 0
  for (let at = from; at < end; at++) {
    const octet = octets[at] as number
    hash = Math.imul(hash ^ octet, HASH_PRIME)
    if (octet === QUOTE) {
      cursor.at = at
      if (!takeText(cursor)) return false
      hash = Math.imul(hash ^ cursor.hash, HASH_PRIME)
      at = cursor.at - 1
    } else if (octet === 0x7b || octet === 0x5b) {
      if (++depth > DEPTH_MAX) return false
    } else if ((octet === 0x7d || octet === 0x5d) && --depth === 0) {
      cursor.from = from
      cursor.to = at + 1
      cursor.at = at + 1
      cursor.hash = hash
      return true
    }
  }
  return false
}

/** Takes `true` or `false`. @returns 1 or 0; −1 for anything else. */
export function takeFlag(cursor: OctetCursor): number {
  const first = peekOctet(cursor)
  const { octets, at } = cursor
  if (first === 0x74 && octets[at + 1] === 0x72 && octets[at + 2] === 0x75 && octets[at + 3] === 0x65)
    return endWord(cursor, 4) ? 1 : -1
  if (
    first === 0x66 &&
    octets[at + 1] === 0x61 &&
    octets[at + 2] === 0x6c &&
    octets[at + 3] === 0x73 &&
    octets[at + 4] === 0x65
  )
    return endWord(cursor, 5) ? 0 : -1
  return -1
}

/** Takes `null`. */
export function takeNull(cursor: OctetCursor): boolean {
  if (peekOctet(cursor) !== 0x6e) return false
  const { octets, at } = cursor
  return octets[at + 1] === 0x75 && octets[at + 2] === 0x6c && octets[at + 3] === 0x6c && endWord(cursor, 4)
}

/** Behind a word stands what may follow a value. */
function endWord(cursor: OctetCursor, octets: number): boolean {
  const at = cursor.at + octets
  if (at > cursor.end) return false
  const next = at < cursor.end ? (cursor.octets[at] as number) : SPACE
  if (next > SPACE && next !== 0x2c && next !== 0x5d && next !== 0x7d) return false
  cursor.at = at
  return true
}

/** What {@link takeSmallInteger} returns for anything that it does not take. */
export const NO_INTEGER = 0x10000

/** Takes a whole number of −32,768 to 32,767 in its shortest form. */
export function takeSmallInteger(cursor: OctetCursor): number {
  const isNegative = peekOctet(cursor) === 0x2d
  const { octets, end } = cursor
  const from = cursor.at + (isNegative ? 1 : 0)
  let at = from
  let value = 0
  for (; at < end && at < from + 6; at++) {
    const digit = (octets[at] as number) - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  const digits = at - from
  if (digits === 0 || digits > 5 || (digits > 1 && octets[from] === 0x30)) return NO_INTEGER
  if (isNegative && value === 0) return NO_INTEGER
  if (!endWord(cursor, at - cursor.at)) return NO_INTEGER
  const number = isNegative ? -value : value
  return number < -32_768 || number > 32_767 ? NO_INTEGER : number
}
