/**
 * The JSON form of DNS answers, for compatibility with servers that have no other: `application/dns-json`.
 *
 * Nobody has specified it; the fields are those that the servers have in common. Data are text in the form of master files.
 *
 * Invariant: whatever the octets, decoding never throws; what has another shape is no answer.
 *
 * Sources: the descriptions of Google Public DNS (2016) and of Cloudflare.
 */
import { decodeMessage } from '../dns/decode-message.ts'
import { equalNames, formatName, parseName } from '../dns/name.ts'
import type { ResponseMatch } from './match-response.ts'

/** A record. */
export interface DnsJsonRecord {
  readonly name: string
  readonly type: number
  /** Seconds. */
  readonly ttl: number
  readonly data: string
}

/** An answer. */
export interface DnsJson {
  readonly rcode: number
  /** Those that are set, of `tc rd ra ad cd`. */
  readonly flags: readonly string[]
  readonly questions: readonly { readonly name: string; readonly type: number }[]
  readonly answers: readonly DnsJsonRecord[]
  readonly authorities: readonly DnsJsonRecord[]
  readonly additionals: readonly DnsJsonRecord[]
}

const FLAGS = ['TC', 'RD', 'RA', 'AD', 'CD'] as const

/** The parameters of the request that asks what a query in wire format asks: `name=…&type=…`. */
export function formatDnsJsonQuery(query: Uint8Array): string | undefined {
  const decoded = decodeMessage(query)
  const [question] = decoded.kind === 'message' ? decoded.message.questions : []
  if (decoded.kind !== 'message' || question === undefined) return undefined
  const { header, edns } = decoded.message
  const subnet = edns?.options.find((option) => option.kind === 'client_subnet')
  return [
    `name=${encodeURIComponent(formatName(question.name))}`,
    `type=${question.type}`,
    ...(edns?.dnssecOk === true ? ['do=1'] : []),
    ...(header.checkingDisabled ? ['cd=1'] : []),
    ...(subnet === undefined
      ? []
      : [`edns_client_subnet=${encodeURIComponent(`${subnet.address}/${subnet.sourceBits}`)}`]),
  ].join('&')
}

/** Whether a body answers a query in wire format. */
export function matchDnsJson(query: Uint8Array, octets: Uint8Array): ResponseMatch {
  const answer = decodeDnsJson(octets)
  if (answer === undefined) return 'malformed'
  const decoded = decodeMessage(query)
  const [asked] = decoded.kind === 'message' ? decoded.message.questions : []
  const [told] = answer.questions
  const name = parseName(told?.name ?? '')
  const isSame = asked !== undefined && name !== undefined && equalNames(asked.name, name) && asked.type === told?.type
  return isSame ? 'response' : 'wrong_question'
}

/** Decodes a body. @returns `undefined` when it has another shape. */
export function decodeDnsJson(octets: Uint8Array): DnsJson | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(octets))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const fields = toFields(value)
  const questions = readList(fields?.['Question'], readQuestion)
  const [answers, authorities, additionals] = ['Answer', 'Authority', 'Additional'].map((section) =>
    readList(fields?.[section], readRecord),
  )
  const rcode = fields?.['Status']
  if (fields === undefined || !isUint(rcode, 0xfff)) return undefined
  if (questions === undefined || !answers || !authorities || !additionals) return undefined
  const flags = FLAGS.filter((flag) => fields[flag] === true).map((flag) => flag.toLowerCase())
  return { rcode, flags, questions, answers, authorities, additionals }
}

type Fields = Readonly<Record<string, unknown>>

function toFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function isUint(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

/** A section that is absent is empty; one server gives its only question without a list. */
function readList<T>(value: unknown, read: (fields: Fields) => T | undefined): readonly T[] | undefined {
  if (value === undefined || value === null) return []
  const entries = (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map((entry) => {
    const fields = toFields(entry)
    return fields && read(fields)
  })
  return entries.every((entry) => entry !== undefined) ? entries : undefined
}

function readQuestion({ name, type }: Fields): DnsJson['questions'][number] | undefined {
  return typeof name === 'string' && isUint(type, 0xffff) ? { name, type } : undefined
}

function readRecord({ name, type, TTL: ttl, data }: Fields): DnsJsonRecord | undefined {
  const isRecord = typeof name === 'string' && typeof data === 'string' && isUint(type, 0xffff)
  return isRecord && isUint(ttl ?? 0, 0xffff_ffff) ? { name, type, ttl: Number(ttl ?? 0), data } : undefined
}
