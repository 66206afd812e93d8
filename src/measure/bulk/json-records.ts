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
import { WIRE_STRIDE_OCTETS, type BulkSlots } from './bulk-slots.ts'
import { OctetText, textOctets } from './octet-text.ts'
import { scanRecords, skipName, word, type RecordScan } from './record-scan.ts'
import type { BulkProtocol, RecordWriter } from './record-writer.ts'

const TEXT_OCTETS = 524_288
/** Two escaped names, which is more than anything else of fixed length takes. */
const PART_OCTETS_MAX = 4096

const NAME = textOctets('{"name":"')
const TYPE = textOctets('","type":"')
const STATUS = textOctets('","class":"IN","status":"')
const TIME = textOctets('","rx_ts":')
const DATA = textOctets(',"data":{')
const SECTIONS = ['answers', 'authorities', 'additionals'].map((name) => textOctets(`"${name}":[`))
const NEXT_SECTIONS = ['answers', 'authorities', 'additionals'].map((name) => textOctets(`],"${name}":[`))
const TTL = textOctets('{"ttl":')
const RECORD_TYPE = textOctets(',"type":"')
const RECORD_NAME = textOctets('","class":"IN","name":"')
const RECORD_DATA = textOctets('","data":"')
const RECORD_END = textOctets('"}')
const DATA_END = textOctets(']},"flags":[')
const NO_DATA_END = textOctets('},"flags":[')
const RESOLVER = textOctets('],"resolver":"')
const NO_ANSWER = textOctets('TIMEOUT","data":{},"flags":[],"resolver":"')
const UDP = textOctets('","proto":"UDP","latency_ms":')
const TCP = textOctets('","proto":"TCP","latency_ms":')
const TRIES = textOctets(',"tries":')
const UNANSWERED_TRIES = textOctets('","proto":"UDP","latency_ms":null,"tries":')
const GAVE_UP = textOctets(',"rx_ts":')
const END = textOctets('}\n')
const COMMA = textOctets(',')
const FLAG_MASK = 0x07b0

/** Writes JSON Lines. */
export class JsonRecords implements RecordWriter {
  readonly text: OctetText = new OctetText(TEXT_OCTETS)
  private readonly resolvers: readonly Uint8Array[]
  private readonly wallOffsetMs: number
  private readonly types: Uint8Array[] = []
  private readonly statuses: Uint8Array[] = []
  private readonly flags: Uint8Array[] = []
  private readonly scan: RecordScan = { isWhole: false, isSimple: false, rcode: 0 }
  private second = -1
  private secondText: Uint8Array = new Uint8Array(0)

  /** @param wallOffsetMs - What makes Unix milliseconds of the engine's clock. */
  constructor(resolvers: readonly BulkResolver[], wallOffsetMs: number) {
    this.resolvers = resolvers.map(({ address, port }) => textOctets(`${address}:${port}`))
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
    this.putQuestion(slots, slot)
    text.put((this.statuses[scan.rcode] ??= textOctets(formatRcode(scan.rcode))))
    text.put(TIME)
    this.putTime(atMs)
    text.put(DATA)
    const isWritten = scan.isSimple
      ? this.putSections(octets, at, at + questionEnd, at + sizeOctets)
      : this.putDecoded(octets.subarray(at, at + sizeOctets))
    if (!isWritten) {
      text.length = start
      return -1
    }
    text.ensure(PART_OCTETS_MAX)
    const flags = word(octets, at + 2) & FLAG_MASK
    text.put((this.flags[flags] ??= textOctets(formatFlags(word(octets, at + 2)))))
    text.put(RESOLVER)
    text.put(this.resolvers[slots.resolver[slot] as number] as Uint8Array)
    text.put(protocol === 'UDP' ? UDP : TCP)
    this.putMilliseconds(Math.max(0, atMs - (slots.sentAtMs[slot] as number)))
    text.put(TRIES)
    text.putNumber(slots.tries[slot] as number)
    text.put(END)
    return scan.rcode
  }

  unanswered(slots: BulkSlots, slot: number, atMs: number): void {
    const { text } = this
    text.ensure(PART_OCTETS_MAX)
    this.putQuestion(slots, slot)
    // TIMEOUT is zdns's word.
    text.put(NO_ANSWER)
    text.put(this.resolvers[slots.resolver[slot] as number] as Uint8Array)
    text.put(UNANSWERED_TRIES)
    text.putNumber(slots.tries[slot] as number)
    text.put(GAVE_UP)
    this.putTime(atMs)
    text.put(END)
  }

  private putQuestion(slots: BulkSlots, slot: number): void {
    const { text } = this
    const base = slot * WIRE_STRIDE_OCTETS
    const end = base + (slots.questionEnd[slot] as number)
    text.put(NAME)
    text.putName(slots.wire, base, base + 12, end)
    text.put(TYPE)
    this.putType(word(slots.wire, end - 4))
    text.put(STATUS)
  }

  private putType(type: number): void {
    this.text.put((this.types[type] ??= textOctets(formatRrType(type))))
  }

  /** Nanoseconds since the epoch, as massdns has them; our clock knows microseconds. */
  private putTime(atMs: number): void {
    const wallMs = atMs + this.wallOffsetMs
    const second = Math.floor(wallMs / 1000)
    if (second !== this.second) {
      this.second = second
      this.secondText = textOctets(String(second))
    }
    this.text.put(this.secondText)
    this.text.putPadded(Math.floor((wallMs - second * 1000) * 1000) * 1000, 9)
  }

  private putMilliseconds(value: number): void {
    const micros = Math.round(value * 1000)
    const whole = Math.floor(micros / 1000)
    this.text.putNumber(whole)
    this.text.octets[this.text.length++] = 0x2e
    this.text.putPadded(micros - whole * 1000, 3)
  }

  private putSections(octets: Uint8Array, base: number, from: number, end: number): boolean {
    const { text } = this
    let at = from
    let sections = 0
    for (let section = 0; section < 3; section++) {
      let written = 0
      for (let left = word(octets, base + 6 + 2 * section); left > 0; left--) {
        const tail = skipName(octets, at, end)
        const type = word(octets, tail)
        const next = tail + 10 + word(octets, tail + 8)
        // Only OPT is neither of these: it is no data, and its RCODE stands in `status`.
        if (type !== TYPE_OPT) {
          text.ensure(PART_OCTETS_MAX)
          if (written > 0) text.put(COMMA)
          else text.put((sections++ === 0 ? SECTIONS : NEXT_SECTIONS)[section] as Uint8Array)
          written++
          if (!this.putRecord(octets, base, at, tail, end)) return false
        }
        at = next
      }
    }
    text.put(sections === 0 ? NO_DATA_END : DATA_END)
    return true
  }

  private putRecord(octets: Uint8Array, base: number, at: number, tail: number, end: number): boolean {
    const { text } = this
    const type = word(octets, tail)
    text.put(TTL)
    text.putNumber(word(octets, tail + 4) * 65_536 + word(octets, tail + 6))
    text.put(RECORD_TYPE)
    this.putType(type)
    text.put(RECORD_NAME)
    if (!text.putName(octets, base, at, end)) return false
    text.put(RECORD_DATA)
    const rdata = tail + 10
    if (type === TYPE_A) {
      text.putIpv4(octets, rdata)
    } else if (type === TYPE_AAAA) {
      text.put(textOctets(formatIp(octets.subarray(rdata, rdata + 16))))
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
    text.put(RECORD_END)
    return true
  }

  /** The way of everything that is not common. */
  private putDecoded(message: Uint8Array): boolean {
    const decoded = decodeMessage(message)
    if (decoded.kind !== 'message') return false
    const { answers, authorities, additionals } = decoded.message
    let sections = 0
    for (const [section, records] of [answers, authorities, additionals].entries()) {
      if (records.length === 0) continue
      this.text.ensure(PART_OCTETS_MAX)
      this.text.put((sections++ === 0 ? SECTIONS : NEXT_SECTIONS)[section] as Uint8Array)
      for (const [index, record] of records.entries()) {
        const octets = textOctets((index > 0 ? ',' : '') + formatRecord(record))
        this.text.ensure(octets.length)
        this.text.put(octets)
      }
    }
    this.text.ensure(PART_OCTETS_MAX)
    this.text.put(sections === 0 ? NO_DATA_END : DATA_END)
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
