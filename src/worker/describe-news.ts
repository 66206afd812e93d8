/**
 * What is known about the new addresses of a name that is about to be told: their names, lists that have them, services that
 * know them. Over `fetch`, and only as long as subrequests are left: who was not asked adds no risk.
 *
 * **Invariant**: nobody is asked before something is about to be told, so that an incident is looked up once.
 */
import type { Clock } from '../core/clock.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { AddressIntelligence } from '../model/monitor-round.ts'
import type { MonitorProfile } from '../model/monitor-state.ts'
import type { HttpClient } from '../net/http-client.ts'
import { createAddressDescriber } from '../campaigns/monitor/describe-addresses.ts'
import { encodeMonitorQuery, type PlainReply } from '../campaigns/monitor/monitor-probe.ts'
import { readMonitorAnswer } from '../campaigns/monitor/read-monitor-answer.ts'
import type { ClassifiedAnswer } from '../verdicts/monitor-classes.ts'
import { exchangeOverFetch, type FetchAsker } from './ask-over-fetch.ts'

/** Asks about the new addresses of a judged round. */
export function describeNews(
  { asker, plan, clock, left }: NewsParts,
  answers: readonly ClassifiedAnswer[],
  profile: MonitorProfile,
  atMs: number,
): Promise<readonly AddressIntelligence[]> {
  const bounded: FetchAsker = { ...asker, http: boundHttp(asker.http, left) }
  const lookUp = (domain: string, type: string): Promise<PlainReply | undefined> =>
    lookUpOverFetch(bounded, plan, domain, type, atMs)
  const { addressPlan, timeoutMs } = asker
  const describe = createAddressDescriber({ addressPlan, clock, http: bounded.http }, plan, { lookUp }, timeoutMs)
  return describe(answers, profile)
}

/** What asking about addresses needs. */
export interface NewsParts {
  readonly asker: FetchAsker
  readonly plan: MonitorPlan
  readonly clock: Clock
  /** How many subrequests may be used for it. */
  readonly left: () => number
}

/** A client that stops where others need what is left. */
function boundHttp(http: HttpClient, left: () => number): HttpClient {
  return {
    request: async (request) =>
      left() > 0
        ? http.request(request)
        : {
            kind: 'failure',
            operation: 'connect',
            failure: 'unknown_failure: no subrequest left',
            mayBeDelivered: false,
            elapsedMs: 0,
          },
  }
}

/** One question to the first resolver that answers. */
async function lookUpOverFetch(
  asker: FetchAsker,
  plan: MonitorPlan,
  domain: string,
  type: string,
  atMs: number,
): Promise<PlainReply | undefined> {
  for (const resolver of plan.resolvers) {
    const query = encodeMonitorQuery(domain, type, resolver.transport, asker.random, false)
    const exchange = await exchangeOverFetch(asker, resolver, query, atMs)
    const isJson = resolver.transport === 'https_json'
    const { outcome, units } = readMonitorAnswer(exchange, type, isJson, asker.addressPlan, plan.sinkholes)
    if (outcome === 'failure' || outcome === 'servfail') continue
    return { outcome, values: units.flatMap(({ text }) => text.split('\n')) }
  }
  return undefined
}
