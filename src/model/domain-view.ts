/**
 * What pages and programs see of the domains campaign: the port between whoever runs it and the doors.
 *
 * Invariant: plain records; whatever is a judgement was made before. Times are Unix milliseconds.
 */
import type { DomainOutcome, DomainState, DomainTrace } from './domain.ts'

/**
 * How traffic to a domain is told apart: by addresses that were asked for (`direct`), by what clients are answered
 * (`wildcard`), by addresses that nobody confirms now (`stale`), by what was known when it went into quarantine
 * (`quarantined`), or not at all (`none`).
 */
export const DOMAIN_ROUTES = ['direct', 'wildcard', 'stale', 'quarantined', 'none'] as const
/** One of {@link DOMAIN_ROUTES}. */
export type DomainRoute = (typeof DOMAIN_ROUTES)[number]

/** A domain as it stands. */
export interface DomainView {
  readonly id: number
  readonly name: string
  readonly isWildcard: boolean
  readonly labels: readonly string[]
  readonly isListed: boolean
  readonly state: DomainState
  /** −40 to 40, as it is now. */
  readonly score: number
  readonly route: DomainRoute
  /** Sets of nftables that its addresses are in. */
  readonly sets: readonly string[]
  readonly lastOutcome: DomainOutcome | null
  readonly failures: number
  readonly lastOkMs: number | null
  readonly scoredMs: number | null
  readonly runtimeSeenMs: number | null
  readonly nextCheckMs: number
  readonly refreshMs: number | null
  readonly hardUntilMs: number | null
  readonly needsReview: boolean
  readonly addresses: readonly { readonly address: string; readonly source: string; readonly seenMs: number }[]
}

/** Domains by state, at one moment. */
export interface StateSample {
  readonly atMs: number
  /** In the order of `DOMAIN_STATES`. */
  readonly counts: readonly number[]
}

/** An upstream of the pool. */
export interface ResolverView {
  readonly name: string
  readonly operator: string
  readonly transport: string
  readonly state: 'active' | 'cooldown' | 'half_open'
  /** Whether it is in the set that is asked. */
  readonly isActive: boolean
  readonly hasVote: boolean
  /** 0 to 100. */
  readonly score: number
  readonly rttMs: number | null
  /** 0 to 1; `null` before the first outcome. */
  readonly success: number | null
  readonly outcomes: number
  /** Within a day, for different names. */
  readonly contradictions: number
  /** 0: without a limit. */
  readonly queriesPerSecond: number
  readonly attempts: number
  readonly timeouts: number
}

/** Load profiles of a benchmark. */
export const BENCHMARK_PROFILES = ['light', 'normal', 'heavy'] as const
/** One of {@link BENCHMARK_PROFILES}. */
export type BenchmarkProfile = (typeof BENCHMARK_PROFILES)[number]

/** One resolver in a benchmark. */
export interface BenchmarkRow {
  readonly name: string
  readonly operator: string
  readonly score: number
  readonly isActive: boolean
  readonly sent: number
  readonly answered: number
  readonly timeouts: number
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  /** `null` where no canary tells. */
  readonly findsKnown: boolean | null
  readonly deniesRandom: boolean | null
  readonly blocks: boolean | null
}

/** A benchmark of all upstreams. */
export interface Benchmark {
  readonly atMs: number
  readonly profile: BenchmarkProfile
  readonly rows: readonly BenchmarkRow[]
}

/** The campaign in numbers. */
export interface DomainSummary {
  /** Whether there is anything to look after. */
  readonly isConfigured: boolean
  readonly domains: number
  readonly states: Readonly<Record<DomainState, number>>
  readonly needsReview: number
  readonly staleDomains: number
  readonly addressesV4: number
  readonly addressesV6: number
  /** When the sets were last written; `null` when that was not since the daemon began. */
  readonly writtenMs: number | null
  readonly lastWaveMs: number | null
  readonly nextDueMs: number | null
  /** Domains of the next wave. */
  readonly liveBatch: number
  readonly isStorm: boolean
  readonly isNxGuarded: boolean
  readonly isPoolDown: boolean
  readonly isDegraded: boolean
  readonly counters: DomainCounts
  readonly problems: readonly string[]
}

/** What was counted since the beginning. */
export interface DomainCounts {
  readonly checks: number
  readonly attempts: number
  readonly hedges: number
  readonly budgetExhausted: number
  readonly earlyStops: number
  readonly negativeHits: number
  readonly conflicts: number
  readonly stormSeconds: number
  readonly staleServed: number
}

/** Which domains are wanted. */
export interface DomainQuery {
  readonly state?: DomainState
  readonly needsReview?: boolean
  /** Of the name. */
  readonly contains?: string
  /** Behind the domain of this id. */
  readonly afterId: number
  readonly limit: number
}

/** The domains campaign. */
export interface DomainSource {
  summary(): DomainSummary
  list(query: DomainQuery): readonly DomainView[]
  find(name: string): DomainView | undefined
  /** Newest first. */
  traces(name: string, limit: number): readonly DomainTrace[]
  /** Oldest first. */
  history(): readonly StateSample[]
  resolvers(): readonly ResolverView[]
  benchmark(): Benchmark | null
  /** Begins a benchmark. @returns Whether it began; not while another one goes on. */
  startBenchmark(profile: BenchmarkProfile): boolean
  /** Lets a domain out of quarantine. @returns Whether there is such a domain. @throws {RunError} When it cannot be kept. */
  release(name: string): Promise<boolean>
  /** In the text format of Prometheus. */
  metrics(): string
}
