/**
 * Text into a buffer as octets: no string is made, and each function returns where the text goes on.
 *
 * What is constant is copied eight octets at a time, as floating-point numbers: text of ASCII is never one that is not a
 * number, whose bits a copy might change. Digits come from tables, four octets at a time.
 *
 * Invariant: whoever calls has made room, {@link SLACK_OCTETS} more than the text takes: copies of whole words leave rests
 * behind their end, which what follows overwrites.
 */
import { assert } from '../../core/assert.ts'

/** Copies of whole words write up to so many octets more than they have to. */
export const SLACK_OCTETS = 16
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

/** Below this, the digits of a number stand in a table. */
const TABLED = 1_000
/** Three digits with zeros in front; … */
const PADDED = createWords(TABLED, (value) => String(value).padStart(3, '0'))
/** … without; … */
const SHORT = createWords(TABLED, String)
/** … and parts of dotted decimal, with the dot behind them. */
const DOTTED = createWords(256, (value) => `${value}.`)

/** Texts of at most four octets, as little-endian words. */
function createWords(count: number, format: (value: number) => string): Int32Array {
  const view = new DataView(new ArrayBuffer(4))
  return Int32Array.from({ length: count }, (_, value) => {
    const text = format(value)
    for (let i = 0; i < 4; i++) view.setUint8(i, i < text.length ? text.charCodeAt(i) : 0)
    return view.getInt32(0, true)
  })
}

/** Constant text, ready to be copied. */
export interface TextPiece {
  /** Eight octets each, little-endian; zeros behind the end. */
  readonly words: Float64Array
  readonly sizeOctets: number
}

/** Text as a piece. It is ASCII. */
export function textPiece(text: string): TextPiece {
  const view = new DataView(new ArrayBuffer(Math.ceil(text.length / 8) * 8))
  for (let i = 0; i < text.length; i++) {
    assert(text.charCodeAt(i) < 0x80, 'a piece is ASCII')
    view.setUint8(i, text.charCodeAt(i))
  }
  const words = Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true))
  return { words, sizeOctets: text.length }
}

/** Writes constant text. */
export function putPiece(view: DataView, to: number, { words, sizeOctets }: TextPiece): number {
  for (let i = 0; i < words.length; i++) view.setFloat64(to + i * 8, words[i] as number, true)
  return to + sizeOctets
}

/** Writes once more what was written before, and is followed by at least eight octets. */
export function putAgain(view: DataView, to: number, from: number, end: number): number {
  for (let at = from; at < end; at += 8) view.setFloat64(to + at - from, view.getFloat64(at, true), true)
  return to + end - from
}

/** Writes a whole number of at least 0 in decimal, at most 20 octets. */
export function putNumber(view: DataView, to: number, value: number): number {
  if (value < TABLED) {
    view.setInt32(to, SHORT[value] as number, true)
    return to + (value < 10 ? 1 : value < 100 ? 2 : 3)
  }
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  let rest = value
  for (let at = to + digits - 1; at >= to; at--) {
    const tens = rest < 0x8000_0000 ? ((rest | 0) / 10) | 0 : Math.floor(rest / 10)
    view.setUint8(at, ZERO + (rest - tens * 10))
    rest = tens
  }
  return to + digits
}

/** Writes a whole number below 1,000 with three digits. */
export function putThree(view: DataView, to: number, value: number): number {
  view.setInt32(to, PADDED[value] as number, true)
  return to + 3
}

/** Writes a number below 1,000,000 without its fraction with six digits. */
export function putSix(view: DataView, to: number, value: number): number {
  const whole = value | 0
  const thousands = (whole / 1_000) | 0
  view.setInt32(to, PADDED[thousands] as number, true)
  view.setInt32(to + 3, PADDED[whole - thousands * 1_000] as number, true)
  return to + 6
}

/** Writes four octets of a message as dotted decimal. */
export function putIpv4(view: DataView, at: number, message: Uint8Array, from: number): number {
  let to = at
  for (let i = from; i < from + 4; i++) {
    const value = message[i] as number
    view.setInt32(to, DOTTED[value] as number, true)
    to += value < 10 ? 2 : value < 100 ? 3 : 4
  }
  // But for the last dot.
  return to - 1
}

/**
 * Writes a name of labels that need no escape, with a dot at the end.
 *
 * @param wire - Four octets longer than the name.
 * @param at - Where its first label begins.
 * @param end - Behind the root's label.
 */
export function putPlainName(view: DataView, to: number, wire: DataView, at: number, end: number): number {
  const sizeOctets = end - at - 1
  for (let i = 0; i < sizeOctets; i += 4) view.setInt32(to + i, wire.getInt32(at + 1 + i, true), true)
  for (let from = at; from < end - 1;) {
    from += wire.getUint8(from) + 1
    view.setUint8(to + from - at - 1, DOT)
  }
  return to + sizeOctets
}

/**
 * Writes the name at `at` of a message that lies at `base`, with a dot at the end, escaped for master files and JSON: at most
 * 1,300 octets.
 *
 * @param end - Where the message ends.
 * @returns −1 when it is no name.
 */
export function putName(
  view: DataView,
  start: number,
  message: Uint8Array,
  base: number,
  at: number,
  end: number,
): number {
  let to = start
  let from = at
  let bound = at
  let sizeOctets = 1
  for (;;) {
    if (from >= end) return -1
    const size = message[from] as number
    if (size === 0) break
    if (size >= POINTER) {
      if (from + 1 >= end) return -1
      const target = base + (((size & 0x3f) << 8) | (message[from + 1] as number))
      // Only ever backwards: so it ends.
      if (target >= bound) return -1
      from = target
      bound = target
      continue
    }
    sizeOctets += size + 1
    if (size > 63 || sizeOctets > NAME_OCTETS_MAX || from + size >= end) return -1
    for (let i = from + 1; i <= from + size; i++) {
      const octet = message[i] as number
      const form = LABEL_FORMS[octet] as number
      if (form === 0) view.setUint8(to++, octet)
      else to = putEscaped(view, to, octet, form)
    }
    view.setUint8(to++, DOT)
    from += size + 1
  }
  if (sizeOctets === 1) view.setUint8(to++, DOT)
  return to
}

/** In JSON every backslash is doubled. */
function putEscaped(view: DataView, at: number, octet: number, form: number): number {
  let to = at
  view.setUint8(to++, BACKSLASH)
  view.setUint8(to++, BACKSLASH)
  if (form === 1) {
    view.setUint8(to++, ZERO + ((octet / 100) | 0))
    view.setUint8(to++, ZERO + (((octet / 10) | 0) % 10))
    view.setUint8(to++, ZERO + (octet % 10))
    return to
  }
  if (form === 3 || octet === BACKSLASH) view.setUint8(to++, BACKSLASH)
  view.setUint8(to++, octet)
  return to
}
