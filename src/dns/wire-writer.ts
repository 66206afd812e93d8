/**
 * Appends octets to a message that grows as needed.
 *
 * **Invariant:** names are compressed only against octets of the same case, so that decoding gives back what was
 * encoded.
 *
 * **Sources:** RFC 1035 section 4.1.4.
 */
import { assert } from '../core/assert.ts'
import { LABEL_OCTETS_MAX, type Name, NAME_OCTETS_MAX } from './name.ts'

/** What TCP's length field can say. */
const MESSAGE_OCTETS_MAX = 0xffff

/** A pointer has 14 bits. */
const POINTER_TARGET_MAX = 0x3fff

/** Enough for most messages over UDP. */
const INITIAL_OCTETS = 512

/** A message under construction. */
export class WireWriter {
  #octets = new Uint8Array(INITIAL_OCTETS)
  #length = 0
  /** Where names start that were written, by their octets; `undefined` without compression. */
  readonly #names: Map<string, number> | undefined

  constructor(compress: boolean) {
    this.#names = compress ? new Map() : undefined
  }

  /** Octets so far. */
  get length(): number {
    return this.#length
  }

  /** @returns A copy of everything written. */
  finish(): Uint8Array {
    return this.#octets.slice(0, this.#length)
  }

  /** @throws {BugError} Also when the message grows over 65,535 octets, as every other method here. */
  uint8(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'value does not fit 8 bits')
    this.#reserve(1)
    this.#octets[this.#length++] = value
  }

  /** @throws {BugError} */
  uint16(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff, 'value does not fit 16 bits')
    this.#reserve(2)
    this.#octets[this.#length++] = value >>> 8
    this.#octets[this.#length++] = value & 0xff
  }

  /** @throws {BugError} */
  uint32(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, 'value does not fit 32 bits')
    this.uint16(value >>> 16)
    this.uint16(value & 0xffff)
  }

  /** @throws {BugError} */
  put(octets: Uint8Array): void {
    this.#reserve(octets.length)
    this.#octets.set(octets, this.#length)
    this.#length += octets.length
  }

  /** Writes a character-string: a length octet and up to 255 octets. @throws {BugError} */
  putCounted(octets: Uint8Array): void {
    this.uint8(octets.length)
    this.put(octets)
  }

  /** Runs `write` and puts the number of octets it wrote into 16 bits before them. @throws {BugError} */
  putMeasured(write: () => void): void {
    const at = this.#length
    this.uint16(0)
    write()
    const sizeOctets = this.#length - at - 2
    this.#octets[at] = sizeOctets >>> 8
    this.#octets[at + 1] = sizeOctets & 0xff
  }

  /** Writes a name; `compressible` where RFC 3597 section 4 allows a pointer. @throws {BugError} */
  name(name: Name, compressible: boolean): void {
    let sizeOctets = 1
    for (const label of name) {
      assert(label.length > 0 && label.length <= LABEL_OCTETS_MAX, 'label is empty or longer than 63 octets')
      sizeOctets += 1 + label.length
    }
    assert(sizeOctets <= NAME_OCTETS_MAX, 'name is longer than 255 octets')
    for (let i = 0; i < name.length; i++) {
      if (compressible && this.#pointTo(name, i)) return
      this.putCounted(name[i] as Uint8Array)
    }
    this.uint8(0)
  }

  /** Writes a pointer when the name from label `first` on is there already; remembers it otherwise. */
  #pointTo(name: Name, first: number): boolean {
    if (this.#names === undefined) return false
    const key = name.slice(first).join('.')
    const target = this.#names.get(key)
    if (target !== undefined) {
      this.uint16(0xc000 | target)
      return true
    }
    if (this.#length <= POINTER_TARGET_MAX) this.#names.set(key, this.#length)
    return false
  }

  #reserve(sizeOctets: number): void {
    const needed = this.#length + sizeOctets
    if (needed <= this.#octets.length) return
    assert(needed <= MESSAGE_OCTETS_MAX, 'message is longer than 65,535 octets')
    const grown = new Uint8Array(Math.min(MESSAGE_OCTETS_MAX, Math.max(needed, this.#octets.length * 2)))
    grown.set(this.#octets.subarray(0, this.#length))
    this.#octets = grown
  }
}
