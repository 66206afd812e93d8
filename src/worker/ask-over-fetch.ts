/**
 * Asks the resolvers of a name over HTTPS with `fetch`: a round of facts. RFC 8484 in wire format, and the JSON form.
 *
 * `cb=TIME` and `Cache-Control: no-cache, no-store` pass every cache of HTTP. The resolver's own cache they do not pass.
 *
 * **Invariant**: judges nothing, asks nothing twice.
 *
 * **Sources**: RFC 8484 section 4.1.
 */
import type { AddressPlan } from '../core/address-plan.ts'
import type { Random } from '../core/random.ts'
import { formatBase64 } from '../dns/octets-text.ts'
import type { MonitoredName, MonitorPlan, MonitorResolver } from '../model/monitor-name.ts'
import type { MonitorRound, ResolverAnswer } from '../model/monitor-round.ts'
import type { Exchange } from '../model/observation.ts'
import { formatDnsJsonQuery, matchDnsJson } from '../net/dns-json.ts'
import type { HttpClient } from '../net/http-client.ts'
import { matchResponse } from '../net/match-response.ts'
import { encodeMonitorQuery, NOT_ASKED, readDnssec } from '../campaigns/monitor/monitor-probe.ts'
import { readMonitorAnswer } from '../campaigns/monitor/read-monitor-answer.ts'

const NO_ODDITIES = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }
/** The longest message of DNS, and JSON is longer than that. */
const BODY_OCTETS_MAX = 262_144

/** What asking needs. */
export interface FetchAsker {
  readonly http: HttpClient
  readonly random: Random
  readonly addressPlan: AddressPlan
  /** Bounds each question, in milliseconds. */
  readonly timeoutMs: number
}

/** Asks all resolvers of a name at once. Never rejects on a network outcome. `atMs`: the time of the round. */
export async function askOverFetch(
  asker: FetchAsker,
  plan: MonitorPlan,
  monitored: MonitoredName,
  { atMs, isConfirmation }: Pick<MonitorRound, 'atMs' | 'isConfirmation'>,
): Promise<MonitorRound> {
  const chosen = plan.resolvers.filter(({ name }) => monitored.resolvers.includes(name))
  const answers = await Promise.all(
    chosen.map(async (resolver): Promise<ResolverAnswer> => {
      const { domain, type } = monitored
      const query = encodeMonitorQuery(domain, type, resolver.transport, asker.random, false)
      const exchange = await exchangeOverFetch(asker, resolver, query, atMs)
      const isJson = resolver.transport === 'https_json'
      const read = readMonitorAnswer(exchange, type, isJson, asker.addressPlan, plan.sinkholes)
      const { isCut: _isCut, ...answer } = read
      return { resolver: resolver.name, operator: resolver.operator, ...answer }
    }),
  )
  return { atMs, isConfirmation, answers, corroboration: { ...NOT_ASKED, dnssec: readDnssec(answers) } }
}

/** One question to one resolver. */
export async function exchangeOverFetch(
  { http, timeoutMs }: Pick<FetchAsker, 'http' | 'timeoutMs'>,
  { transport, host, port, path }: MonitorResolver,
  query: Uint8Array,
  atMs: number,
): Promise<Exchange> {
  const isJson = transport === 'https_json'
  const place = host.includes(':') ? `[${host}]` : host
  const question = isJson ? (formatDnsJsonQuery(query) ?? '') : `dns=${toBase64Url(query)}`
  const response = await http.request({
    method: 'GET',
    url: `https://${place}${port === 443 ? '' : `:${port}`}${path}?${question}&cb=${atMs}`,
    headers: {
      Accept: isJson ? 'application/dns-json' : 'application/dns-message',
      'Cache-Control': 'no-cache, no-store',
    },
    timeoutMs,
    bodyOctetsMax: BODY_OCTETS_MAX,
  })
  const { elapsedMs } = response
  const fail = (failure: Extract<Exchange, { kind: 'failure' }>['failure']): Exchange => ({
    kind: 'failure',
    operation: 'exchange',
    failure,
    side: 'resolver',
    elapsedMs,
    oddities: NO_ODDITIES,
  })
  if (response.kind === 'failure') return fail(response.failure)
  if (response.status !== 200) return fail(`http_unexpected_status_code: ${response.status}`)
  const isAnswer = (isJson ? matchDnsJson : matchResponse)(query, response.body) === 'response'
  if (!isAnswer) return fail('http_protocol_error')
  return { kind: 'responses', responses: [{ octets: response.body, elapsedMs }], oddities: NO_ODDITIES }
}

function toBase64Url(octets: Uint8Array): string {
  return formatBase64(octets).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
