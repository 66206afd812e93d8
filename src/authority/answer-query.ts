/**
 * One query: octets in, octets and a record out.
 *
 * Invariant: whatever comes in, this never throws, and what goes out over UDP to an address that has not proven itself
 * is small. A query is answered or, when it is limited, gets TC = 1; only what is no query at all gets nothing.
 *
 * Sources: RFC 1035, RFC 6891 (EDNS), RFC 7873 (cookies), RFC 7871 (client subnet), RFC 9619 (one question).
 */
import { formatIsoTime } from '../core/clock.ts'
import { formatPrefix, parseIp, truncatePrefix } from '../core/ip-address.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage } from '../dns/encode-message.ts'
import type { DnsMessage, Edns, Question } from '../dns/message.ts'
import { formatName, type Name } from '../dns/name.ts'
import { CLASS_IN, formatRrType } from '../dns/rr-type.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { Endpoint } from '../net/net.ts'
import { isServerCookie, makeServerCookie } from './dns-cookie.ts'
import { lookUp, type ZoneAnswer } from './look-up.ts'
import { lowerCaseText, nodeKey } from './node-key.ts'
import type { RateLimiter } from './rate-limiter.ts'
import { parseRunName, type RunName } from './run-name.ts'
import type { RunNameGate } from './run-name-gate.ts'
import { findZone, type Zone } from './zone.ts'

/** What answers depend on besides the query. */
export interface AnswerState {
  /** `nodeKey` of the apex → zone. */
  readonly zones: ReadonlyMap<string, Zone>
  /** 16 octets for cookies. */
  readonly cookieSecret: Uint8Array
  readonly limiter: RateLimiter
  readonly gate: RunNameGate
}

/** A query as it arrived. */
export interface ReceivedQuery {
  readonly octets: Uint8Array
  readonly source: Endpoint
  readonly transport: 'udp' | 'tcp'
  /** Unix milliseconds. */
  readonly receivedAtMs: number
}

/** What comes of it. */
export interface AnsweredQuery {
  /** `undefined` when it was no query: too short, or a response itself. */
  readonly response: Uint8Array | undefined
  /** `undefined` when there was no question to record. */
  readonly record: AuthorityQuery | undefined
  /** What the name says when it has the form of an exits run. */
  readonly runName: RunName | undefined
}

const HEADER_OCTETS = 12
const UDP_OCTETS_PLAIN = 512
/** RFC 9715: larger datagrams are fragmented somewhere. Also the size that we offer. */
const UDP_OCTETS_MAX = 1232
const TCP_OCTETS_MAX = 65_535
/** An answer up to this many times as large as its query costs one token; a larger one as many as it is worth. */
const FAIR_FACTOR = 2

const OPTION_COOKIE = 10
const RCODE_FORMERR = 1
const RCODE_NOTIMP = 4
const RCODE_REFUSED = 5
const RCODE_BADVERS = 16
/** Types of 128 to 254 ask for something else than data: transfers, signatures of messages. */
const META_TYPE_MIN = 128
const META_TYPE_MAX = 254

const NOTHING: AnsweredQuery = { response: undefined, record: undefined, runName: undefined }
const EMPTY: ZoneAnswer = { rcode: 0, authoritative: false, answers: [], authorities: [], additionals: [] }

/** Answers one query. */
export function answerQuery(state: AnswerState, received: ReceivedQuery): AnsweredQuery {
  const { octets } = received
  const flags = octets[2] ?? 0
  // Answering responses would let two servers talk to each other for ever.
  if (octets.length < HEADER_OCTETS || (flags & 0x80) !== 0) return NOTHING
  const opcode = (flags >> 3) & 0x0f
  if (opcode !== 0) return { ...NOTHING, response: bareError(octets, RCODE_NOTIMP) }
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') return { ...NOTHING, response: bareError(octets, RCODE_FORMERR) }
  const query = decoded.message
  const [question, ...more] = query.questions
  if (question === undefined || more.length > 0 || hasMalformedCookie(query.edns)) {
    return { ...NOTHING, response: bareError(octets, RCODE_FORMERR) }
  }
  return answerQuestion(state, received, query, question)
}

function answerQuestion(
  state: AnswerState,
  received: ReceivedQuery,
  query: DnsMessage,
  question: Question,
): AnsweredQuery {
  const { transport, source, receivedAtMs, octets } = received
  const zone = question.class === CLASS_IN ? findZone(state.zones, question.name) : undefined
  const runName = zone && parseRunName(labelsBelow(question.name, zone.apex))
  const answer = resolve(zone, query, question)
  const cookie = readCookie(state, query.edns, source, receivedAtMs)
  const edns = query.edns && makeEdns(query.edns, answer.rcode, cookie?.reply)
  const sizeMax = transport === 'tcp' ? TCP_OCTETS_MAX : udpSizeMax(query.edns)
  const whole = encodeAnswer(query, question, answer, edns)
  const isAdmitted = (): boolean =>
    transport === 'tcp' ||
    cookie?.proven === true ||
    (runName !== undefined && state.gate.admit(nodeKey(question.name), runName)) ||
    state.limiter.take(source.address, Math.ceil(Math.min(whole.length, sizeMax) / (FAIR_FACTOR * octets.length)))
  const limited = !isAdmitted()
  const response = limited || whole.length > sizeMax ? encodeAnswer(query, question, shorten(answer), edns) : whole
  const refused = answer.rcode === RCODE_REFUSED
  const outcome = limited ? 'truncated' : refused ? 'refused' : 'answered'
  return { response, record: makeRecord(received, query, question, { outcome, rcode: answer.rcode }), runName }
}

function resolve(zone: Zone | undefined, query: DnsMessage, question: Question): ZoneAnswer {
  if ((query.edns?.version ?? 0) > 0) return { ...EMPTY, rcode: RCODE_BADVERS }
  const isMeta = question.type >= META_TYPE_MIN && question.type <= META_TYPE_MAX
  if (zone === undefined || isMeta) return { ...EMPTY, rcode: RCODE_REFUSED }
  return lookUp(zone, question.name, question.type, query.edns?.dnssecOk === true)
}

/** A response without question, for what cannot be understood: never longer than what came in. */
function bareError(octets: Uint8Array, rcode: number): Uint8Array {
  const response = new Uint8Array(HEADER_OCTETS)
  response.set(octets.subarray(0, 2))
  // QR = 1; opcode and RD as they came.
  response[2] = 0x80 | ((octets[2] ?? 0) & 0x79)
  response[3] = rcode
  return response
}

function encodeAnswer(
  query: DnsMessage,
  question: Question,
  answer: ZoneAnswer & { readonly truncated?: boolean },
  edns: Edns | undefined,
): Uint8Array {
  return encodeMessage(
    {
      header: {
        id: query.header.id,
        response: true,
        opcode: 0,
        authoritative: answer.authoritative,
        truncated: answer.truncated === true,
        recursionDesired: query.header.recursionDesired,
        recursionAvailable: false,
        reserved: false,
        authenticData: false,
        checkingDisabled: query.header.checkingDisabled,
        rcode: answer.rcode & 0x0f,
      },
      questions: [question],
      answers: answer.answers,
      authorities: answer.authorities,
      additionals: answer.additionals,
      edns,
    },
    { compress: true },
  )
}

/** TC = 1: ask again over TCP. */
function shorten({ rcode, authoritative }: ZoneAnswer): ZoneAnswer & { readonly truncated: boolean } {
  return { ...EMPTY, rcode, authoritative, truncated: true }
}

function udpSizeMax(edns: Edns | undefined): number {
  if (edns === undefined) return UDP_OCTETS_PLAIN
  return Math.min(Math.max(edns.udpSize, UDP_OCTETS_PLAIN), UDP_OCTETS_MAX)
}

function makeEdns(query: Edns, rcode: number, cookie: Edns['options'][number] | undefined): Edns {
  return {
    udpSize: UDP_OCTETS_MAX,
    extendedRcode: rcode >> 4,
    version: 0,
    dnssecOk: query.dnssecOk,
    reservedFlags: 0,
    options: cookie === undefined ? [] : [cookie],
  }
}

function hasMalformedCookie(edns: Edns | undefined): boolean {
  return edns?.options.some((option) => option.kind === 'unknown' && option.code === OPTION_COOKIE) === true
}

function readCookie(
  state: AnswerState,
  edns: Edns | undefined,
  source: Endpoint,
  nowMs: number,
): { proven: boolean; reply: Edns['options'][number] } | undefined {
  const cookie = edns?.options.find((option) => option.kind === 'cookie')
  const addressOctets = parseIp(source.address)
  if (cookie === undefined || addressOctets === undefined) return undefined
  const owner = { secret: state.cookieSecret, client: cookie.client, addressOctets }
  const nowSeconds = Math.floor(nowMs / 1000)
  return {
    proven: isServerCookie(owner, cookie.server, nowSeconds),
    reply: { kind: 'cookie', client: cookie.client, server: makeServerCookie(owner, nowSeconds) },
  }
}

function labelsBelow(name: Name, apex: Name): string[] {
  return name.slice(0, name.length - apex.length).map((label) => lowerCaseText(label))
}

function makeRecord(
  received: ReceivedQuery,
  query: DnsMessage,
  question: Question,
  result: Pick<AuthorityQuery, 'outcome' | 'rcode'>,
): AuthorityQuery {
  const name = formatName(question.name)
  const subnet = query.edns?.options.find((option) => option.kind === 'client_subnet')
  const subnetOctets = subnet && parseIp(subnet.address)
  return {
    timestamp: formatIsoTime(received.receivedAtMs),
    source_address: received.source.address,
    source_port: received.source.port,
    transport: received.transport,
    query_name: name,
    query_type: formatRrType(question.type),
    id: query.header.id,
    recursion_desired: query.header.recursionDesired,
    edns_udp_size: query.edns?.udpSize ?? null,
    dnssec_ok: query.edns?.dnssecOk ?? false,
    client_subnet: subnet && subnetOctets ? formatPrefix(truncatePrefix(subnetOctets, subnet.sourceBits)) : null,
    cookie: query.edns?.options.some((option) => option.kind === 'cookie') ?? false,
    mixed_case: /[a-z]/.test(name) && /[A-Z]/.test(name),
    ...result,
  }
}
