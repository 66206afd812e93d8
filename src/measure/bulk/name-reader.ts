/**
 * The input: lines `NAME`, `NAME TYPE` or `NAME TYPE RESOLVER`, written as queries right into the slots.
 *
 * Invariant: which query has which number depends on the input alone, so that a resumed run numbers them as the first one
 * did. A line that cannot be used has no number; it is reported and skipped.
 *
 * Format: docs/formats/bulk.md
 */
import type { OctetSource } from '../../core/octet-source.ts'
import { LABEL_OCTETS_MAX, NAME_OCTETS_MAX } from '../../dns/name.ts'
import { parseRrType, TYPE_OPT } from '../../dns/rr-type.ts'
import type { BulkSlots } from './bulk-slots.ts'
import { TokenTable } from './token-table.ts'

/** How queries are made of lines. */
export interface NameReaderOptions {
  /** Types asked for lines without one. */
  readonly types: readonly number[]
  /** UDP payload size said in an OPT record; 0 for none. */
  readonly bufferOctets: number
  readonly wantsRecursion: boolean
  readonly wantsDnssec: boolean
  /** Number of the resolver that a word of the input names; −1 for none. Asked once for each word. */
  readonly findResolver: (word: string) => number
  /** Hears of lines that are skipped. */
  readonly onMalformed: (line: number, reason: string) => void
  /** Of the queries before this number… */
  readonly resumeAt: number
  /** … only these are made, in ascending order. */
  readonly unfinished: Float64Array
}

/** A query was made. */
export const READ_QUERY = 1
/** There is nothing now. */
export const READ_NOTHING = 0
/** There will be nothing more. */
export const READ_END = -1

const BUFFER_OCTETS = 262_144
/** A name of 255 octets, all of them escaped, a type and a resolver. */
const LINE_OCTETS_MAX = 1_200
const WORDS_MAX = 65_536
const LINE_FEED = 0x0a
const DOT = 0x2e
const BACKSLASH = 0x5c
const HASH = 0x23
const HEADER_OCTETS = 12
const TYPE_AND_CLASS_OCTETS = 4
const OPT_OCTETS = 11
/** Octets of names that stand for themselves, in lines and in records: 1; the dot: 2; everything else: 0. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet === DOT ? 2 : octet > 0x20 && octet < 0x7f && !'"#$();@\\'.includes(String.fromCharCode(octet)) ? 1 : 0,
)

/** Reads names. */
export class NameReader {
  /** Octets of the input that were read. */
  inputOctets = 0
  /** How many lines were skipped as malformed. */
  malformedLines = 0
  /** Number of the next query. */
  nextIndex = 0
  /** The resolver that the last query is for; −1 for any. */
  resolver = -1
  private readonly source: OctetSource
  private readonly options: NameReaderOptions
  /** One octet longer than what is read: a line feed stands behind what is there, so that every search is short. */
  private readonly buffer = new Uint8Array(BUFFER_OCTETS + 1)
  private readonly room = this.buffer.subarray(0, BUFFER_OCTETS)
  private readonly typeWords = new TokenTable(256)
  private readonly resolverWords = new TokenTable(WORDS_MAX)
  /** With room for a label that makes a name too long. */
  private readonly name = new Uint8Array(NAME_OCTETS_MAX + LABEL_OCTETS_MAX + 4)
  private readonly nameView = new DataView(this.name.buffer)
  private nameOctets = 0
  private isPlain = 0
  private at = 0
  private end = 0
  private line = 0
  private ended = false
  private isTooLong = false
  private lineType = -1
  private typesLeft = 0
  private unfinishedAt = 0

  constructor(source: OctetSource, options: NameReaderOptions) {
    this.source = source
    this.options = options
    this.buffer[0] = LINE_FEED
  }

  /** Makes the next query in `slot`. @returns {@link READ_QUERY}, {@link READ_NOTHING} or {@link READ_END}. */
  next(slots: BulkSlots, slot: number): number {
    const { types } = this.options
    for (;;) {
      while (this.typesLeft > 0) {
        const type = this.lineType >= 0 ? this.lineType : (types[types.length - this.typesLeft] as number)
        this.typesLeft--
        if (!this.isWanted(this.nextIndex++)) continue
        this.write(slots, slot, type)
        return READ_QUERY
      }
      if (this.takePlainLine()) continue
      const lineEnd = this.findLine()
      if (lineEnd < 0) return lineEnd + 1
      this.line++
      this.isPlain = 0
      const reason = this.parseLine(this.at, lineEnd)
      this.at = Math.min(lineEnd + 1, this.end)
      if (reason === '') continue
      this.typesLeft = 0
      this.malformedLines++
      this.options.onMalformed(this.line, reason)
    }
  }

  private isWanted(index: number): boolean {
    const { resumeAt, unfinished } = this.options
    if (index >= resumeAt) return true
    if (unfinished[this.unfinishedAt] !== index) return false
    this.unfinishedAt++
    return true
  }

  /**
   * Takes a line that is a name without escapes and nothing else: in one go, as nearly all are.
   *
   * @returns Whether it was one; if not, nothing is taken.
   */
  private takePlainLine(): boolean {
    const { buffer, name } = this
    let at = this.at
    let lengthAt = 0
    for (;;) {
      let to = lengthAt + 1
      const labelEnd = to + LABEL_OCTETS_MAX
      let octet = buffer[at] as number
      for (; PLAIN[octet] === 1 && to < labelEnd; octet = buffer[++at] as number) name[to++] = octet
      name[lengthAt] = to - lengthAt - 1
      if (to === lengthAt + 1 || to > NAME_OCTETS_MAX - 1) return false
      lengthAt = to
      if (octet === DOT) {
        octet = buffer[++at] as number
        if (octet !== LINE_FEED) continue
      }
      // The line feed behind what was read ends no line.
      if (octet !== LINE_FEED || at >= this.end || this.isTooLong) return false
      break
    }
    name[lengthAt] = 0
    this.nameOctets = lengthAt + 1
    this.isPlain = 1
    this.line++
    this.at = at + 1
    this.lineType = -1
    this.resolver = -1
    this.typesLeft = this.options.types.length
    return true
  }

  /** @returns Where the line at `at` ends; −1 when it is not there yet, −2 at the end. */
  private findLine(): number {
    for (;;) {
      let lineEnd = this.at
      while (this.buffer[lineEnd] !== LINE_FEED) lineEnd++
      if (lineEnd < this.end) return lineEnd
      // Of a line that is too long and the last one, nothing is left but that it was there.
      if (this.ended) return this.at < this.end || this.isTooLong ? this.end : -2
      if (this.end - this.at > LINE_OCTETS_MAX) {
        this.isTooLong = true
        this.at = this.end
      }
      this.buffer.copyWithin(0, this.at, this.end)
      this.end -= this.at
      this.at = 0
      this.buffer[this.end] = LINE_FEED
      const octets = this.source.read(this.room, this.end)
      if (octets === 0) return -1
      if (octets < 0) {
        this.ended = true
        continue
      }
      this.end += octets
      this.inputOctets += octets
      this.buffer[this.end] = LINE_FEED
    }
  }

  /** @returns Why the line cannot be used; empty when it can, or says nothing. */
  private parseLine(from: number, end: number): string {
    const { buffer } = this
    if (this.isTooLong) {
      this.isTooLong = false
      return `longer than ${LINE_OCTETS_MAX} octets`
    }
    let at = this.skipSpace(from, end)
    if (at === end || buffer[at] === HASH) return ''
    at = this.parseName(at, end)
    if (at < 0) return 'no domain name'
    this.lineType = -1
    this.resolver = -1
    this.typesLeft = this.options.types.length
    at = this.skipSpace(at, end)
    if (at === end || buffer[at] === HASH) return ''
    let wordEnd = this.endOfWord(at, end)
    this.lineType = this.findType(at, wordEnd)
    if (this.lineType < 0) return 'no record type behind the name'
    this.typesLeft = 1
    at = this.skipSpace(wordEnd, end)
    if (at === end || buffer[at] === HASH) return ''
    wordEnd = this.endOfWord(at, end)
    this.resolver = this.findResolver(at, wordEnd)
    if (this.resolver < 0) return 'a resolver that is not in the list of resolvers'
    at = this.skipSpace(wordEnd, end)
    return at === end || buffer[at] === HASH ? '' : 'more than NAME TYPE RESOLVER'
  }

  /** Writes the wire form into `name`. @returns Where the word ends; −1 when it is no name. */
  private parseName(from: number, end: number): number {
    const { buffer, name } = this
    let at = from
    let lengthAt = 0
    let to = 1
    for (; at < end; at++) {
      let octet = buffer[at] as number
      if (octet <= 0x20) break
      if (octet === DOT) {
        const size = to - lengthAt - 1
        if (size === 0) {
          const isRoot = at === from && (at + 1 === end || (buffer[at + 1] as number) <= 0x20)
          if (!isRoot) return -1
          continue
        }
        name[lengthAt] = size
        lengthAt = to++
        continue
      }
      if (octet >= 0x7f) return -1
      if (octet === BACKSLASH) {
        const escaped = this.escapeAt(at + 1, end)
        if (escaped < 0) return -1
        at += escaped >> 8
        octet = escaped & 0xff
      }
      if (to >= NAME_OCTETS_MAX - 1 || to - lengthAt > LABEL_OCTETS_MAX) return -1
      name[to++] = octet
    }
    const size = to - lengthAt - 1
    name[lengthAt] = size
    // Without a dot at the end the root's label is still to come.
    if (size > 0) name[to++] = 0
    this.nameOctets = to
    return at
  }

  /** @returns The octet behind a backslash, and above it how many octets of the line it took; −1 when it is none. */
  private escapeAt(at: number, end: number): number {
    const first = at < end ? (this.buffer[at] as number) : 0
    if (!isDigit(first)) return first > 0x20 && first < 0x7f ? 0x100 | first : -1
    if (at + 2 >= end) return -1
    const [second, third] = [this.buffer[at + 1] as number, this.buffer[at + 2] as number]
    const value = (first - 0x30) * 100 + (second - 0x30) * 10 + third - 0x30
    return isDigit(second) && isDigit(third) && value <= 255 ? 0x300 | value : -1
  }

  private skipSpace(from: number, end: number): number {
    let at = from
    while (at < end && (this.buffer[at] as number) <= 0x20) at++
    return at
  }

  private endOfWord(from: number, end: number): number {
    let at = from
    while (at < end && (this.buffer[at] as number) > 0x20) at++
    return at
  }

  private findType(from: number, end: number): number {
    const known = this.typeWords.find(this.buffer, from, end)
    if (known >= 0) return known
    const type = parseRrType(this.wordAt(from, end)) ?? -1
    if (type >= 0) this.typeWords.add(this.buffer, from, end, type)
    return type
  }

  private findResolver(from: number, end: number): number {
    const known = this.resolverWords.find(this.buffer, from, end)
    if (known >= 0) return known
    const resolver = this.options.findResolver(this.wordAt(from, end))
    if (resolver >= 0) this.resolverWords.add(this.buffer, from, end, resolver)
    return resolver
  }

  private wordAt(from: number, end: number): string {
    return new TextDecoder().decode(this.buffer.subarray(from, end))
  }

  private write(slots: BulkSlots, slot: number, type: number): void {
    const { nameView, nameOctets } = this
    const { bufferOctets, wantsRecursion, wantsDnssec } = this.options
    const { view } = slots
    const questionEnd = HEADER_OCTETS + nameOctets + TYPE_AND_CLASS_OCTETS
    const at = slots.place(slot, bufferOctets > 0 ? questionEnd + OPT_OCTETS : questionEnd)
    // Words are little-endian here, whatever the machine: the first octet stands last.
    view.setInt16(at + 2, wantsRecursion ? 0x0001 : 0, true)
    view.setInt32(at + 4, 0x00_00_01_00, true)
    view.setInt32(at + 8, bufferOctets > 0 ? 0x01_00_00_00 : 0, true)
    // What is copied behind the name is overwritten by what follows.
    for (let i = 0; i < nameOctets; i += 4) view.setInt32(at + HEADER_OCTETS + i, nameView.getInt32(i, true), true)
    const end = at + questionEnd
    view.setInt32(end - 4, (type >> 8) | ((type & 0xff) << 8) | 0x01_00_00_00, true)
    slots.questionEnd[slot] = questionEnd
    slots.isPlain[slot] = this.isPlain
    slots.index[slot] = this.nextIndex - 1
    if (bufferOctets === 0) return
    const flags = wantsDnssec ? 0x80 : 0
    view.setInt32(end, (TYPE_OPT << 16) | ((bufferOctets >> 8) << 24), true)
    view.setInt32(end + 4, (bufferOctets & 0xff) | (flags << 24), true)
    view.setInt32(end + 7, flags, true)
  }
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39
}
