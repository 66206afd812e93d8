/**
 * Octets → message.
 *
 * A message is malformed when its frame is: when a section ends too early, a name cannot be read, options do not fit
 * their record, there are two OPT records, or octets follow the last record. Content of a record that does not fit its
 * type is kept as `malformed` rdata instead.
 *
 * **Invariant:** never throws and never loops, whatever the octets; the result shares no memory with them. Decoding what
 * `encode-message.ts` makes of a decoded message gives an equal message.
 *
 * **Sources:** RFC 1035 section 4, RFC 6891 section 6.1, RFC 4035 sections 3.1.6 and 3.2.2 (AD, CD).
 */
import { decodeRdata } from './decode-rdata.ts'
import { decodeEdnsOptions } from './edns.ts'
import type { DnsMessage, Edns, Header, Question, ResourceRecord } from './message.ts'
import type { Name } from './name.ts'
import { TYPE_OPT } from './rr-type.ts'
import { type WireFailure, WireReader } from './wire-reader.ts'

/** A message, or where and why the octets are none. */
export type DecodedMessage =
  | { readonly kind: 'message'; readonly message: DnsMessage }
  | ({ readonly kind: 'malformed' } & WireFailure)

/** Decodes a message, without the length field that TCP puts before it. */
export function decodeMessage(octets: Uint8Array): DecodedMessage {
  const reader = new WireReader(octets)
  const id = reader.uint16()
  const flags = reader.uint16()
  const questionCount = reader.uint16()
  const answerCount = reader.uint16()
  const authorityCount = reader.uint16()
  const additionalCount = reader.uint16()
  const questions = decodeQuestions(reader, questionCount)
  const answers = decodeRecords(reader, answerCount)
  const authorities = decodeRecords(reader, authorityCount)
  const { records: additionals, edns } = decodeAdditionals(reader, additionalCount)
  if (reader.remaining() > 0) reader.fail('octets after the last record')
  if (reader.failure !== undefined) return { kind: 'malformed', ...reader.failure }
  const header = decodeFlags(id, flags)
  return { kind: 'message', message: { header, questions, answers, authorities, additionals, edns } }
}

function decodeFlags(id: number, flags: number): Header {
  return {
    id,
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    reserved: (flags & 0x0040) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 0xf,
  }
}

function decodeQuestions(reader: WireReader, count: number): readonly Question[] {
  const questions: Question[] = []
  for (let i = 0; i < count && reader.failure === undefined; i++) {
    questions.push({ name: reader.name('follow'), type: reader.uint16(), class: reader.uint16() })
  }
  return questions
}

function decodeRecords(reader: WireReader, count: number): readonly ResourceRecord[] {
  const records: ResourceRecord[] = []
  for (let i = 0; i < count && reader.failure === undefined; i++) {
    const name = reader.name('follow')
    records.push(decodeRecord(reader, name, reader.uint16()))
  }
  return records
}

/** The record after its owner and type. An OPT record in a wrong place is one of unknown content. */
function decodeRecord(reader: WireReader, name: Name, type: number): ResourceRecord {
  const rrClass = reader.uint16()
  const ttl = reader.uint32()
  return { name, type, class: rrClass, ttl, rdata: decodeRdata(reader, type, rrClass, reader.uint16()) }
}

function decodeAdditionals(
  reader: WireReader,
  count: number,
): { records: readonly ResourceRecord[]; edns: Edns | undefined } {
  const records: ResourceRecord[] = []
  let edns: Edns | undefined
  for (let i = 0; i < count && reader.failure === undefined; i++) {
    const start = reader.offset
    const name = reader.name('follow')
    const type = reader.uint16()
    // RFC 6891 section 6.1.2: the owner is the root.
    if (type !== TYPE_OPT || name.length > 0) records.push(decodeRecord(reader, name, type))
    else if (edns === undefined) edns = decodeOpt(reader)
    else reader.fail('second OPT record', start)
  }
  return { records, edns }
}

/** RFC 6891 section 6.1.3: class and TTL have other meanings here. */
function decodeOpt(reader: WireReader): Edns {
  const udpSize = reader.uint16()
  const extendedRcode = reader.uint8()
  const version = reader.uint8()
  const flags = reader.uint16()
  const outerEnd = reader.limit(reader.uint16())
  const options = decodeEdnsOptions(reader)
  reader.end = outerEnd
  return { udpSize, extendedRcode, version, dnssecOk: (flags & 0x8000) !== 0, reservedFlags: flags & 0x7fff, options }
}
