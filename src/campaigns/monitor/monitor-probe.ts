/**
 * Asks the resolvers of a name once: a round of facts.
 *
 * Invariant: judges nothing. A question is asked again in two cases only: over TCP, when the answer over UDP was cut off,
 * and without validation (CD), after SERVFAIL.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { assert } from '../../core/assert.ts'
import type { Clock } from '../../core/clock.ts'
import { randomInt, type Random } from '../../core/random.ts'
import { encodeQuery } from '../../dns/encode-message.ts'
import { parseName } from '../../dns/name.ts'
import { encodePaddedQuery } from '../../dns/pad-query.ts'
import { parseRrType } from '../../dns/rr-type.ts'
import {
  RESOLVER_PER_SECOND_DEFAULT,
  type MonitoredName,
  type MonitorPlan,
  type MonitorResolver,
} from '../../model/monitor-name.ts'
import type { Corroboration, MonitorRound, ResolverAnswer } from '../../model/monitor-round.ts'
import type { Exchange } from '../../model/observation.ts'
import type { Net } from '../../net/net.ts'
import { openResolver, type ResolverTarget, type ResolverVantage } from '../../vantages/resolver.ts'
import { readMonitorAnswer, type ReadAnswer } from './read-monitor-answer.ts'
import { createResolverBudget, type BudgetCounters, type ResolverBudget } from './resolver-budget.ts'

/** Nobody was asked but the resolvers. */
export const NOT_ASKED: Corroboration = {
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

/** An answer by its outcome and presentation forms. */
export interface PlainReply {
  readonly outcome: ReadAnswer['outcome']
  readonly values: readonly string[]
}

/** Asks resolvers; connections to them stay open between rounds. */
export interface MonitorProbe {
  /** Asks all resolvers of a name at once. Never rejects. */
  ask(monitored: MonitoredName, isConfirmation: boolean, signal?: AbortSignal): Promise<MonitorRound>
  /** One question to the first resolver that answers. @returns What it says; `undefined` when nobody answered. */
  lookUp(domain: string, type: string, signal?: AbortSignal): Promise<PlainReply | undefined>
  /** Resolver → what was counted. */
  counters(): Readonly<Record<string, BudgetCounters>>
  close(): void
}

/** Prepares to ask; nothing is sent before the first round. Rounds carry the wall time of `wallClock`. */
export function createMonitorProbe(
  capabilities: MonitorProbeCapabilities,
  plan: MonitorPlan,
  timeoutMs: number,
  wallClock: Clock = capabilities.clock,
): MonitorProbe {
  const { clock, random, addressPlan } = capabilities
  const opened = new Map<string, ResolverVantage>()
  const budgets = new Map<string, ResolverBudget>()
  const budgetOf = ({ name, perSecond = RESOLVER_PER_SECOND_DEFAULT }: MonitorResolver): ResolverBudget => {
    const budget = budgets.get(name) ?? createResolverBudget(clock, random, perSecond)
    budgets.set(name, budget)
    return budget
  }
  const open = (resolver: MonitorResolver, target: ResolverTarget): ResolverVantage => {
    const key = `${resolver.name}/${target.transport}`
    const known = opened.get(key)
    if (known !== undefined) return known
    const vantage = openResolver(capabilities, target, timeoutMs)
    opened.set(key, vantage)
    return vantage
  }
  const exchange: Exchanger = (resolver, transport, { domain, type, isUnchecked = false }, signal = NEVER) => {
    const query = encodeMonitorQuery(domain, type, transport, random, isUnchecked)
    const vantage = open(resolver, toTarget({ ...resolver, transport }))
    return budgetOf(resolver).spend(() => vantage.exchange({ query, timeoutMs, lateWindowMs: 0, signal }), signal)
  }
  const read = ({ transport }: MonitorResolver, result: Exchange | undefined, type: string): ReadAnswer =>
    result === undefined
      ? HELD
      : readMonitorAnswer(result, type, transport === 'https_json', addressPlan, plan.sinkholes)
  const ask = (resolver: MonitorResolver, asked: Asked, signal: AbortSignal | undefined): Promise<ReadAnswer> =>
    askWhole(resolver, asked, async (transport, isUnchecked) =>
      read(resolver, await exchange(resolver, transport, { ...asked, isUnchecked }, signal), asked.type),
    )
  return {
    ask: async (monitored, isConfirmation, signal) => {
      const atMs = Math.round(wallClock.wallNowMs())
      const chosen = plan.resolvers.filter(({ name }) => monitored.resolvers.includes(name))
      const answers = await Promise.all(
        chosen.map(async (resolver): Promise<ResolverAnswer> => {
          const { isCut: _isCut, ...answer } = await ask(resolver, monitored, signal)
          return { resolver: resolver.name, operator: resolver.operator, ...answer }
        }),
      )
      return { atMs, isConfirmation, answers, corroboration: { ...NOT_ASKED, dnssec: readDnssec(answers) } }
    },
    lookUp: async (domain, type, signal) => {
      for (const resolver of plan.resolvers) {
        const { outcome, units } = await ask(resolver, { domain, type }, signal)
        if (outcome === 'failure' || outcome === 'servfail') continue
        return { outcome, values: units.flatMap(({ text }) => text.split('\n')) }
      }
      return undefined
    },
    counters: () => Object.fromEntries([...budgets].map(([name, budget]) => [name, budget.counters()])),
    close: () => {
      for (const vantage of opened.values()) vantage.close()
      opened.clear()
    },
  }
}

const NEVER = new AbortController().signal
/** A resolver that is left alone after HTTP 429 says nothing. */
const HELD: ReadAnswer = {
  outcome: 'failure',
  reason: 'left alone after HTTP 429',
  units: [],
  ttlSeconds: null,
  isAuthenticated: false,
  isCut: false,
}

interface Asked {
  readonly domain: string
  readonly type: string
  readonly isUnchecked?: boolean
}

type Exchanger = (
  resolver: MonitorResolver,
  transport: MonitorResolver['transport'],
  asked: Asked,
  signal?: AbortSignal,
) => Promise<Exchange | undefined>

/** Asks again over TCP what was cut off, and without validation what failed it perhaps. */
async function askWhole(
  { transport }: MonitorResolver,
  { isUnchecked = false }: Asked,
  ask: (transport: MonitorResolver['transport'], isUnchecked: boolean) => Promise<ReadAnswer>,
): Promise<ReadAnswer> {
  const first = await ask(transport, isUnchecked)
  if (first.isCut && transport === 'udp') return ask('tcp', isUnchecked)
  if (first.outcome !== 'servfail' || isUnchecked) return first
  const unchecked = await ask(transport, true)
  const answers = unchecked.outcome !== 'servfail' && unchecked.outcome !== 'failure'
  return answers ? { ...first, answersUnchecked: true } : first
}

/** Two operators who validated are two witnesses; a single bit is one machine's word. */
export function readDnssec(answers: readonly ResolverAnswer[]): Corroboration['dnssec'] {
  const count = (is: (answer: ResolverAnswer) => boolean): number =>
    new Set(answers.filter(is).map(({ operator }) => operator)).size
  if (count(({ answersUnchecked }) => answersUnchecked === true) >= 2) return 'bogus'
  return count(({ isAuthenticated }) => isAuthenticated) >= 2 ? 'validated' : 'unknown'
}

/** The query for a name over a transport: padded where nobody else can read it. */
export function encodeMonitorQuery(
  domain: string,
  type: string,
  transport: MonitorResolver['transport'],
  random: Random,
  checkingDisabled: boolean,
): Uint8Array {
  const [name, number] = [parseName(domain), parseRrType(type)]
  assert(name !== undefined && number !== undefined, 'the configuration was checked')
  const isPlain = transport === 'udp' || transport === 'tcp'
  // RFC 8484 section 4.1: over HTTPS the id is 0.
  const id = transport === 'https' || transport === 'https_json' ? 0 : randomInt(random, 0x1_0000)
  const fields = { id, name, type: number, recursionDesired: true, authenticData: true, checkingDisabled, edns: {} }
  return isPlain ? encodeQuery(fields) : encodePaddedQuery(fields)
}

function toTarget({ transport, address, port, host, path }: MonitorResolver): ResolverTarget {
  const endpoint = { address, port }
  if (transport === 'udp' || transport === 'tcp') return { transport, endpoint }
  const tls = { endpoint, serverName: host, mode: 'strict' } as const
  if (transport === 'tls') return { transport, ...tls }
  const place = host.includes(':') ? `[${host}]` : host
  const authority = port === 443 ? place : `${place}:${port}`
  return { transport, ...tls, authority, path, form: transport === 'https_json' ? 'json' : 'post', isFresh: true }
}
