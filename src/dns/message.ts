/**
 * DNS messages as values. `decode-message.ts` and `encode-message.ts` go between these and octets.
 *
 * Sources: RFC 1035 section 4, RFC 6891 (EDNS), RFC 3597 (unknown types).
 */
import type { EdnsOption } from './edns.ts'
import type { Name } from './name.ts'
import type { Rdata } from './rdata.ts'

/** The header without the counts. */
export interface Header {
  readonly id: number
  /** QR: `true` in responses. */
  readonly response: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  /** The reserved Z bit. */
  readonly reserved: boolean
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  /** The 4 bits of the header; {@link fullRcode} adds the extension. */
  readonly rcode: number
}

/** An entry of the question section. */
export interface Question {
  readonly name: Name
  readonly type: number
  readonly class: number
}

/** A resource record (not OPT, which is {@link Edns}). */
export interface ResourceRecord {
  readonly name: Name
  readonly type: number
  readonly class: number
  /** Seconds, as an unsigned 32-bit number. */
  readonly ttl: number
  readonly rdata: Rdata
}

/** The OPT pseudo-record. */
export interface Edns {
  /** Sender's UDP payload size in octets. */
  readonly udpSize: number
  /** Upper 8 bits of the RCODE. */
  readonly extendedRcode: number
  readonly version: number
  readonly dnssecOk: boolean
  /** The other 15 flag bits. */
  readonly reservedFlags: number
  readonly options: readonly EdnsOption[]
}

/** A whole message. */
export interface DnsMessage {
  readonly header: Header
  readonly questions: readonly Question[]
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
  /** `undefined` without OPT record. */
  readonly edns: Edns | undefined
}

/** @returns The RCODE with the upper 8 bits from the OPT record: 0 to 4095. */
export function fullRcode(message: DnsMessage): number {
  return ((message.edns?.extendedRcode ?? 0) << 4) | message.header.rcode
}
