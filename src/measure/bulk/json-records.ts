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
import { OctetText, textOctets, textPiece, type TextPiece } from './octet-text.ts'
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
const NO_ANSWER = textPiece('","class":"IN","status":"TIMEOUT","data":{},"flags":[],"resolver":"')
const UNANSWERED_TRIES = BULK_PROTOCOLS.map((name) => textPiece(`","proto":"${name}","latency_ms":null,"tries":`))
const GAVE_UP = textPiece(',"rx_ts":')
const THOUSANDS = textPiece('000')
const END = textPiece('}\n')
const TRIES = Array.from({ length: 16 }, (_, tries) => textPiece(`,"tries":${tries}}\n`))
const CLOSING_BRACKET = 0x5d
const FLAG_MASK = 0x07b0
/** Ends of records, by resolver, flags and protocol: more are made anew. */
const TAILS = 16_384
const POINTER_TO_QUESTION = 0xc00c

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
    const start = text.length
    text.ensure(PART_OCTETS_MAX)
    const type = this.putQuestion(slots, slot)
    text.putPiece(this.headOf(type, scan.rcode))
    this.putTime(atMs)
    const isWritten = scan.isSimple
      ? this.putSections(octets, at, at + questionEnd, at + sizeOctets)
      : this.putDecoded(octets.subarray(at, at + sizeOctets))
    if (!isWritten) {
      text.length = start
      return -1
    }
    text.ensure(PART_OCTETS_MAX)
    text.putPiece(this.tailOf(slots.resolver[slot] as number, word(octets, at + 2) & FLAG_MASK, protocol))
    this.putMilliseconds(Math.max(0, atMs - (slots.sentAtMs[slot] as number)))
    text.putPiece(TRIES[slots.tries[slot] as number] as TextPiece)
    return scan.rcode
  }

  unanswered(slots: BulkSlots, slot: number, atMs: number): void {
    const { text } = this
    text.ensure(PART_OCTETS_MAX)
    const type = this.putQuestion(slots, slot)
    text.putPiece(textPiece(`","type":"${formatRrType(type)}`))
    // TIMEOUT is zdns's word.
    text.putPiece(NO_ANSWER)
    text.putPiece(textPiece(this.resolvers[slots.resolver[slot] as number] as string))
    const protocol = this.protocols[slots.resolver[slot] as number] ?? 'UDP'
    text.putPiece(UNANSWERED_TRIES[BULK_PROTOCOLS.indexOf(protocol)] as TextPiece)
    text.putNumber(slots.tries[slot] as number)
    text.putPiece(GAVE_UP)
    this.putTime(atMs)
    text.putPiece(THOUSANDS)
    text.putPiece(END)
  }

  /** @returns The type that was asked for. */
  private putQuestion(slots: BulkSlots, slot: number): number {
    const { text } = this
    const base = slots.wireAt[slot] as number
    const end = base + (slots.questionEnd[slot] as number)
    text.putPiece(NAME)
    this.nameFrom = text.length
    if (slots.isPlain[slot] === 1) text.putPlainName(slots.view, base + 12, end - 4)
    else text.putName(slots.wire, base, base + 12, end)
    this.nameEnd = text.length
    return word(slots.wire, end - 4)
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
  private putTime(atMs: number): void {
    const wallMs = atMs + this.wallOffsetMs
    const second = Math.floor(wallMs / 1000)
    if (second !== this.second) {
      this.second = second
      this.secondText = textPiece(String(second))
    }
    this.text.putPiece(this.secondText)
    this.text.putSix((wallMs - second * 1000) * 1000)
  }

  private putMilliseconds(value: number): void {
    const micros = Math.round(value * 1000)
    const whole = Math.floor(micros / 1000)
    this.text.putNumber(whole)
    this.text.octets[this.text.length++] = 0x2e
    this.text.putThree(micros - whole * 1000)
  }

  private putSections(octets: Uint8Array, base: number, from: number, end: number): boolean {
    const { text } = this
    let at = from
    let sections = 0
    const answers = word(octets, base + 6)
    text.putPiece(answers > 0 ? FIRST_ANSWER : DATA)
    for (let section = 0; section < 3; section++) {
      let written = 0
      for (let left = word(octets, base + 6 + 2 * section); left > 0; left--) {
        const tail = skipName(octets, at, end)
        const next = tail + 10 + word(octets, tail + 8)
        // Only OPT is neither of these: it is no data, and its RCODE stands in `status`.
        if (word(octets, tail) !== TYPE_OPT) {
          text.ensure(PART_OCTETS_MAX)
          if (written > 0) {
            text.putPiece(NEXT_TTL)
          } else if (sections++ > 0 || answers === 0) {
            text.putPiece((sections === 1 ? SECTIONS : NEXT_SECTIONS)[section] as TextPiece)
            text.putPiece(TTL)
          }
          written++
          if (!this.putRecord(octets, base, at, tail, end)) return false
        }
        at = next
      }
    }
    if (sections > 0) text.octets[text.length++] = CLOSING_BRACKET
    return true
  }

  private putRecord(octets: Uint8Array, base: number, at: number, tail: number, end: number): boolean {
    const { text } = this
    const type = word(octets, tail)
    text.putNumber(word(octets, tail + 4) * 65_536 + word(octets, tail + 6))
    text.putPiece((this.recordTypes[type] ??= textPiece(`,"type":"${formatRrType(type)}","class":"IN","name":"`)))
    if (word(octets, at) === POINTER_TO_QUESTION) text.repeat(this.nameFrom, this.nameEnd)
    else if (!text.putName(octets, base, at, end)) return false
    text.putPiece(RECORD_DATA)
    const rdata = tail + 10
    if (type === TYPE_A) {
      text.putIpv4(octets, rdata)
    } else if (type === TYPE_AAAA) {
      text.putPiece(textPiece(formatIp(octets.subarray(rdata, rdata + 16))))
    } else {
      let name = rdata
      if (type === TYPE_MX) {
        text.putNumber(word(octets, rdata))
        text.octets[text.length++] = 0x20
        name += 2
      }
      const rdataEnd = rdata + word(octets, tail + 8)
      // A name that does not fill its record is no name; the codec says so in its own way.
      if (skipName(octets, name, end) !== rdataEnd || !text.putName(octets, base, name, end)) return false
    }
    text.putPiece(RECORD_END)
    return true
  }

  /** The way of everything that is not common. */
  private putDecoded(message: Uint8Array): boolean {
    const decoded = decodeMessage(message)
    if (decoded.kind !== 'message') return false
    const { answers, authorities, additionals } = decoded.message
    let sections = 0
    this.text.putPiece(DATA)
    for (const [section, records] of [answers, authorities, additionals].entries()) {
      if (records.length === 0) continue
      this.text.ensure(PART_OCTETS_MAX)
      this.text.putPiece((sections++ === 0 ? SECTIONS : NEXT_SECTIONS)[section] as TextPiece)
      for (const [index, record] of records.entries()) {
        const octets = textOctets((index > 0 ? ',' : '') + formatRecord(record))
        this.text.ensure(octets.length)
        this.text.put(octets)
      }
    }
    this.text.ensure(PART_OCTETS_MAX)
    if (sections > 0) this.text.octets[this.text.length++] = CLOSING_BRACKET
    return true
  }
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
