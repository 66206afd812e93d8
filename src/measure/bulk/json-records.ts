/**
 * Records as JSON Lines, written as octets, with the fields of massdns `-o J` and some of our own behind them.
 *
 * Common record types are written from the message's octets; a message with any other goes through the codec, so that both
 * give the same text.
 *
 * Invariant: a message that is not whole leaves nothing behind.
 *
 * Format: docs/formats/bulk.md
 */
import { formatIp } from '../../core/ip-address.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import type { ResourceRecord } from '../../dns/message.ts'
import { formatName } from '../../dns/name.ts'
import { formatRcode } from '../../dns/rcode.ts'
import { formatRdata } from '../../dns/rdata.ts'
import { formatRrClass, formatRrType, TYPE_A, TYPE_AAAA, TYPE_MX, TYPE_OPT } from '../../dns/rr-type.ts'
import type { BulkResolver } from '../../net/bulk-backend.ts'
import type { BulkSlots } from './bulk-slots.ts'
import { OctetText } from './octet-text.ts'
import {
  putAgain,
  putIpv4,
  putName,
  putNumber,
  putPiece,
  putPlainName,
  putSix,
  putThree,
  textPiece,
  type TextPiece,
} from './put-octets.ts'
import { scanRecords, skipName, word, type RecordScan } from './record-scan.ts'
import { BULK_PROTOCOLS, type BulkProtocol, type RecordWriter } from './record-writer.ts'

const TEXT_OCTETS = 524_288
/** Two escaped names, which is more than anything else of fixed length takes. */
const PART_OCTETS_MAX = 4096

const NAME = textPiece('{"name":"')
const DATA = textPiece('000,"data":{')
const FIRST_ANSWER = textPiece('000,"data":{"answers":[{"ttl":')
const SECTIONS = ['answers', 'authorities', 'additionals'].map((name) => textPiece(`"${name}":[`))
const NEXT_SECTIONS = ['answers', 'authorities', 'additionals'].map((name) => textPiece(`],"${name}":[`))
const TTL = textPiece('{"ttl":')
const NEXT_TTL = textPiece(',{"ttl":')
const RECORD_DATA = textPiece('","data":"')
const RECORD_END = textPiece('"}')
const LAST_RECORD_END = textPiece('"}]')
const ADDRESS_NAME = textPiece(',"type":"A","class":"IN","name":"')
const NO_ANSWER = textPiece('","class":"IN","status":"TIMEOUT","data":{},"flags":[],"resolver":"')
const UNANSWERED_TRIES = BULK_PROTOCOLS.map((name) => textPiece(`","proto":"${name}","latency_ms":null,"tries":`))
const GAVE_UP = textPiece(',"rx_ts":')
const THOUSANDS = textPiece('000')
const END = textPiece('}\n')
const TRIES = Array.from({ length: 16 }, (_, tries) => textPiece(`,"tries":${tries}}\n`))
const CLOSING_BRACKET = 0x5d
const FULL_STOP = 0x2e
const SPACE = 0x20
/** Type, class, TTL and length. */
const RECORD_TAIL_OCTETS = 10
const FLAG_MASK = 0x07b0
/** Ends of records, by resolver, flags and protocol: more are made anew. */
const TAILS = 16_384
const POINTER_TO_QUESTION = 0xc00c
/** A pointer, the tail and an IPv4 address. */
const ADDRESS_RECORD_OCTETS = 16

/** Writes JSON Lines. */
export class JsonRecords implements RecordWriter {
  readonly text: OctetText = new OctetText(TEXT_OCTETS)
  private readonly resolvers: readonly string[]
  private readonly wallOffsetMs: number
  private readonly protocols: readonly BulkProtocol[]
  /** What stands between the name and the time, by type, for NOERROR and NXDOMAIN. */
  private readonly heads: (TextPiece | undefined)[] = []
  private readonly recordTypes: (TextPiece | undefined)[] = []
  private readonly tails: (TextPiece | undefined)[] = []
  private readonly tailKeys = new Float64Array(TAILS).fill(-1)
  private readonly scan: RecordScan = { isWhole: false, isSimple: false, rcode: 0 }
  private second = -1
  private secondText: TextPiece = THOUSANDS
  /** Where the name of the question was written. */
  private nameFrom = 0
  private nameEnd = 0

  /**
   * @param wallOffsetMs - What makes Unix milliseconds of the engine's clock.
   * @param protocols - How each resolver is asked at first; UDP where nothing is said.
   */
  constructor(resolvers: readonly BulkResolver[], wallOffsetMs: number, protocols: readonly BulkProtocol[] = []) {
    this.protocols = protocols
    this.resolvers = resolvers.map(({ address, port }) => `${address}:${port}`)
    this.wallOffsetMs = wallOffsetMs
  }

  answered(
    slots: BulkSlots,
    slot: number,
    octets: Uint8Array,
    at: number,
    sizeOctets: number,
    atMs: number,
    protocol: BulkProtocol,
  ): number {
    const { text, scan } = this
    const questionEnd = slots.questionEnd[slot] as number
    scanRecords(octets, at, questionEnd, sizeOctets, scan)
    if (!scan.isWhole) return -1
    const type = word(slots.wire, (slots.wireAt[slot] as number) + questionEnd - 4)
    const start = text.ensure(PART_OCTETS_MAX)
    let to = this.putQuestion(start, text.length, slots, slot)
    to = putPiece(start, to, this.headOf(type, scan.rcode))
    to = this.putTime(start, to, atMs)
    const quick = scan.isSimple ? this.putAddresses(to, octets, at, at + questionEnd) : -1
    to =
      quick >= 0
        ? quick
        : scan.isSimple
          ? this.putSections(to, octets, at, at + questionEnd, at + sizeOctets)
          : this.putDecoded(to, octets.subarray(at, at + sizeOctets))
    if (to < 0) return -1
    const view = text.ensureAt(to, PART_OCTETS_MAX)
    const flags = word(octets, at + 2) & FLAG_MASK
    to = putPiece(view, to, this.tailOf(slots.resolver[slot] as number, flags, protocol))
    to = putMilliseconds(view, to, Math.max(0, atMs - (slots.sentAtMs[slot] as number)))
    text.length = putPiece(view, to, TRIES[slots.tries[slot] as number] as TextPiece)
    return scan.rcode
  }

  unanswered(slots: BulkSlots, slot: number, atMs: number): void {
    const { text } = this
    const view = text.ensure(PART_OCTETS_MAX)
    const type = word(slots.wire, (slots.wireAt[slot] as number) + (slots.questionEnd[slot] as number) - 4)
    let to = this.putQuestion(view, text.length, slots, slot)
    to = putPiece(view, to, textPiece(`","type":"${formatRrType(type)}`))
    // TIMEOUT is zdns's word.
    to = putPiece(view, to, NO_ANSWER)
    to = putPiece(view, to, textPiece(this.resolvers[slots.resolver[slot] as number] as string))
    const protocol = this.protocols[slots.resolver[slot] as number] ?? 'UDP'
    to = putPiece(view, to, UNANSWERED_TRIES[BULK_PROTOCOLS.indexOf(protocol)] as TextPiece)
    to = putNumber(view, to, slots.tries[slot] as number)
    to = putPiece(view, to, GAVE_UP)
    to = this.putTime(view, to, atMs)
    to = putPiece(view, to, THOUSANDS)
    text.length = putPiece(view, to, END)
  }

  private putQuestion(view: DataView, at: number, slots: BulkSlots, slot: number): number {
    const base = slots.wireAt[slot] as number
    const end = base + (slots.questionEnd[slot] as number)
    const to = putPiece(view, at, NAME)
    this.nameFrom = to
    this.nameEnd =
      slots.isPlain[slot] === 1
        ? putPlainName(view, to, slots.view, base + 12, end - 4)
        : putName(view, to, slots.wire, base, base + 12, end)
    return this.nameEnd
  }

  private headOf(type: number, rcode: number): TextPiece {
    const isKept = rcode === 0 || rcode === 3
    const place = type * 2 + (rcode === 0 ? 0 : 1)
    const known = isKept ? this.heads[place] : undefined
    if (known !== undefined) return known
    const status = formatRcode(rcode)
    const head = textPiece(`","type":"${formatRrType(type)}","class":"IN","status":"${status}","rx_ts":`)
    if (isKept) this.heads[place] = head
    return head
  }

  private tailOf(resolver: number, flags: number, protocol: BulkProtocol): TextPiece {
    const key = (resolver * 2048 + flags) * 4 + (protocol === 'UDP' ? 0 : BULK_PROTOCOLS.indexOf(protocol))
    const place = (resolver + (flags >> 4) * 1_021) & (TAILS - 1)
    if (this.tailKeys[place] === key) return this.tails[place] as TextPiece
    const address = this.resolvers[resolver] ?? ''
    const tail = textPiece(
      `},"flags":[${formatFlags(flags)}],"resolver":"${address}","proto":"${protocol}","latency_ms":`,
    )
    this.tailKeys[place] = key
    this.tails[place] = tail
    return tail
  }

  /** Nanoseconds since the epoch, as massdns has them, but for the last three digits: our clock knows microseconds. */
  private putTime(view: DataView, to: number, atMs: number): number {
    const wallMs = atMs + this.wallOffsetMs
    const second = Math.floor(wallMs / 1000)
    if (second !== this.second) {
      this.second = second
      this.secondText = textPiece(String(second))
    }
    return putSix(view, putPiece(view, to, this.secondText), (wallMs - second * 1000) * 1000)
  }

  /**
   * Writes answers that are IPv4 addresses of the name that was asked for, with nothing but OPT behind them: most are.
   *
   * @returns Where the text goes on; −1 when there is anything else.
   */
  private putAddresses(start: number, octets: Uint8Array, base: number, from: number): number {
    const answers = word(octets, base + 6)
    const others = word(octets, base + 10)
    const end = from + answers * ADDRESS_RECORD_OCTETS
    if (answers === 0 || word(octets, base + 8) !== 0 || others > 1) return -1
    let to = start
    for (let at = from; at < end; at += ADDRESS_RECORD_OCTETS) {
      if (word(octets, at) !== POINTER_TO_QUESTION || word(octets, at + 2) !== TYPE_A) return -1
      const view = this.text.ensureAt(to, PART_OCTETS_MAX)
      to = putPiece(view, to, at === from ? FIRST_ANSWER : NEXT_TTL)
      to = putNumber(view, to, word(octets, at + 6) * 65_536 + word(octets, at + 8))
      to = putPiece(view, to, ADDRESS_NAME)
      to = putAgain(view, to, this.nameFrom, this.nameEnd)
      to = putPiece(view, to, RECORD_DATA)
      to = putIpv4(view, to, octets, at + 12)
      to = putPiece(view, to, at + ADDRESS_RECORD_OCTETS < end ? RECORD_END : LAST_RECORD_END)
    }
    return others === 1 && word(octets, end + 1) !== TYPE_OPT ? -1 : to
  }

  /** @returns Where the text goes on; −1 when a name is none. */
  private putSections(start: number, octets: Uint8Array, base: number, from: number, end: number): number {
    const { text } = this
    let { view } = text
    let at = from
    let sections = 0
    const answers = word(octets, base + 6)
    let to = putPiece(view, start, answers > 0 ? FIRST_ANSWER : DATA)
    for (let section = 0; section < 3; section++) {
      let written = 0
      for (let left = word(octets, base + 6 + 2 * section); left > 0; left--) {
        const tail = skipName(octets, at, end)
        const next = tail + RECORD_TAIL_OCTETS + word(octets, tail + 8)
        // Only OPT is neither of these: it is no data, and its RCODE stands in `status`.
        if (word(octets, tail) !== TYPE_OPT) {
          view = text.ensureAt(to, PART_OCTETS_MAX)
          if (written > 0) {
            to = putPiece(view, to, NEXT_TTL)
          } else if (sections++ > 0 || answers === 0) {
            to = putPiece(view, to, (sections === 1 ? SECTIONS : NEXT_SECTIONS)[section] as TextPiece)
            to = putPiece(view, to, TTL)
          }
          written++
          to = this.putRecord(view, to, octets, base, at, tail, end)
          if (to < 0) return -1
        }
        at = next
      }
    }
    if (sections > 0) view.setUint8(to++, CLOSING_BRACKET)
    return to
  }

  private putRecord(
    view: DataView,
    start: number,
    octets: Uint8Array,
    base: number,
    at: number,
    tail: number,
    end: number,
  ): number {
    const type = word(octets, tail)
    let to = putNumber(view, start, word(octets, tail + 4) * 65_536 + word(octets, tail + 6))
    const known = this.recordTypes[type] ?? this.recordTypeOf(type)
    to = putPiece(view, to, known)
    to =
      word(octets, at) === POINTER_TO_QUESTION
        ? putAgain(view, to, this.nameFrom, this.nameEnd)
        : putName(view, to, octets, base, at, end)
    if (to < 0) return -1
    to = putPiece(view, to, RECORD_DATA)
    to = putRdata(view, to, octets, base, tail, end)
    return to < 0 ? -1 : putPiece(view, to, RECORD_END)
  }

  private recordTypeOf(type: number): TextPiece {
    const piece = textPiece(`,"type":"${formatRrType(type)}","class":"IN","name":"`)
    this.recordTypes[type] = piece
    return piece
  }

  /** The way of everything that is not common. */
  private putDecoded(start: number, message: Uint8Array): number {
    const decoded = decodeMessage(message)
    if (decoded.kind !== 'message') return -1
    const { answers, authorities, additionals } = decoded.message
    const texts = Object.entries({ answers, authorities, additionals }).flatMap(([section, records]) =>
      records.length === 0 ? [] : [`"${section}":[${records.map(formatRecord).join(',')}]`],
    )
    const octets = new TextEncoder().encode(`000,"data":{${texts.join(',')}`)
    this.text.ensureAt(start, octets.length)
    this.text.octets.set(octets, start)
    return start + octets.length
  }
}

function putMilliseconds(view: DataView, at: number, value: number): number {
  const micros = Math.round(value * 1000)
  const whole = Math.floor(micros / 1000)
  const to = putNumber(view, at, whole)
  view.setUint8(to, FULL_STOP)
  return putThree(view, to + 1, micros - whole * 1000)
}

/** Writes the data of a record that begins its type at `tail`. @returns −1 when a name in it is none. */
function putRdata(view: DataView, start: number, octets: Uint8Array, base: number, tail: number, end: number): number {
  const type = word(octets, tail)
  const rdata = tail + RECORD_TAIL_OCTETS
  if (type === TYPE_A) return putIpv4(view, start, octets, rdata)
  if (type === TYPE_AAAA) return putPiece(view, start, textPiece(formatIp(octets.subarray(rdata, rdata + 16))))
  let to = start
  let name = rdata
  if (type === TYPE_MX) {
    to = putNumber(view, to, word(octets, rdata))
    view.setUint8(to++, SPACE)
    name += 2
  }
  // A name that does not fill its record is no name; the codec says so in its own way.
  if (skipName(octets, name, end) !== rdata + word(octets, tail + 8)) return -1
  return putName(view, to, octets, base, name, end)
}

function formatRecord(record: ResourceRecord): string {
  const name = formatName(record.name)
  return JSON.stringify({
    ttl: record.ttl,
    type: formatRrType(record.type),
    class: formatRrClass(record.class),
    name: name === '.' ? name : `${name}.`,
    data: formatRdata(record.rdata),
  })
}

function formatFlags(bits: number): string {
  const names: readonly (readonly [number, string])[] = [
    [0x0400, 'aa'],
    [0x0200, 'tc'],
    [0x0100, 'rd'],
    [0x0080, 'ra'],
    [0x0020, 'ad'],
    [0x0010, 'cd'],
  ]
  return names
    .filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => `"${name}"`)
    .join(',')
}
