/**
 * Message → octets.
 *
 * **Invariant:** what is written decodes to an equal message. The OPT record comes last, but before a transaction
 * signature, which must be the last of all (RFC 8945 section 5.1, RFC 2931 section 3.1).
 *
 * **Sources:** RFC 1035 section 4, RFC 6891 section 6.1.
 */
import { assert } from '../core/assert.ts'
import { encodeEdnsOption } from './edns.ts'
import { encodeRdata } from './encode-rdata.ts'
import type { DnsMessage, Edns, Header, ResourceRecord } from './message.ts'
import type { Name } from './name.ts'
import { CLASS_IN, TYPE_OPT, TYPE_TSIG } from './rr-type.ts'
import { WireWriter } from './wire-writer.ts'

const TYPE_SIG = 24

/** The largest UDP payload that passes nearly everywhere unfragmented (DNS Flag Day 2020). */
const UDP_SIZE_DEFAULT = 1232

/** What can be set in a query. */
export interface QueryFields {
  /** 0 to 65535. */
  readonly id: number
  readonly name: Name
  readonly type: number
  /** IN by default. */
  readonly class?: number
  readonly recursionDesired: boolean
  /** AD: asks for the same bit in the response. `false` by default. */
  readonly authenticData?: boolean
  /** CD: asks for data that failed validation too. `false` by default. */
  readonly checkingDisabled?: boolean
  /** Without it no OPT record is sent. Missing fields: 1,232 octets, version 0, all else 0 or empty. */
  readonly edns?: Partial<Edns>
}

/**
 * Encodes a message, without the length field that TCP puts before it.
 *
 * @param options - `compress`: whether names that occur again become pointers (`false` by default).
 * @throws {BugError} When a field is out of its range or the result is longer than 65,535 octets.
 */
export function encodeMessage(message: DnsMessage, options: { readonly compress?: boolean } = {}): Uint8Array {
  const writer = new WireWriter(options.compress === true)
  const { questions, answers, authorities, additionals, edns } = message
  writer.uint16(message.header.id)
  writer.uint16(encodeFlags(message.header))
  writer.uint16(questions.length)
  writer.uint16(answers.length)
  writer.uint16(authorities.length)
  writer.uint16(additionals.length + (edns === undefined ? 0 : 1))
  for (const question of questions) {
    writer.name(question.name, true)
    writer.uint16(question.type)
    writer.uint16(question.class)
  }
  for (const record of answers) encodeRecord(writer, record)
  for (const record of authorities) encodeRecord(writer, record)
  const lastType = additionals.at(-1)?.type
  const signed = lastType === TYPE_TSIG || lastType === TYPE_SIG ? additionals.length - 1 : additionals.length
  for (const record of additionals.slice(0, signed)) encodeRecord(writer, record)
  if (edns !== undefined) encodeOpt(writer, edns)
  for (const record of additionals.slice(signed)) encodeRecord(writer, record)
  return writer.finish()
}

/** Encodes a query with one question. @throws {BugError} When a field is out of its range. */
export function encodeQuery(query: QueryFields): Uint8Array {
  const { name, type } = query
  return encodeMessage({
    header: {
      id: query.id,
      response: false,
      opcode: 0,
      authoritative: false,
      truncated: false,
      recursionDesired: query.recursionDesired,
      recursionAvailable: false,
      reserved: false,
      authenticData: query.authenticData ?? false,
      checkingDisabled: query.checkingDisabled ?? false,
      rcode: 0,
    },
    questions: [{ name, type, class: query.class ?? CLASS_IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: query.edns && {
      udpSize: UDP_SIZE_DEFAULT,
      extendedRcode: 0,
      version: 0,
      dnssecOk: false,
      reservedFlags: 0,
      options: [],
      ...query.edns,
    },
  })
}

function encodeFlags(header: Header): number {
  // Upper bits of an RCODE belong into the OPT record.
  assert(header.opcode >= 0 && header.opcode <= 15, 'opcode does not fit 4 bits')
  assert(header.rcode >= 0 && header.rcode <= 15, 'RCODE does not fit 4 bits')
  return (
    (header.response ? 0x8000 : 0) |
    (header.opcode << 11) |
    (header.authoritative ? 0x0400 : 0) |
    (header.truncated ? 0x0200 : 0) |
    (header.recursionDesired ? 0x0100 : 0) |
    (header.recursionAvailable ? 0x0080 : 0) |
    (header.reserved ? 0x0040 : 0) |
    (header.authenticData ? 0x0020 : 0) |
    (header.checkingDisabled ? 0x0010 : 0) |
    header.rcode
  )
}

function encodeRecord(writer: WireWriter, record: ResourceRecord): void {
  writer.name(record.name, true)
  writer.uint16(record.type)
  writer.uint16(record.class)
  writer.uint32(record.ttl)
  writer.putMeasured(() => {
    encodeRdata(writer, record.rdata)
  })
}

function encodeOpt(writer: WireWriter, edns: Edns): void {
  writer.name([], false)
  writer.uint16(TYPE_OPT)
  writer.uint16(edns.udpSize)
  writer.uint8(edns.extendedRcode)
  writer.uint8(edns.version)
  writer.uint16((edns.dnssecOk ? 0x8000 : 0) | edns.reservedFlags)
  writer.putMeasured(() => {
    for (const option of edns.options) encodeEdnsOption(writer, option)
  })
}
