/**
 * One attempt: A and AAAA of a name to one resolver, at the same time.
 *
 * Invariant: asks nobody else. A question is asked again in one case only: over TCP, when the answer over UDP was cut off.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import type { Clock } from '../../core/clock.ts'
import { randomInt, type Random } from '../../core/random.ts'
import { encodeQuery } from '../../dns/encode-message.ts'
import { parseName, type Name } from '../../dns/name.ts'
import { encodePaddedQuery } from '../../dns/pad-query.ts'
import { TYPE_A, TYPE_AAAA } from '../../dns/rr-type.ts'
import type { Exchange } from '../../model/observation.ts'
import type { Net } from '../../net/net.ts'
import { openResolver, type ResolverVantage } from '../../vantages/resolver.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'
import { isCutOff, joinAnswers, readDomainAnswer, type AttemptAnswer, type FilterRules } from './read-domain-answer.ts'

/** Makes one attempt. Always ends; rejects only on a bug. */
export type AskAttempt = (
  resolver: DomainResolver,
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<AttemptAnswer>

/** What attempts need. */
export interface AttemptCapabilities {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly addressPlan: AddressPlan
}

/** Attempts over the network. */
export interface Attempts {
  readonly ask: AskAttempt
  /** Closes the connections; what is in flight ends. */
  close(): void
}

/** Prepares to ask; nothing is sent before the first attempt. Connections stay open between attempts. */
export function createAttempts(capabilities: AttemptCapabilities, sinkholes: readonly string[]): Attempts {
  const { clock, random, addressPlan } = capabilities
  const rules: FilterRules = { plan: addressPlan, sinkholes: new Set(sinkholes) }
  const opened = new Map<string, ResolverVantage>()
  const open = (resolver: DomainResolver, isOverTcp: boolean, timeoutMs: number): ResolverVantage => {
    const key = `${resolver.name} ${isOverTcp}`
    const known = opened.get(key)
    if (known !== undefined) return known
    const target = isOverTcp ? { transport: 'tcp' as const, endpoint: resolver.target.endpoint } : resolver.target
    const vantage = openResolver(capabilities, target, timeoutMs)
    opened.set(key, vantage)
    return vantage
  }
  const exchange = async (
    resolver: DomainResolver,
    name: Name,
    type: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Exchange> => {
    const query = encodeDomainQuery(resolver, name, type, random)
    const startedAtMs = clock.nowMs()
    const first = await open(resolver, false, timeoutMs).exchange({ query, timeoutMs, lateWindowMs: 0, signal })
    const leftMs = timeoutMs - (clock.nowMs() - startedAtMs)
    if (resolver.target.transport !== 'udp' || !isCutOff(first) || leftMs <= 0 || signal.aborted) return first
    return open(resolver, true, timeoutMs).exchange({ query, timeoutMs: leftMs, lateWindowMs: 0, signal })
  }
  return {
    ask: async (resolver, domain, timeoutMs, signal) => {
      const name = parseName(domain) ?? []
      const [four, six] = await Promise.all([
        exchange(resolver, name, TYPE_A, timeoutMs, signal),
        exchange(resolver, name, TYPE_AAAA, timeoutMs, signal),
      ])
      return joinAnswers(readDomainAnswer(four, rules), readDomainAnswer(six, rules))
    },
    close: () => {
      for (const vantage of opened.values()) vantage.close()
      opened.clear()
    },
  }
}

function encodeDomainQuery({ target }: DomainResolver, name: Name, type: number, random: Random): Uint8Array {
  const { transport } = target
  // RFC 8484 section 4.1: over HTTPS the id is 0.
  const isHttps = transport === 'https' || transport === 'https_json'
  const id = isHttps ? 0 : randomInt(random, 0x1_0000)
  const fields = { id, name, type, recursionDesired: true, edns: {} }
  return transport === 'udp' || transport === 'tcp' ? encodeQuery(fields) : encodePaddedQuery(fields)
}
