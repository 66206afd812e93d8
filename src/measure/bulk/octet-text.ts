/**
 * A buffer that text is written into as octets: no string is made.
 *
 * What is constant is copied eight octets at a time, as floating-point numbers: text of ASCII is never one that is not a
 * number, whose bits a copy might change. Digits come from tables, four octets at a time.
 *
 * Invariant: grows to what one record needs and never beyond {@link OCTETS_MAX}; whoever writes asks for room first. Behind
 * `length` there may be rests of longer copies, which what follows overwrites.
 */
import { assert } from '../../core/assert.ts'

/** One message of 64 KiB whose names are compressed may become some 30 MB of escaped text. */
const OCTETS_MAX = 268_435_456
/** Copies of whole words write up to so many octets more than they have to. */
const SLACK_OCTETS = 16
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

/** Text as octets. */
export function textOctets(text: string): Uint8Array {
  return new TextEncoder().encode(text)
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

/** The buffer. */
export class OctetText {
  octets: Uint8Array
  /** How many octets are written. */
  length = 0
  private view: DataView

  constructor(sizeOctets: number) {
    this.octets = new Uint8Array(sizeOctets)
    this.view = new DataView(this.octets.buffer)
  }

  /** Makes room for `more` octets. */
  ensure(more: number): void {
    const needed = this.length + more + SLACK_OCTETS
    if (needed <= this.octets.length) return
    assert(needed <= OCTETS_MAX, 'a record is shorter than 256 MiB')
    const grown = new Uint8Array(Math.max(needed, this.octets.length * 2))
    grown.set(this.octets.subarray(0, this.length))
    this.octets = grown
    this.view = new DataView(grown.buffer)
  }

  /** Writes octets as they are. There must be room. */
  put(text: Uint8Array): void {
    this.octets.set(text, this.length)
    this.length += text.length
  }

  /** Writes constant text. There must be room. */
  putPiece({ words, sizeOctets }: TextPiece): void {
    const { view, length } = this
    for (let i = 0; i < words.length; i++) view.setFloat64(length + i * 8, words[i] as number, true)
    this.length = length + sizeOctets
  }

  /** Writes once more what was written before, and is followed by at least eight octets. There must be room. */
  repeat(from: number, end: number): void {
    const { view, length } = this
    for (let at = from; at < end; at += 8) view.setFloat64(length + at - from, view.getFloat64(at, true), true)
    this.length = length + end - from
  }

  /** Writes a whole number of at least 0 in decimal. There must be room for 20 octets. */
  putNumber(value: number): void {
    if (value < TABLED) {
      this.view.setInt32(this.length, SHORT[value] as number, true)
      this.length += value < 10 ? 1 : value < 100 ? 2 : 3
      return
    }
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

  /** Writes a whole number below 1,000 with three digits. There must be room. */
  putThree(value: number): void {
    this.view.setInt32(this.length, PADDED[value] as number, true)
    this.length += 3
  }

  /** Writes a whole number below 1,000,000 with six digits. There must be room. */
  putSix(value: number): void {
    const thousands = (value / 1_000) | 0
    this.view.setInt32(this.length, PADDED[thousands] as number, true)
    this.view.setInt32(this.length + 3, PADDED[(value | 0) - thousands * 1_000] as number, true)
    this.length += 6
  }

  /** Writes four octets of a message as dotted decimal. There must be room for 16 octets. */
  putIpv4(message: Uint8Array, at: number): void {
    const { view } = this
    let to = this.length
    for (let i = at; i < at + 4; i++) {
      const value = message[i] as number
      view.setInt32(to, DOTTED[value] as number, true)
      to += value < 10 ? 2 : value < 100 ? 3 : 4
    }
    // But for the last dot.
    this.length = to - 1
  }

  /**
   * Writes the name at `at`, of labels that need no escape, with a dot at the end. There must be room.
   *
   * @param wire - Four octets longer than the name.
   * @param end - Behind the root's label.
   */
  putPlainName(wire: DataView, at: number, end: number): void {
    const { octets, view, length } = this
    const sizeOctets = end - at - 1
    for (let i = 0; i < sizeOctets; i += 4) view.setInt32(length + i, wire.getInt32(at + 1 + i, true), true)
    for (let from = at; from < end - 1;) {
      from += wire.getUint8(from) + 1
      octets[length + from - at - 1] = DOT
    }
    this.length = length + sizeOctets
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
