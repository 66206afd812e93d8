/** The domains campaign as pages and programs see it. */
import { createCounters, type DomainCounters } from '../campaigns/domains/domain-metrics.ts'
import { formatDomainMetrics } from '../campaigns/domains/domain-metrics-text.ts'
import { readDomainName } from '../campaigns/domains/read-domain-list.ts'
import type { NftSets } from '../campaigns/domains/format-nft-sets.ts'
import type { Clock } from '../core/clock.ts'
import { DOMAIN_STATES, type DomainRow, type DomainState, type DomainStore, type DomainTrace } from '../model/domain.ts'
import type {
  DomainCounts,
  DomainQuery,
  DomainRoute,
  DomainSource,
  DomainSummary,
  DomainView,
  ResolverView,
} from '../model/domain-view.ts'
import { currentAddresses, describeAddresses } from '../verdicts/domain-addresses.ts'
import { currentScore } from '../verdicts/domain-health.ts'
import { successShare } from '../verdicts/domain-resolver.ts'
import type { DomainService } from './domain-service.ts'

const DAY_MS = 86_400_000

/** What is looked after just now. */
export interface RunningDomainParts {
  readonly store: DomainStore
  readonly service: DomainService
  readonly sets: NftSets
}

/** Makes the source; `running` gives what is looked after, `undefined` where nothing is. */
export function createDomainSource(
  clock: Clock,
  running: () => RunningDomainParts | undefined,
  problems: () => readonly string[],
): DomainSource {
  const viewOf = (row: DomainRow, sets: NftSets): DomainView => toView(row, sets, clock.wallNowMs())
  return {
    summary: () => summarize(running(), problems()),
    list: (query) => {
      const parts = running()
      return parts === undefined
        ? []
        : parts.store.page(toFilter(query), query.afterId, query.limit).map((row) => viewOf(row, parts.sets))
    },
    find: (name) => {
      const parts = running()
      const row = parts === undefined ? undefined : findRow(parts.store, name)
      return parts === undefined || row === undefined ? undefined : viewOf(row, parts.sets)
    },
    traces: (name, limit): readonly DomainTrace[] => {
      const parts = running()
      const row = parts === undefined ? undefined : findRow(parts.store, name)
      return parts === undefined || row === undefined ? [] : parts.store.traces(row.id, limit)
    },
    history: () => running()?.service.history() ?? [],
    resolvers: () => listResolvers(running(), clock.wallNowMs()),
    benchmark: () => running()?.service.benchmark() ?? null,
    startBenchmark: (profile) => running()?.service.startBenchmark(profile) ?? false,
    release: async (name) => {
      const parts = running()
      const row = parts === undefined ? undefined : findRow(parts.store, name)
      return parts === undefined || row === undefined ? false : parts.service.release(row.name)
    },
    metrics: () => {
      const parts = running()
      if (parts === undefined) return ''
      const { campaign, pool } = parts.service
      const scores = parts.service.written()?.scores ?? { count: 0, sum: 0, min: 0, max: 0 }
      return formatDomainMetrics({
        counters: campaign.counters,
        members: pool.members(),
        states: parts.store.countStates(),
        scores,
      })
    },
  }
}

function findRow(store: DomainStore, word: string): DomainRow | undefined {
  const read = readDomainName(word)
  return 'reason' in read ? undefined : store.find(read.name)
}

function toFilter({ state, needsReview, contains }: DomainQuery): Parameters<DomainStore['page']>[0] {
  return {
    ...(state === undefined ? {} : { states: [state] }),
    ...(needsReview === undefined ? {} : { needsReview }),
    ...(contains === undefined ? {} : { contains }),
  }
}

function summarize(parts: RunningDomainParts | undefined, problems: readonly string[]): DomainSummary {
  const weather = parts?.service.campaign.weather()
  const counted = parts?.store.countStates() ?? new Map<DomainState, number>()
  const states = Object.fromEntries(DOMAIN_STATES.map((state) => [state, counted.get(state) ?? 0]))
  const written = parts?.service.written() ?? null
  return {
    isConfigured: parts !== undefined,
    domains: [...counted.values()].reduce((sum, count) => sum + count, 0),
    states: states as Record<DomainState, number>,
    needsReview: parts?.store.countReview() ?? 0,
    staleDomains: written?.stale ?? 0,
    addressesV4: written?.v4 ?? 0,
    addressesV6: written?.v6 ?? 0,
    writtenMs: written?.atMs ?? null,
    lastWaveMs: parts?.service.lastWaveMs() ?? null,
    nextDueMs: parts?.store.nextDueAtMs() ?? null,
    liveBatch: parts?.service.campaign.batchSize ?? 0,
    isStorm: weather?.isStorm ?? false,
    isNxGuarded: weather?.isNxGuarded ?? false,
    isPoolDown: weather?.isPoolDown ?? false,
    isDegraded: weather?.isDegraded ?? false,
    counters: toCounts(parts?.service.campaign.counters ?? createCounters(undefined)),
    problems,
  }
}

function toCounts(counters: DomainCounters): DomainCounts {
  return {
    checks: counters.checks,
    attempts: counters.attempts,
    hedges: counters.hedges,
    budgetExhausted: counters.exhausted,
    earlyStops: counters.earlyStops,
    negativeHits: counters.cacheHits,
    conflicts: counters.conflicts,
    stormSeconds: counters.stormMs / 1000,
    staleServed: counters.staleServed,
  }
}

function listResolvers(parts: RunningDomainParts | undefined, nowMs: number): readonly ResolverView[] {
  if (parts === undefined) return []
  const { campaign, pool } = parts.service
  return pool.members().map(({ resolver, health, state, isActive, hasVote, score }) => ({
    name: resolver.name,
    operator: resolver.operator,
    transport: resolver.target.transport,
    state,
    isActive,
    hasVote,
    score,
    rttMs: health.rttMs,
    success: health.ring === '' ? null : successShare(health),
    outcomes: health.ring.length,
    contradictions: health.contradictions.filter(({ atMs }) => nowMs - atMs <= DAY_MS).length,
    queriesPerSecond: resolver.perSecond,
    attempts: campaign.counters.attemptsBy[resolver.name] ?? 0,
    timeouts: campaign.counters.timeouts[resolver.name] ?? 0,
  }))
}

function toView(row: DomainRow, sets: NftSets, nowMs: number): DomainView {
  const { health } = row
  const addresses = row.isListed ? currentAddresses(health, nowMs) : []
  const has = (isSix: boolean): boolean => addresses.some(({ address }) => address.includes(':') === isSix)
  const isRuntime = addresses.some(({ source }) => source === 'runtime')
  return {
    id: row.id,
    name: row.name,
    isWildcard: row.isWildcard,
    labels: row.labels,
    isListed: row.isListed,
    state: health.state,
    score: currentScore(health, nowMs) / 1000,
    route: findRoute(row, addresses.length > 0, nowMs),
    sets: [
      ...(has(false) ? [sets.v4] : []),
      ...(has(true) ? [sets.v6] : []),
      ...(row.isWildcard && isRuntime ? [sets.rtV4, sets.rtV6] : []),
    ],
    lastOutcome: health.lastOutcome,
    failures: health.failures,
    lastOkMs: health.lastOkAtMs,
    scoredMs: health.scoredAtMs,
    runtimeSeenMs: health.runtimeSeenAtMs,
    nextCheckMs: health.nextCheckAtMs,
    refreshMs: health.refreshAtMs,
    hardUntilMs: health.hardUntilMs,
    needsReview: health.needsReview,
    addresses: addresses.map(({ address, source, seenAtMs }) => ({ address, source, seenMs: seenAtMs })),
  }
}

function findRoute({ health, isWildcard }: DomainRow, hasAddresses: boolean, nowMs: number): DomainRoute {
  if (health.state === 'QUARANTINE' || health.state === 'HARD') return 'quarantined'
  if (!hasAddresses) return isWildcard ? 'wildcard' : 'none'
  if (describeAddresses(health, nowMs) !== 'fresh') return 'stale'
  return isWildcard ? 'wildcard' : 'direct'
}
