/**
 * Records as a binary log: what was seen, undecoded, for programs that decode it themselves.
 *
 * Invariant: every record carries its own length, so that a reader needs no end of the file.
 *
 * Format: docs/formats/bulk.md
 */
import type { BulkSlots } from './bulk-slots.ts'
import { OctetText } from './octet-text.ts'
import { scanRecords, type RecordScan } from './record-scan.ts'
import { BULK_PROTOCOLS, type BulkProtocol, type RecordWriter } from './record-writer.ts'

const BUFFER_OCTETS = 524_288
/** Length 4, time 8, latency 4, number 8, resolver 4, tries 1, how 1, octets of the question 2. */
const HEAD_OCTETS = 32
const UNANSWERED = 0
const HEADER_OCTETS = 12
const NO_LATENCY = 0xffff_ffff

/** Writes the binary log. */
export class BinaryRecords implements RecordWriter {
  readonly text: OctetText = new OctetText(BUFFER_OCTETS)
  private readonly wallOffsetMs: number
  private readonly scan: RecordScan = { isWhole: false, isSimple: false, rcode: 0 }

  /** @param wallOffsetMs - What makes Unix milliseconds of the engine's clock. */
  constructor(wallOffsetMs: number) {
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
    scanRecords(octets, at, slots.questionEnd[slot] as number, sizeOctets, this.scan)
    if (!this.scan.isWhole) return -1
    const latencyMs = Math.max(0, atMs - (slots.sentAtMs[slot] as number))
    this.putHead(slots, slot, atMs, Math.round(latencyMs * 1000), 1 + BULK_PROTOCOLS.indexOf(protocol), sizeOctets)
    this.text.put(octets.subarray(at, at + sizeOctets))
    return this.scan.rcode
  }

  unanswered(slots: BulkSlots, slot: number, atMs: number): void {
    this.putHead(slots, slot, atMs, NO_LATENCY, UNANSWERED, 0)
  }

  private putHead(
    slots: BulkSlots,
    slot: number,
    atMs: number,
    latencyMicros: number,
    how: number,
    messageOctets: number,
  ): void {
    const { text } = this
    const questionOctets = (slots.questionEnd[slot] as number) - HEADER_OCTETS
    const sizeOctets = HEAD_OCTETS + questionOctets + messageOctets
    text.ensure(sizeOctets)
    const view = new DataView(text.octets.buffer, text.length, HEAD_OCTETS)
    view.setUint32(0, sizeOctets - 4, true)
    view.setFloat64(4, atMs + this.wallOffsetMs, true)
    view.setUint32(12, Math.min(latencyMicros, NO_LATENCY), true)
    view.setFloat64(16, slots.index[slot] as number, true)
    view.setUint32(24, slots.resolver[slot] as number, true)
    view.setUint8(28, slots.tries[slot] as number)
    view.setUint8(29, how)
    view.setUint16(30, questionOctets, true)
    text.length += HEAD_OCTETS
    const from = (slots.wireAt[slot] as number) + HEADER_OCTETS
    text.put(slots.wire.subarray(from, from + questionOctets))
  }
}
