/**
 * Words → numbers, looked up by octets: a line of input needs no string.
 *
 * Invariant: holds at most half as many words as it has places, so that every search ends.
 */

const WORD_OCTETS_MAX = 64

/** The table. */
export class TokenTable {
  private readonly octets: Uint8Array
  private readonly sizes: Uint8Array
  private readonly values: Int32Array
  private readonly mask: number
  private count = 0

  /** @param words - How many words it is to hold. */
  constructor(words: number) {
    let places = 16
    while (places < words * 2) places *= 2
    this.mask = places - 1
    this.octets = new Uint8Array(places * WORD_OCTETS_MAX)
    this.sizes = new Uint8Array(places)
    this.values = new Int32Array(places)
  }

  /** @returns The number of the word between two places of `text`; −1 when it is not known. */
  find(text: Uint8Array, from: number, to: number): number {
    if (to - from > WORD_OCTETS_MAX) return -1
    const place = this.place(text, from, to)
    return this.sizes[place] === 0 ? -1 : (this.values[place] as number)
  }

  /** Adds a word; does nothing when the table is full or the word too long. */
  add(text: Uint8Array, from: number, to: number, value: number): void {
    if (this.count * 2 > this.mask || to - from > WORD_OCTETS_MAX || to === from) return
    const place = this.place(text, from, to)
    this.octets.set(text.subarray(from, to), place * WORD_OCTETS_MAX)
    this.sizes[place] = to - from
    this.values[place] = value
    this.count++
  }

  private place(text: Uint8Array, from: number, to: number): number {
    let hash = 0x811c9dc5
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ (text[i] as number), 0x01000193)
    let place = hash & this.mask
    while (this.sizes[place] !== 0 && !this.isAt(place, text, from, to)) place = (place + 1) & this.mask
    return place
  }

  private isAt(place: number, text: Uint8Array, from: number, to: number): boolean {
    const size = to - from
    if (this.sizes[place] !== size) return false
    const base = place * WORD_OCTETS_MAX
    for (let i = 0; i < size; i++) if (this.octets[base + i] !== text[from + i]) return false
    return true
  }
}
