/**
 * Which AS announces an address, and the country of its registration: a TXT question to the public service of Team Cymru over
 * the resolvers that are asked anyway. A table of all prefixes does not fit into a Worker.
 *
 * **Invariant**: what is asked for is a prefix (/24, /48) and never a watched name. Answers have no meaning but these two facts,
 * and what has another form is none.
 *
 * **Sources**: Team Cymru, "IP to ASN mapping" (origin.asn.cymru.com, origin6.asn.cymru.com).
 */
import { parseIp, truncatePrefix } from '../core/ip-address.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { formatRdata } from '../dns/rdata.ts'
import { parseRrType } from '../dns/rr-type.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { AnswerUnit, MonitorRound } from '../model/monitor-round.ts'
import type { MonitorProfile } from '../model/monitor-state.ts'
import { decodeDnsJson } from '../net/dns-json.ts'
import { encodeMonitorQuery } from '../campaigns/monitor/monitor-probe.ts'
import { exchangeOverFetch, type FetchAsker } from './ask-over-fetch.ts'

/** Whose an address is. */
export interface AddressOrigin {
  readonly asn: number | null
  /** ISO 3166; `null` where the service has none. */
  readonly country: string | null
}

const NOBODY: AddressOrigin = { asn: null, country: null }

/** The name that the service answers for a prefix of an address; `undefined` for what is no address. */
export function formatOriginName(address: string): string | undefined {
  const octets = parseIp(address)
  if (octets === undefined) return undefined
  if (octets.length === 4) return `0.${[...octets.subarray(0, 3)].toReversed().join('.')}.origin.asn.cymru.com`
  const { octets: prefix } = truncatePrefix(octets, 48)
  const nibbles = [...prefix.subarray(0, 6)].flatMap((octet) => [octet >> 4, octet & 0xf])
  return `${nibbles
    .map((nibble) => nibble.toString(16))
    .toReversed()
    .join('.')}.origin6.asn.cymru.com`
}

/** Reads `"15169 | 8.8.8.0/24 | US | arin | 1992-12-01"`; of several origins the first. */
export function parseOrigin(text: string): AddressOrigin {
  const match = /^"?(\d{1,10})(?: \d{1,10})* \| [\da-f.:]+\/\d{1,3} \| ([A-Z]{2})? ?\|/.exec(text)
  if (match === null) return NOBODY
  return { asn: Number(match[1]), country: match[2] ?? null }
}

/** Addresses of a round whose prefix the profile does not know, one for each prefix. */
export function listUnknownPrefixes(round: MonitorRound, profile: MonitorProfile): readonly string[] {
  const known = new Set(Object.values(profile.units).flatMap(({ prefix }) => prefix ?? []))
  const found = new Map<string, string>()
  for (const { prefix, text, isBogus } of round.answers.flatMap(({ units }) => units)) {
    // An impossible address is nobody's; a known address has its AS in the profile.
    if (prefix === null || isBogus || known.has(prefix)) continue
    found.set(prefix, text)
  }
  return [...found.values()]
}

/**
 * Asks the service about one address: over a resolver that did not give the address where there is one, so that none can say
 * whose its own lie is. Never rejects on a network outcome.
 */
export async function askOrigin(
  asker: FetchAsker,
  plan: MonitorPlan,
  { answers, atMs }: MonitorRound,
  address: string,
): Promise<AddressOrigin> {
  const name = formatOriginName(address)
  const reached = answers.filter(({ outcome }) => outcome !== 'failure')
  const others = reached.filter(({ units }) => units.every(({ text }) => text !== address))
  const [asked] = others.length > 0 ? others : reached
  const resolver = plan.resolvers.find((each) => each.name === asked?.resolver)
  if (name === undefined || resolver === undefined) return NOBODY
  const query = encodeMonitorQuery(name, 'TXT', resolver.transport, asker.random, false)
  const exchange = await exchangeOverFetch(asker, resolver, query, atMs)
  if (exchange.kind === 'failure') return NOBODY
  const [{ octets }] = exchange.responses
  const texts = resolver.transport === 'https_json' ? readJsonTexts(octets) : readWireTexts(octets)
  return parseOrigin(texts.toSorted()[0] ?? '')
}

/** Puts what was found out into a round; a known prefix brings its own. */
export function addOrigins(
  round: MonitorRound,
  profile: MonitorProfile,
  origins: ReadonlyMap<string, AddressOrigin>,
): MonitorRound {
  const known = new Map(
    Object.values(profile.units).flatMap((unit) => (unit.prefix === null ? [] : [[unit.prefix, unit] as const])),
  )
  const describe = (unit: AnswerUnit): AnswerUnit => {
    const owner = profile.units[unit.text] ?? known.get(unit.prefix ?? '') ?? origins.get(unit.prefix ?? '') ?? NOBODY
    return { ...unit, asn: unit.asn ?? owner.asn, country: unit.country ?? owner.country }
  }
  return { ...round, answers: round.answers.map((answer) => ({ ...answer, units: answer.units.map(describe) })) }
}

function readWireTexts(octets: Uint8Array): readonly string[] {
  const decoded = decodeMessage(octets)
  if (decoded.kind !== 'message') return []
  const { answers } = decoded.message
  return answers.filter(({ type }) => type === parseRrType('TXT')).map(({ rdata }) => formatRdata(rdata))
}

function readJsonTexts(octets: Uint8Array): readonly string[] {
  const answers = decodeDnsJson(octets)?.answers ?? []
  return answers.filter(({ type }) => type === parseRrType('TXT')).map(({ data }) => data)
}
