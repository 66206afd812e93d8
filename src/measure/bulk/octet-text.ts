/**
 * A buffer that records are written into as octets.
 *
 * Invariant: grows to what one record needs and never beyond {@link OCTETS_MAX}; whoever writes asks for room first. Behind
 * `length` there may be anything.
 */
import { assert } from '../../core/assert.ts'
import { SLACK_OCTETS } from './put-octets.ts'

/** One message of 64 KiB whose names are compressed may become some 30 MB of escaped text. */
const OCTETS_MAX = 268_435_456

/** The buffer. */
export class OctetText {
  octets: Uint8Array
  /** The same octets. */
  view: DataView
  /** How many octets are written. */
  length = 0

  constructor(sizeOctets: number) {
    this.octets = new Uint8Array(sizeOctets)
    this.view = new DataView(this.octets.buffer)
  }

  /** Makes room for `more` octets behind what is written. @returns The view of them, and of all others. */
  ensure(more: number): DataView {
    return this.ensureAt(this.length, more)
  }

  /** Makes room for `more` octets behind `to`, which something that is not finished reaches. */
  ensureAt(to: number, more: number): DataView {
    const needed = to + more + SLACK_OCTETS
    if (needed <= this.octets.length) return this.view
    assert(needed <= OCTETS_MAX, 'a record is shorter than 256 MiB')
    const grown = new Uint8Array(Math.max(needed, this.octets.length * 2))
    grown.set(this.octets.subarray(0, to))
    this.octets = grown
    this.view = new DataView(grown.buffer)
    return this.view
  }

  /** Writes octets as they are. There must be room. */
  put(octets: Uint8Array): void {
    this.octets.set(octets, this.length)
    this.length += octets.length
  }
}
