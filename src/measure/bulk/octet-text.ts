/**
 * A buffer that text is written into as octets: no string is made.
 *
 * Invariant: grows to what one record needs and never beyond {@link OCTETS_MAX}; whoever writes asks for room first.
 */
import { assert } from '../../core/assert.ts'

/** One message of 64 KiB whose names are compressed may become some 30 MB of escaped text. */
const OCTETS_MAX = 268_435_456
/** A call costs as much as a loop over this many. */
const LOOP_OCTETS_MAX = 8
const BACKSLASH = 0x5c
const DOT = 0x2e
const ZERO = 0x30
const POINTER = 0xc0
/** RFC 1035 section 2.3.4, and no more pointers than labels fit. */
const NAME_OCTETS_MAX = 255

/** How an octet of a label is written in JSON: 0 as it is, 1 as `\DDD`, 2 with a backslash before it, 3 as `\"`. */
const LABEL_FORMS: Uint8Array = createLabelForms()

function createLabelForms(): Uint8Array {
  const forms = new Uint8Array(256).fill(1)
  for (let octet = 0x21; octet < 0x7f; octet++) forms[octet] = 0
  for (const char of '$().;@\\') forms[char.charCodeAt(0)] = 2
  forms[0x22] = 3
  return forms
}

/** Text as octets. */
export function textOctets(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The buffer. */
export class OctetText {
  octets: Uint8Array
  /** How many octets are written. */
  length = 0

  constructor(sizeOctets: number) {
    this.octets = new Uint8Array(sizeOctets)
  }

  /** Makes room for `more` octets. */
  ensure(more: number): void {
    const needed = this.length + more
    if (needed <= this.octets.length) return
    assert(needed <= OCTETS_MAX, 'a record is shorter than 256 MiB')
    const grown = new Uint8Array(Math.max(needed, this.octets.length * 2))
    grown.set(this.octets.subarray(0, this.length))
    this.octets = grown
  }

  /** Writes octets as they are. There must be room. */
  put(text: Uint8Array): void {
    const { octets } = this
    let to = this.length
    this.length = to + text.length
    if (text.length > LOOP_OCTETS_MAX) octets.set(text, to)
    else for (let i = 0; i < text.length; i++) octets[to++] = text[i] as number
  }

  /** Writes once more what was written before. There must be room. */
  repeat(from: number, end: number): void {
    this.octets.copyWithin(this.length, from, end)
    this.length += end - from
  }

  /** Writes a whole number of at least 0 in decimal. There must be room for 20 octets. */
  putNumber(value: number): void {
    const { octets } = this
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    let rest = value
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tens = rest < 0x8000_0000 ? ((rest | 0) / 10) | 0 : Math.floor(rest / 10)
      octets[at] = ZERO + (rest - tens * 10)
      rest = tens
    }
    this.length += digits
  }

  /** Writes a whole number below 2³¹ with zeros in front. There must be room. */
  putPadded(value: number, digits: number): void {
    const { octets } = this
    let rest = value | 0
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tens = (rest / 10) | 0
      octets[at] = ZERO + (rest - tens * 10)
      rest = tens
    }
    this.length += digits
  }

  /** Writes four octets of a message as dotted decimal. There must be room for 15 octets. */
  putIpv4(message: Uint8Array, at: number): void {
    const { octets } = this
    let to = this.length
    for (let i = 0; i < 4; i++) {
      const value = message[at + i] as number
      if (i > 0) octets[to++] = DOT
      if (value >= 100) octets[to++] = ZERO + ((value / 100) | 0)
      if (value >= 10) octets[to++] = ZERO + (((value / 10) | 0) % 10)
      octets[to++] = ZERO + (value % 10)
    }
    this.length = to
  }

  /**
   * Writes the name at `at` of a message that lies at `base`, with a dot at the end, escaped for master files and JSON.
   * There must be room for 1,300 octets.
   *
   * @param end - Where the message ends.
   * @returns Whether it is a name; if not, nothing is written.
   */
  putName(message: Uint8Array, base: number, at: number, end: number): boolean {
    const { octets } = this
    let to = this.length
    let from = at
    let bound = at
    let sizeOctets = 1
    for (;;) {
      if (from >= end) return false
      const size = message[from] as number
      if (size === 0) break
      if (size >= POINTER) {
        if (from + 1 >= end) return false
        const target = base + (((size & 0x3f) << 8) | (message[from + 1] as number))
        // Only ever backwards: so it ends.
        if (target >= bound) return false
        from = target
        bound = target
        continue
      }
      sizeOctets += size + 1
      if (size > 63 || sizeOctets > NAME_OCTETS_MAX || from + size >= end) return false
      for (let i = from + 1; i <= from + size; i++) {
        const octet = message[i] as number
        const form = LABEL_FORMS[octet] as number
        if (form === 0) octets[to++] = octet
        else to = putEscaped(octets, to, octet, form)
      }
      octets[to++] = DOT
      from += size + 1
    }
    if (sizeOctets === 1) octets[to++] = DOT
    this.length = to
    return true
  }
}

/** In JSON every backslash is doubled. @returns Where the text goes on. */
function putEscaped(octets: Uint8Array, at: number, octet: number, form: number): number {
  let to = at
  octets[to++] = BACKSLASH
  octets[to++] = BACKSLASH
  if (form === 1) {
    octets[to++] = ZERO + ((octet / 100) | 0)
    octets[to++] = ZERO + (((octet / 10) | 0) % 10)
    octets[to++] = ZERO + (octet % 10)
    return to
  }
  if (form === 3 || octet === BACKSLASH) octets[to++] = BACKSLASH
  octets[to++] = octet
  return to
}
