/** A set of numbers from 0 on, a bit for each: twenty million pairs take 2.5 MB. */
import { assert } from '../../core/assert.ts'

const OCTETS_MIN = 1024
const NUMBER_MAX = 2 ** 34

/** The set. */
export class NumberSet {
  #bits = new Uint8Array(OCTETS_MIN)
  #size = 0

  /** How many numbers are in it. */
  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    return ((this.#bits[Math.floor(number / 8)] ?? 0) & (1 << (number % 8))) !== 0
  }

  /** @returns Whether it was not in it before. */
  add(number: number): boolean {
    assert(number >= 0 && number < NUMBER_MAX, 'the numbers of pairs are bounded')
    if (this.has(number)) return false
    const at = Math.floor(number / 8)
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.#bits.length * 2))
      larger.set(this.#bits)
      this.#bits = larger
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (number % 8))
    this.#size++
    return true
  }
}
