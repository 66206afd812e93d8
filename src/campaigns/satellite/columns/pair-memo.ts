/** Remembers what was found out about a name and an answer together. */

const SLOTS_START = 65_536
/** Both numbers are below this; their pair is a whole number that a float holds. */
const SECOND_MAX = 67_108_864

/** A table from two numbers to one. */
export class PairMemo {
  #keys = new Float64Array(SLOTS_START).fill(-1)
  #values = new Int32Array(SLOTS_START)
  #size = 0

  /** @returns −1 when nothing is known. */
  get(first: number, second: number): number {
    const key = first * SECOND_MAX + second
    const mask = this.#keys.length - 1
    for (let slot = spread(first, second) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#keys[slot] as number
      if (found === key) return this.#values[slot] as number
      if (found === -1) return -1
    }
  }

  /** Remembers a pair that is not known yet. */
  set(first: number, second: number, value: number): void {
    if (this.#size * 2 >= this.#keys.length) this.#grow()
    this.#place(first * SECOND_MAX + second, spread(first, second), value)
    this.#size++
  }

  #place(key: number, hash: number, value: number): void {
    const mask = this.#keys.length - 1
    let slot = hash & mask
    while (this.#keys[slot] !== -1) slot = (slot + 1) & mask
    this.#keys[slot] = key
    this.#values[slot] = value
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    this.#keys = new Float64Array(keys.length * 2).fill(-1)
    this.#values = new Int32Array(keys.length * 2)
    for (let slot = 0; slot < keys.length; slot++) {
      const key = keys[slot] as number
      if (key !== -1) this.#place(key, spread(Math.floor(key / SECOND_MAX), key % SECOND_MAX), values[slot] as number)
    }
  }
}

function spread(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
