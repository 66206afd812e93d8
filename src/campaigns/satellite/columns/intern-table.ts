/**
 * Octets that come again and again, each kept once under a number.
 *
 * **Invariant**: numbers count up from 0 and never change; memory grows with what is different, up to a limit.
 */

const SLOTS_START = 2048
const ARENA_START = 65_536
/** More different things than this are no vocabulary. */
const ENTRIES_MAX = 4_194_304
const NEWLINE = 0x0a

/** A table from octets to numbers. */
export class InternTable {
  /** How many there are. */
  size = 0
  readonly #entriesMax: number
  #slots = new Int32Array(SLOTS_START)
  #hashes = new Int32Array(SLOTS_START / 2)
  /** Where each begins in the arena; the next one's beginning ends it. */
  #starts = new Float64Array(SLOTS_START / 2 + 1)
  #arena = new Uint8Array(ARENA_START)

  /** @param entriesMax - How many it takes. */
  constructor(entriesMax: number = ENTRIES_MAX) {
    this.#entriesMax = entriesMax
  }

  /** @returns The number of these octets; −1 when they were never added. */
  find(octets: Uint8Array, from: number, to: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const id = (slots[slot] as number) - 1
      if (id < 0) return -1
      if (this.#hashes[id] === hash && this.#isEqual(id, octets, from, to)) return id
    }
  }

  /** Adds octets that are not there yet. @returns Their number; −1 when the table is full. */
  add(octets: Uint8Array, from: number, to: number, hash: number): number {
    if (this.size >= this.#entriesMax) return -1
    const id = this.size
    if (id + 1 >= this.#hashes.length) this.#grow()
    const start = this.#starts[id] as number
    const end = start + to - from
    if (end > this.#arena.length) {
      const larger = new Uint8Array(Math.max(end, this.#arena.length * 2))
      larger.set(this.#arena)
      this.#arena = larger
    }
    this.#arena.set(octets.subarray(from, to), start)
    this.#hashes[id] = hash
    this.#starts[id + 1] = end
    this.size = id + 1
    this.#place(id)
    return id
  }

  /** The octets of a number. */
  octets(id: number): Uint8Array {
    return this.#arena.subarray(this.#starts[id], this.#starts[id + 1])
  }

  /** All of them, in the order of their numbers, each with a line feed. */
  toLines(): Uint8Array<ArrayBuffer> {
    const lines = new Uint8Array((this.#starts[this.size] as number) + this.size)
    for (let id = 0; id < this.size; id++) {
      const start = this.#starts[id] as number
      lines.set(this.octets(id), start + id)
      lines[(this.#starts[id + 1] as number) + id] = NEWLINE
    }
    return lines
  }

  #isEqual(id: number, octets: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[id] as number
    if ((this.#starts[id + 1] as number) - start !== to - from) return false
    const arena = this.#arena
    for (let at = from, own = start; at < to; at++, own++) if (arena[own] !== octets[at]) return false
    return true
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1
    const hash = this.#hashes[id] as number
    let slot = (hash ^ (hash >>> 15)) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = id + 1
  }

  #grow(): void {
    const entries = this.#hashes.length * 2
    const hashes = new Int32Array(entries)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const starts = new Float64Array(entries + 1)
    starts.set(this.#starts)
    this.#starts = starts
    this.#slots = new Int32Array(entries * 2)
    for (let id = 0; id < this.size; id++) this.#place(id)
  }
}
