/**
 * What one resolver said about a name: the answers to A and AAAA together.
 *
 * Invariant: judges no name. An address is usable unless it stands for "nothing here": the unspecified ones, loopback where
 * the plan says that no public name can have it, and the configured sinkholes.
 *
 * Sources: RFC 2308 (negative answers, and for how long they hold).
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { parseIp } from '../../core/ip-address.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import { fullRcode, type DnsMessage } from '../../dns/message.ts'
import { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_REFUSED } from '../../dns/rcode.ts'
import { TYPE_A, TYPE_AAAA } from '../../dns/rr-type.ts'
import type { AttemptOutcome } from '../../model/domain.ts'
import type { Exchange } from '../../model/observation.ts'

/** RFC 2308 section 5 allows hours; a name that comes to life must not wait that long. */
const NEGATIVE_MAX_SECONDS = 900
const IPV4_LOOPBACK = 127

/** What one resolver said. */
export interface AttemptAnswer {
  readonly outcome: AttemptOutcome
  /** Usable ones, canonical, each once. */
  readonly addresses: readonly string[]
  /** The least of all address records; `null` without any. */
  readonly ttlSeconds: number | null
  /** For how long a denial may be remembered; 0 for not at all. */
  readonly negativeSeconds: number
  /** Sending → the later answer, in milliseconds; `null` when none came. */
  readonly rttMs: number | null
}

/** What counts as no address. */
export interface FilterRules {
  readonly plan: Pick<AddressPlan, 'isBogusAnswer'>
  /** Canonical. */
  readonly sinkholes: ReadonlySet<string>
}

/** Reads the answer to one question. */
export function readDomainAnswer(exchange: Exchange, rules: FilterRules): AttemptAnswer {
  if (exchange.kind === 'failure') return nothing(exchange.side === 'us' ? 'unsent' : 'timeout', null)
  const [first] = exchange.responses
  const decoded = decodeMessage(first.octets)
  if (decoded.kind === 'malformed') return nothing('temporary', first.elapsedMs)
  return readMessage(decoded.message, first.elapsedMs, rules)
}

/** @returns Whether an answer was cut off, and has to be asked for over TCP. */
export function isCutOff(exchange: Exchange): boolean {
  return exchange.kind === 'responses' && ((exchange.responses[0].octets[2] ?? 0) & 0x02) !== 0
}

/** The answers to A and AAAA as one. */
export function joinAnswers(a: AttemptAnswer, b: AttemptAnswer): AttemptAnswer {
  const addresses = [...new Set([...a.addresses, ...b.addresses])]
  const ttls = [a.ttlSeconds, b.ttlSeconds].filter((ttl) => ttl !== null)
  const trips = [a.rttMs, b.rttMs].filter((trip) => trip !== null)
  const outcome = joinOutcomes(a.outcome, b.outcome)
  return {
    outcome,
    addresses,
    ttlSeconds: ttls.length === 0 ? null : Math.min(...ttls),
    negativeSeconds: Math.max(a.negativeSeconds, b.negativeSeconds),
    rttMs: trips.length === 0 ? null : Math.max(...trips),
  }
}

function joinOutcomes(a: AttemptOutcome, b: AttemptOutcome): AttemptOutcome {
  if (a === b) return a
  const has = (outcome: AttemptOutcome): boolean => a === outcome || b === outcome
  if (has('ok')) return 'ok'
  // A server that denies the name for one type and not for the other does not deny the name.
  if (has('nxdomain')) return has('nodata') || has('filtered') ? 'nodata' : 'nxdomain'
  if (has('filtered')) return 'filtered'
  if (has('unsent')) return a === 'unsent' ? b : a
  return 'temporary'
}

function readMessage(message: DnsMessage, rttMs: number, rules: FilterRules): AttemptAnswer {
  const rcode = fullRcode(message)
  const type = message.questions[0]?.type
  const records = message.answers.filter((record) => record.type === type && (type === TYPE_A || type === TYPE_AAAA))
  const found = records.flatMap(({ rdata }) => (rdata.kind === 'a' || rdata.kind === 'aaaa' ? [rdata.address] : []))
  const negativeSeconds = readNegativeSeconds(message)
  if (rcode === RCODE_NXDOMAIN)
    return {
      ...nothing(negativeSeconds === undefined ? 'temporary' : 'nxdomain', rttMs),
      negativeSeconds: negativeSeconds ?? 0,
    }
  if (rcode === RCODE_REFUSED) return nothing('refused', rttMs)
  if (rcode !== RCODE_NOERROR) return nothing('temporary', rttMs)
  const addresses = found.filter((address) => !isFiltered(address, rules))
  if (addresses.length > 0) {
    const ttlSeconds = Math.min(...records.map(({ ttl }) => ttl))
    return { outcome: 'ok', addresses: [...new Set(addresses)], ttlSeconds, negativeSeconds: 0, rttMs }
  }
  if (found.length > 0) return nothing('filtered', rttMs)
  return { ...nothing('nodata', rttMs), negativeSeconds: negativeSeconds ?? 0 }
}

/** `undefined` without a SOA record: such a denial proves nothing. */
function readNegativeSeconds({ authorities }: DnsMessage): number | undefined {
  for (const { rdata, ttl } of authorities)
    if (rdata.kind === 'soa') return Math.min(rdata.minimumSeconds, ttl, NEGATIVE_MAX_SECONDS)
  return undefined
}

function isFiltered(address: string, { plan, sinkholes }: FilterRules): boolean {
  const octets = parseIp(address)
  if (octets === undefined || sinkholes.has(address)) return true
  if (octets.every((octet, index) => octet === 0 || (octets.length === 16 && index === 15 && octet === 1)))
    return octets.length === 4 || plan.isBogusAnswer(octets)
  return octets.length === 4 && octets[0] === IPV4_LOOPBACK && plan.isBogusAnswer(octets)
}

function nothing(outcome: AttemptOutcome, rttMs: number | null): AttemptAnswer {
  return { outcome, addresses: [], ttlSeconds: null, negativeSeconds: 0, rttMs }
}
