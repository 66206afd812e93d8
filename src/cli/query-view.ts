/**
 * What `candor query` shows of a message, as the fields of its JSON form; the text form is made from the same.
 *
 * Format: docs/formats/query.md
 */
import { assertNever } from '../core/assert.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import type { EdnsOption } from '../dns/edns.ts'
import { formatExtendedError } from '../dns/extended-error.ts'
import { fullRcode, type DnsMessage, type Edns, type Header, type ResourceRecord } from '../dns/message.ts'
import { formatName, type Name } from '../dns/name.ts'
import { formatHex } from '../dns/octets-text.ts'
import { formatRcode } from '../dns/rcode.ts'
import { formatRdata } from '../dns/rdata.ts'
import { formatRrClass, formatRrType } from '../dns/rr-type.ts'
import { decodeDnsJson, type DnsJson, type DnsJsonRecord } from '../net/dns-json.ts'
import type { TimedResponse } from '../model/observation.ts'

/** A question. */
export interface QuestionView {
  /** With a dot at the end. */
  readonly name: string
  readonly type: string
  readonly class: string
}

/** A record; `data` in the form of master files. */
export interface RecordView extends QuestionView {
  readonly ttl_seconds: number
  readonly data: string
}

/** An EDNS option. */
export type OptionView =
  | { readonly option: 'nsid'; readonly hex: string; readonly text: string }
  | { readonly option: 'client_subnet'; readonly subnet: string; readonly scope_bits: number }
  | { readonly option: 'cookie'; readonly client: string; readonly server: string }
  | { readonly option: 'padding'; readonly size_octets: number }
  | { readonly option: 'extended_error'; readonly info_code: number; readonly name: string; readonly text: string }
  | { readonly option: 'unknown'; readonly code: number; readonly hex: string }

/** The OPT record. */
export interface EdnsView {
  readonly version: number
  readonly udp_size: number
  readonly dnssec_ok: boolean
  readonly options: readonly OptionView[]
}

/** A message. */
export interface MessageView {
  /** `null` where the transport has none. */
  readonly id: number | null
  readonly opcode: number
  /** Mnemonic. */
  readonly rcode: string
  /** Those that are set, of `qr aa tc rd ra z ad cd`. */
  readonly flags: readonly string[]
  readonly questions: readonly QuestionView[]
  readonly answers: readonly RecordView[]
  readonly authorities: readonly RecordView[]
  readonly additionals: readonly RecordView[]
  readonly edns: EdnsView | null
}

/** A response with its time. */
export interface ResponseView {
  readonly elapsed_ms: number
  readonly size_octets: number
  /** `null` when the octets are none. */
  readonly message: MessageView | null
  readonly malformed: { readonly offset: number; readonly reason: string } | null
}

/** Decodes a response in JSON for showing. */
export function viewJsonResponse({ octets, elapsedMs }: TimedResponse): ResponseView {
  const decoded = decodeDnsJson(octets)
  const message = decoded === undefined ? null : viewDnsJson(decoded)
  const malformed = message === null ? { offset: 0, reason: 'another shape than an answer has' } : null
  return { elapsed_ms: roundMs(elapsedMs), size_octets: octets.length, message, malformed }
}

function viewDnsJson(json: DnsJson): MessageView {
  const viewName = (name: string): string => (name.endsWith('.') ? name : `${name}.`)
  const viewRecords = (records: readonly DnsJsonRecord[]): readonly RecordView[] =>
    records.map(({ name, type, ttl, data }) => ({
      name: viewName(name),
      type: formatRrType(type),
      class: 'IN',
      ttl_seconds: ttl,
      data,
    }))
  return {
    id: null,
    opcode: 0,
    rcode: formatRcode(json.rcode),
    flags: json.flags,
    questions: json.questions.map(({ name, type }) => ({
      name: viewName(name),
      type: formatRrType(type),
      class: 'IN',
    })),
    answers: viewRecords(json.answers),
    authorities: viewRecords(json.authorities),
    additionals: viewRecords(json.additionals),
    edns: null,
  }
}

/** Decodes a response for showing. */
export function viewResponse({ octets, elapsedMs }: TimedResponse): ResponseView {
  const decoded = decodeMessage(octets)
  const timed = { elapsed_ms: roundMs(elapsedMs), size_octets: octets.length }
  return decoded.kind === 'message'
    ? { ...timed, message: viewMessage(decoded.message), malformed: null }
    : { ...timed, message: null, malformed: { offset: decoded.offset, reason: decoded.reason } }
}

/** Milliseconds with three decimals. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** Shows a message. */
export function viewMessage(message: DnsMessage): MessageView {
  return {
    id: message.header.id,
    opcode: message.header.opcode,
    rcode: formatRcode(fullRcode(message)),
    flags: viewFlags(message.header),
    questions: message.questions.map(viewOwner),
    answers: message.answers.map(viewRecord),
    authorities: message.authorities.map(viewRecord),
    additionals: message.additionals.map(viewRecord),
    edns: message.edns === undefined ? null : viewEdns(message.edns),
  }
}

/** A name with a dot at the end. */
export function formatAbsoluteName(name: Name): string {
  return name.length === 0 ? '.' : `${formatName(name)}.`
}

function viewFlags(header: Header): readonly string[] {
  const flags = {
    qr: header.response,
    aa: header.authoritative,
    tc: header.truncated,
    rd: header.recursionDesired,
    ra: header.recursionAvailable,
    z: header.reserved,
    ad: header.authenticData,
    cd: header.checkingDisabled,
  }
  return Object.entries(flags).flatMap(([name, isSet]) => (isSet ? [name] : []))
}

function viewOwner(owner: { readonly name: Name; readonly type: number; readonly class: number }): QuestionView {
  return {
    name: formatAbsoluteName(owner.name),
    type: formatRrType(owner.type),
    class: formatRrClass(owner.class),
  }
}

function viewRecord(record: ResourceRecord): RecordView {
  return { ...viewOwner(record), ttl_seconds: record.ttl, data: formatRdata(record.rdata) }
}

function viewEdns({ version, udpSize, dnssecOk, options }: Edns): EdnsView {
  return { version, udp_size: udpSize, dnssec_ok: dnssecOk, options: options.map(viewOption) }
}

function viewOption(option: EdnsOption): OptionView {
  switch (option.kind) {
    case 'nsid':
      return { option: 'nsid', hex: formatHex(option.octets), text: new TextDecoder().decode(option.octets) }
    case 'client_subnet':
      return {
        option: 'client_subnet',
        subnet: `${option.address}/${option.sourceBits}`,
        scope_bits: option.scopeBits,
      }
    case 'cookie':
      return { option: 'cookie', client: formatHex(option.client), server: formatHex(option.server) }
    case 'padding':
      return { option: 'padding', size_octets: option.sizeOctets }
    case 'extended_error': {
      const { infoCode, text } = option
      return { option: 'extended_error', info_code: infoCode, name: formatExtendedError(infoCode), text }
    }
    case 'unknown':
      return { option: 'unknown', code: option.code, hex: formatHex(option.octets) }
    default:
      return assertNever(option)
  }
}
