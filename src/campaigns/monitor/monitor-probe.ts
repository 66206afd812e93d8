/**
 * Asks the resolvers of a name once: a round of facts.
 *
 * Invariant: judges nothing. A question is asked again in one case only: over TCP, when the answer over UDP was cut off.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { assert } from '../../core/assert.ts'
import type { Clock } from '../../core/clock.ts'
import { randomInt, type Random } from '../../core/random.ts'
import { encodeQuery } from '../../dns/encode-message.ts'
import { parseName } from '../../dns/name.ts'
import { encodePaddedQuery } from '../../dns/pad-query.ts'
import { parseRrType } from '../../dns/rr-type.ts'
import type { MonitoredName, MonitorPlan, MonitorResolver } from '../../model/monitor-name.ts'
import type { Corroboration, MonitorRound, ResolverAnswer } from '../../model/monitor-round.ts'
import type { Exchange } from '../../model/observation.ts'
import type { Net } from '../../net/net.ts'
import { openResolver, type ResolverTarget, type ResolverVantage } from '../../vantages/resolver.ts'
import { readMonitorAnswer, type ReadAnswer } from './read-monitor-answer.ts'

/** Nobody was asked but the resolvers. */
const NOT_ASKED: Corroboration = {
  authoritative: 'unknown',
  dnssec: 'unknown',
  tls: 'unknown',
  parentNs: 'unknown',
  parentDs: 'unknown',
}

/** What a probe needs. */
export interface MonitorProbeCapabilities {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly addressPlan: AddressPlan
}

/** Asks resolvers; connections to them stay open between rounds. */
export interface MonitorProbe {
  /** Asks all resolvers of a name at once. Never rejects. */
  ask(monitored: MonitoredName, isConfirmation: boolean, signal?: AbortSignal): Promise<MonitorRound>
  close(): void
}

/** Prepares to ask; nothing is sent before the first round. */
export function createMonitorProbe(
  capabilities: MonitorProbeCapabilities,
  plan: MonitorPlan,
  timeoutMs: number,
): MonitorProbe {
  const { clock, random, addressPlan } = capabilities
  const opened = new Map<string, ResolverVantage>()
  const open = (resolver: MonitorResolver, target: ResolverTarget): ResolverVantage => {
    const key = `${resolver.name}/${target.transport}`
    const known = opened.get(key)
    if (known !== undefined) return known
    const vantage = openResolver(capabilities, target, timeoutMs)
    opened.set(key, vantage)
    return vantage
  }
  const exchange = (
    resolver: MonitorResolver,
    transport: MonitorResolver['transport'],
    { domain, type }: MonitoredName,
    signal: AbortSignal | undefined,
  ): Promise<Exchange> => {
    const query = encodeMonitorQuery(domain, type, transport, random)
    const vantage = open(resolver, toTarget({ ...resolver, transport }))
    return vantage.exchange({ query, timeoutMs, lateWindowMs: 0, ...(signal === undefined ? {} : { signal }) })
  }
  const ask = async (
    resolver: MonitorResolver,
    monitored: MonitoredName,
    signal: AbortSignal | undefined,
  ): Promise<ResolverAnswer> => {
    const { transport, name, operator } = resolver
    const read = (result: Exchange): ReadAnswer =>
      readMonitorAnswer(result, monitored, transport === 'https_json', addressPlan, plan.sinkholes)
    const first = read(await exchange(resolver, transport, monitored, signal))
    const { isCut: _isCut, ...answer } =
      first.isCut && transport === 'udp' ? read(await exchange(resolver, 'tcp', monitored, signal)) : first
    return { resolver: name, operator, ...answer }
  }
  return {
    ask: async (monitored, isConfirmation, signal) => {
      const atMs = Math.round(clock.wallNowMs())
      const chosen = plan.resolvers.filter(({ name }) => monitored.resolvers.includes(name))
      const answers = await Promise.all(chosen.map((resolver) => ask(resolver, monitored, signal)))
      return { atMs, isConfirmation, answers, corroboration: { ...NOT_ASKED, dnssec: readDnssec(answers) } }
    },
    close: () => {
      for (const vantage of opened.values()) vantage.close()
      opened.clear()
    },
  }
}

/** Two operators who validated are two witnesses; a single AD bit is one machine's word. */
function readDnssec(answers: readonly ResolverAnswer[]): Corroboration['dnssec'] {
  const operators = answers.filter(({ isAuthenticated }) => isAuthenticated).map(({ operator }) => operator)
  return new Set(operators).size >= 2 ? 'validated' : 'unknown'
}

function encodeMonitorQuery(
  domain: string,
  type: string,
  transport: MonitorResolver['transport'],
  random: Random,
): Uint8Array {
  const [name, number] = [parseName(domain), parseRrType(type)]
  assert(name !== undefined && number !== undefined, 'the configuration was checked')
  const isPlain = transport === 'udp' || transport === 'tcp'
  // RFC 8484 section 4.1: over HTTPS the id is 0.
  const id = transport === 'https' || transport === 'https_json' ? 0 : randomInt(random, 0x1_0000)
  const fields = { id, name, type: number, recursionDesired: true, authenticData: true, edns: {} }
  return isPlain ? encodeQuery(fields) : encodePaddedQuery(fields)
}

function toTarget({ transport, address, port, host, path }: MonitorResolver): ResolverTarget {
  const endpoint = { address, port }
  if (transport === 'udp' || transport === 'tcp') return { transport, endpoint }
  const tls = { endpoint, serverName: host, mode: 'strict' } as const
  if (transport === 'tls') return { transport, ...tls }
  const place = host.includes(':') ? `[${host}]` : host
  const authority = port === 443 ? place : `${place}:${port}`
  return { transport, ...tls, authority, path, form: transport === 'https_json' ? 'json' : 'post' }
}
