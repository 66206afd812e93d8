/**
 * Reads octets from the front. The first failure sticks: from then on reads give zeros and empty values, so that a
 * decoder asks once, at the end, whether all went well.
 *
 * **Invariant:** nothing throws and every loop ends. Compression pointers lead strictly backwards, into the message
 * proper, over a bounded number of steps.
 *
 * **Sources:** RFC 1035 sections 2.3.4 and 4.1.4; RFC 9267 (what goes wrong with names in practice).
 */
import { type Name, NAME_OCTETS_MAX } from './name.ts'

/** Where and why octets could not be understood. */
export interface WireFailure {
  /** Octets from the start of the message. */
  readonly offset: number
  /** A clause in English, without values from the message. */
  readonly reason: string
}

const HEADER_OCTETS = 12

/** A name has at most 127 labels; more pointers than that serve no purpose but to cost time. */
const POINTERS_MAX = 127

const NO_OCTETS = new Uint8Array(0)

/** A position in a message, and what has failed so far. */
export class WireReader {
  /** The whole message. */
  readonly octets: Uint8Array
  /** Where the next read starts. */
  offset = 0
  /** Where reads stop: the end of the message, or of the part that {@link limit} set. */
  end: number
  /** The first failure. */
  failure: WireFailure | undefined
  /** Whether a compression pointer was met where one is allowed; for the caller to clear. */
  hasFollowedPointer = false
  /** What pointers led to, by their target: most owners in a response are one and the same name. */
  #pointedNames: Map<number, Name> | undefined
  /** Labels behind pointers, by their offset, so that many pointers to one long name do not multiply it. */
  #pointedLabels: Map<number, Uint8Array> | undefined

  constructor(octets: Uint8Array) {
    // A subclass may have another `slice`: that of Node's buffers gives views, and what is read here must be copies.
    const isPlain = octets.constructor === Uint8Array
    this.octets = isPlain ? octets : new Uint8Array(octets.buffer, octets.byteOffset, octets.length)
    this.end = octets.length
  }

  /** Notes a failure unless there is one already. */
  fail(reason: string, offset: number = this.offset): void {
    this.failure ??= { offset, reason }
  }

  /** Forgets the failure and goes on at `offset`: what failed was one part, kept as octets. */
  recover(offset: number): void {
    this.failure = undefined
    this.offset = offset
  }

  /** Octets left before {@link end}; 0 after a failure, so that loops over it end. */
  remaining(): number {
    return this.failure === undefined ? this.end - this.offset : 0
  }

  /** @returns Whether `sizeOctets` octets can be read; notes a failure otherwise. */
  #has(sizeOctets: number): boolean {
    if (this.failure !== undefined) return false
    if (this.end - this.offset >= sizeOctets) return true
    this.fail('ends too early')
    return false
  }

  uint8(): number {
    return this.#has(1) ? (this.octets[this.offset++] as number) : 0
  }

  uint16(): number {
    if (!this.#has(2)) return 0
    const at = this.offset
    this.offset += 2
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number)
  }

  uint32(): number {
    if (!this.#has(4)) return 0
    return this.uint16() * 0x1_0000 + this.uint16()
  }

  /** @returns A copy of the next octets. */
  take(sizeOctets: number): Uint8Array {
    if (!this.#has(sizeOctets)) return NO_OCTETS
    const at = this.offset
    this.offset += sizeOctets
    return this.octets.slice(at, this.offset)
  }

  /** @returns A copy of everything up to {@link end}. */
  takeRest(): Uint8Array {
    return this.take(this.remaining())
  }

  /** @returns A copy of the octets behind a length octet: a character-string. */
  takeCounted(): Uint8Array {
    return this.take(this.uint8())
  }

  /**
   * Makes reads stop `sizeOctets` octets from here.
   *
   * @returns The limit so far, to be put back into {@link end}; notes a failure when it is exceeded.
   */
  limit(sizeOctets: number): number {
    const outer = this.end
    if (this.#has(sizeOctets)) this.end = this.offset + sizeOctets
    return outer
  }

  /** Reads a name. Where `pointers` is `refuse`, a compression pointer is a failure. */
  name(pointers: 'follow' | 'refuse'): Name {
    if (this.failure !== undefined) return []
    const { octets } = this
    const labels: Uint8Array[] = []
    let isPointed = false
    let [firstTarget, ownLabels] = [0, 0]
    let sizeOctets = 1
    let [at, end, start] = [this.offset, this.end, this.offset]
    // Every turn adds a label, of which 255 octets are allowed, or follows a pointer, of which there is a number.
    for (let pointersLeft = POINTERS_MAX; ;) {
      if (at >= end) return this.#failName('name ends too early', at)
      const length = octets[at] as number
      if (length === 0) break
      if (length >= 0xc0) {
        if (at + 1 >= end) return this.#failName('compression pointer ends too early', at)
        if (pointers === 'refuse') return this.#failName('compressed name in a type that forbids it', at)
        this.hasFollowedPointer = true
        const target = ((length & 0x3f) << 8) | (octets[at + 1] as number)
        if (target < HEADER_OCTETS) return this.#failName('compression pointer into the header', at)
        if (target >= start) return this.#failName('compression pointer that does not lead back', at)
        if (pointersLeft-- === 0) return this.#failName('too many compression pointers', at)
        if (!isPointed) {
          isPointed = true
          this.offset = at + 2
          const known = this.#pointedNames?.get(target)
          if (known !== undefined) return this.#join(labels, known, at)
          firstTarget = target
          ownLabels = labels.length
        }
        at = start = target
        end = octets.length
        continue
      }
      if (length >= 0x40) return this.#failName('label of an unknown kind', at)
      if (at + 1 + length > end) return this.#failName('label ends too early', at)
      sizeOctets += 1 + length
      if (sizeOctets > NAME_OCTETS_MAX) return this.#failName('name longer than 255 octets', at)
      labels.push(isPointed ? this.#pointedLabel(at, length) : octets.slice(at + 1, at + 1 + length))
      at += 1 + length
    }
    if (!isPointed) this.offset = at + 1
    else (this.#pointedNames ??= new Map()).set(firstTarget, ownLabels === 0 ? labels : labels.slice(ownLabels))
    return labels
  }

  #failName(reason: string, offset: number): Name {
    this.fail(reason, offset)
    return []
  }

  /** A name of some labels and what the pointer at `at` leads to. */
  #join(labels: readonly Uint8Array[], pointed: Name, at: number): Name {
    if (labels.length === 0) return pointed
    let sizeOctets = 1
    for (const label of labels) sizeOctets += 1 + label.length
    for (const label of pointed) sizeOctets += 1 + label.length
    return sizeOctets > NAME_OCTETS_MAX ? this.#failName('name longer than 255 octets', at) : [...labels, ...pointed]
  }

  #pointedLabel(at: number, length: number): Uint8Array {
    this.#pointedLabels ??= new Map()
    let label = this.#pointedLabels.get(at)
    if (label === undefined) {
      label = this.octets.slice(at + 1, at + 1 + length)
      this.#pointedLabels.set(at, label)
    }
    return label
  }
}
