/**
 * A simulated world of domains and upstreams: what each name is at each time, and what each upstream says about it. Answers
 * take no time; the clock moves between waves.
 */
import type { AskAttempt } from '../../src/campaigns/domains/ask-attempt.ts'
import { DomainCampaign, type DomainPolicy } from '../../src/campaigns/domains/domain-campaign.ts'
import type { DomainResolver } from '../../src/campaigns/domains/domain-resolver-spec.ts'
import type { AttemptAnswer } from '../../src/campaigns/domains/read-domain-answer.ts'
import { ResolverPool } from '../../src/campaigns/domains/resolver-pool.ts'
import type { Clock } from '../../src/core/clock.ts'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import type { AttemptOutcome } from '../../src/model/domain.ts'
import { createMemoryDomainStore, type MemoryDomainStore } from './domain-store.ts'

/** When the world begins, Unix milliseconds. */
export const WORLD_START_MS: number = Date.parse('2026-01-01T00:00:00Z')

/** A clock that moves when the test says so; no timer of it ever fires. */
export interface StillClock extends Clock {
  move(ms: number): void
}

/** Makes one. */
export function createStillClock(): StillClock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    wallNowMs: () => WORLD_START_MS + nowMs,
    setTimer: () => ({ cancel: () => {} }),
    move: (ms) => {
      nowMs += ms
    },
  }
}

/** What an upstream says at a time. */
export type Upstream = (name: string, hours: number, dice: number) => AttemptOutcome

/** A campaign in a world. */
export interface DomainWorld {
  readonly clock: StillClock
  readonly store: MemoryDomainStore
  readonly campaign: DomainCampaign
  readonly pool: ResolverPool
  /** Attempts that were made, probes and canaries included. */
  asked(): number
}

const POLICY: DomainPolicy = { nxHardQuarantine: false, wildcardFallback: true, concurrency: 64, canaries: [] }

/** Puts a campaign into a world. `upstreams`: the operator of each, and what it says. */
export function createDomainWorld(
  names: readonly string[],
  upstreams: readonly (readonly [operator: string, says: Upstream])[],
  ttlSecondsOf: (name: string) => number,
): DomainWorld {
  const clock = createStillClock()
  const store = createMemoryDomainStore()
  store.replaceList(
    names.map((name) => ({ name, isWildcard: false, labels: ['list'] })),
    clock.wallNowMs(),
  )
  const resolvers = upstreams.map(([operator], at): DomainResolver => {
    const endpoint = { address: `192.0.2.${at + 1}`, port: 53 }
    return { name: `${operator}-${at}`, operator, target: { transport: 'udp', endpoint }, perSecond: 0 }
  })
  const pool = new ResolverPool(resolvers, clock, undefined)
  const random = createSeededRandom('world')
  let asked = 0
  const ask: AskAttempt = (resolver, name) => {
    asked++
    const says = upstreams[resolvers.indexOf(resolver)]?.[1]
    const outcome = says?.(name, clock.nowMs() / 3_600_000, randomInt(random, 1_000_000) / 1_000_000) ?? 'timeout'
    return Promise.resolve(toAnswer(name, outcome, ttlSecondsOf(name)))
  }
  const campaign = new DomainCampaign({ clock, store, pool, ask, policy: POLICY })
  return { clock, store, campaign, pool, asked: () => asked }
}

/** Lets `hours` pass in steps; in each step everything that is due is checked. */
export async function liveOn(
  { clock, campaign }: DomainWorld,
  hours: number,
  stepMinutes: number,
  onStep: (hours: number) => void = () => {},
): Promise<void> {
  const { signal } = new AbortController()
  for (let step = 0; step < (hours * 60) / stepMinutes; step++) {
    const dueMs = Math.floor(clock.wallNowMs())
    // A storm leaves what is due to the next step.
    for (let wave = 0; wave < 200; wave++) {
      const { judged } = await campaign.runWave(dueMs, signal)
      if (judged === 0) break
    }
    onStep(clock.nowMs() / 3_600_000)
    clock.move(stepMinutes * 60_000)
  }
}

function toAnswer(name: string, outcome: AttemptOutcome, ttlSeconds: number): AttemptAnswer {
  const isAnswer = outcome !== 'timeout' && outcome !== 'unsent'
  return {
    outcome,
    addresses: outcome === 'ok' ? [`198.51.100.${name.length % 250}`] : [],
    ttlSeconds: outcome === 'ok' ? ttlSeconds : null,
    negativeSeconds: outcome === 'nxdomain' ? 300 : 0,
    rttMs: isAnswer ? 20 : null,
  }
}
