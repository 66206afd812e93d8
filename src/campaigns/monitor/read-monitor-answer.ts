/**
 * From an exchange to what the monitor compares: outcome, values in their canonical form, and whose addresses they are.
 *
 * Invariant: NXDOMAIN, NODATA, SERVFAIL and no answer stay four different things.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { formatPrefix, parseIp, parsePrefix, prefixContains, truncatePrefix } from '../../core/ip-address.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import { fullRcode } from '../../dns/message.ts'
import { formatRcode, RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../../dns/rcode.ts'
import { formatRdata } from '../../dns/rdata.ts'
import { parseRrType } from '../../dns/rr-type.ts'
import type { AnswerUnit, ResolverAnswer } from '../../model/monitor-round.ts'
import type { Exchange } from '../../model/observation.ts'
import { decodeDnsJson } from '../../net/dns-json.ts'

/** An answer before anybody says whose it is; `isCut`: it did not fit into a datagram. */
export type ReadAnswer = Omit<ResolverAnswer, 'resolver' | 'operator'> & { readonly isCut: boolean }

interface PlainAnswer {
  readonly rcode: number
  readonly isAuthenticated: boolean
  readonly isCut: boolean
  readonly records: readonly { readonly type: number; readonly ttl: number; readonly data: string }[]
}

/** Types whose text is names, which have no case. */
const NAME_TYPES = new Set(['CNAME', 'NS', 'MX', 'SOA', 'SRV', 'PTR', 'DS'])

/** Reads an exchange. Never throws, whatever came. */
export function readMonitorAnswer(
  exchange: Exchange,
  type: string,
  isJson: boolean,
  addressPlan: AddressPlan,
  sinkholes: readonly string[],
): ReadAnswer {
  const nothing = { units: [], ttlSeconds: null, isAuthenticated: false, isCut: false } as const
  if (exchange.kind === 'failure') return { ...nothing, outcome: 'failure', reason: exchange.failure }
  const plain = (isJson ? readJson : readWire)(exchange.responses[0].octets)
  if (plain === undefined) return { ...nothing, outcome: 'failure', reason: 'malformed answer' }
  const { rcode, isAuthenticated, isCut } = plain
  const reason = formatRcode(rcode)
  if (rcode === RCODE_NXDOMAIN) return { ...nothing, isAuthenticated, outcome: 'nxdomain', reason }
  if (rcode === RCODE_SERVFAIL) return { ...nothing, outcome: 'servfail', reason }
  if (rcode !== RCODE_NOERROR) return { ...nothing, outcome: 'failure', reason }
  const records = plain.records.filter((record) => record.type === parseRrType(type))
  if (records.length === 0)
    return {
      ...nothing,
      isAuthenticated,
      isCut,
      outcome: isCut ? 'failure' : 'nodata',
      reason: isCut ? 'truncated' : 'NODATA',
    }
  const ttlSeconds = Math.min(...records.map(({ ttl }) => ttl))
  const values = records.map(({ data }) => data)
  const units = describeValues(type, values, addressPlan, sinkholes)
  return { outcome: 'answer', units, ttlSeconds, isAuthenticated, isCut, reason: null }
}

/** What is compared of the values of an answer, and whose they are. Sorted by text. */
export function describeValues(
  type: string,
  values: readonly string[],
  addressPlan: AddressPlan,
  sinkholes: readonly string[],
): readonly AnswerUnit[] {
  const texts = [...new Set(values.map((value) => normalise(type, value)))].toSorted()
  return type === 'A' || type === 'AAAA'
    ? texts.map((text) => describeAddress(text, addressPlan, sinkholes))
    : [{ ...PLAIN_UNIT, text: texts.join('\n'), zone: type === 'CNAME' ? zoneOf(texts[0] ?? '') : null }]
}

const PLAIN_UNIT = { asn: null, country: null, prefix: null, isBogus: false, zone: null } as const

function readWire(octets: Uint8Array): PlainAnswer | undefined {
  const decoded = decodeMessage(octets)
  if (decoded.kind !== 'message') return undefined
  const { header, answers } = decoded.message
  const records = answers.map(({ type, ttl, rdata }) => ({ type, ttl, data: formatRdata(rdata) }))
  return { rcode: fullRcode(decoded.message), isAuthenticated: header.authenticData, isCut: header.truncated, records }
}

function readJson(octets: Uint8Array): PlainAnswer | undefined {
  const decoded = decodeDnsJson(octets)
  if (decoded === undefined) return undefined
  const { rcode, flags, answers } = decoded
  return { rcode, isAuthenticated: flags.includes('ad'), isCut: flags.includes('tc'), records: answers }
}

/** The serial of a zone moves with every edit of any name: of an SOA only who is responsible counts. */
function normalise(type: string, data: string): string {
  // Names in JSON have a dot at their end.
  const text = NAME_TYPES.has(type) ? data.toLowerCase().replaceAll(/\.(?=\s|$)/g, '') : data
  return type === 'SOA' ? text.split(' ').slice(0, 2).join(' ') : text
}

function describeAddress(text: string, plan: AddressPlan, sinkholes: readonly string[]): AnswerUnit {
  const octets = parseIp(text)
  // An address record whose octets are none has the form of unknown data, and is nobody's address.
  if (octets === undefined) return { ...PLAIN_UNIT, text, isBogus: true, prefix: '' }
  const owner = plan.lookup(octets)
  const isSinkhole = sinkholes.some((sinkhole) => {
    const prefix = parsePrefix(sinkhole)
    return prefix !== undefined && prefixContains(prefix, octets)
  })
  return {
    text,
    asn: owner?.asn ?? null,
    country: owner === undefined || owner.country === '' ? null : owner.country,
    prefix: formatPrefix(truncatePrefix(octets, octets.length === 4 ? 24 : 48)),
    isBogus: isSinkhole || plan.isBogusAnswer(octets),
    zone: null,
  }
}

/** The last two labels. */
function zoneOf(target: string): string {
  return target.replace(/\.$/, '').split('.').slice(-2).join('.')
}
