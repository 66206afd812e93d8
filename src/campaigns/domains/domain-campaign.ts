/**
 * The campaign: waves of checks under one scheduler, one budget and one way of judging, for the live pass and the precheck.
 *
 * Invariant: what a wave saw is judged together, after its guards, and kept in one transaction before anybody hears of it.
 * While nobody can be asked no domain is touched.
 */
import { sleep, type Clock } from '../../core/clock.ts'
import { Hedges } from '../../measure/engine/hedges.ts'
import type { DomainChange, DomainRow, DomainStore } from '../../model/domain.ts'
import { adaptBatch, BATCH_FIRST } from '../../verdicts/domain-batch.ts'
import { NX_GUARD_POLICY, STORM_GUARD_POLICY, wasAlive, WindowGuard } from '../../verdicts/domain-guards.ts'
import type { DomainConditions } from '../../verdicts/domain-health.ts'
import {
  DIRECT_BUDGET,
  WILDCARD_BUDGET,
  WILDCARD_FALLBACK_BUDGET,
  type AttemptBudget,
} from '../../verdicts/domain-outcome.ts'
import { isQuarantined } from '../../verdicts/domain-score.ts'
import type { AskAttempt } from './ask-attempt.ts'
import { chooseCanaries, deniesCanaries } from './canaries.ts'
import { checkDomain, type CheckContext } from './check-domain.ts'
import { countAttempt, countCheck, createCounters, type DomainCounters } from './domain-metrics.ts'
import { findPass, judgeChecked, postponeToNegative, type CheckedDomain } from './judge-wave.ts'
import type { AttemptAnswer } from './read-domain-answer.ts'
import type { ResolverPool } from './resolver-pool.ts'

const HEDGE_POLICY = { quantile: 0.9, minMs: 100, maxMs: 150, share: 0.1 }
/** A canary that fails stops the counting of denials for as long as the guard looks back. */
const CANARY_HOLD_MS = 600_000
const PROBE_EVERY_MS = 5_000
const PROBE_TIMEOUT_MS = 1_200
/** What is asked where the list is still empty: every resolver answers something. */
const PROBE_NAME = 'example.com'
/** This share of a wave is for scored checks, however much the live pass has to do. */
const CHECK_SHARE = 0.25
/** Enough for a percentile. */
const TRIPS_MAX = 20_000

/** Keys of what is kept beside the domains. */
export const POOL_KEY = 'pool'
/** As {@link POOL_KEY}. */
export const COUNTERS_KEY = 'counters'

/** What people can set. */
export interface DomainPolicy {
  readonly nxHardQuarantine: boolean
  /** Whether a wildcard may take a second attempt. */
  readonly wildcardFallback: boolean
  /** Domains in flight at once. */
  readonly concurrency: number
  /** Names that have an address for certain; empty for the best of the list. */
  readonly canaries: readonly string[]
}

/** What a campaign is made of. */
export interface DomainCampaignOptions {
  readonly clock: Clock
  readonly store: DomainStore
  readonly pool: ResolverPool
  readonly ask: AskAttempt
  readonly policy: DomainPolicy
}

/** What holds now. */
export interface DomainWeather {
  readonly isStorm: boolean
  readonly isNxGuarded: boolean
  readonly isPoolDown: boolean
  readonly isDegraded: boolean
}

/** How a wave went. */
export interface WaveReport {
  /** Domains that were due; at least one of them where nobody could be asked. */
  readonly taken: number
  /** Domains that were judged, from the memory of denials included. */
  readonly judged: number
  readonly weather: DomainWeather
}

/** The campaign. One wave at a time. */
export class DomainCampaign {
  readonly counters: DomainCounters
  private readonly options: DomainCampaignOptions
  private readonly hedges: Hedges
  private readonly storm = new WindowGuard(STORM_GUARD_POLICY)
  private readonly denials = new WindowGuard(NX_GUARD_POLICY)
  private canaryUntilMs = -Infinity
  private stormSeenAtMs: number | null = null
  private batch: number = BATCH_FIRST
  private answers = 0
  /** Of the wave that runs. */
  private trips: number[] = []
  private waveAttempts = 0
  private waveTimeouts = 0

  constructor(options: DomainCampaignOptions) {
    this.options = options
    this.counters = createCounters(options.store.text(COUNTERS_KEY))
    this.hedges = new Hedges(options.pool.resolvers.length, HEDGE_POLICY)
  }

  /** How many domains the next wave takes. */
  get batchSize(): number {
    return this.batch
  }

  /** Whether anybody has answered since the start. */
  get hasAnswers(): boolean {
    return this.answers > 0
  }

  /** What holds now. */
  weather(): DomainWeather {
    const { clock, pool } = this.options
    const nowMs = clock.wallNowMs()
    const { isDown: isPoolDown, isDegraded } = pool
    const isNxGuarded = this.denials.isOn(nowMs) || nowMs < this.canaryUntilMs
    return { isStorm: this.storm.isOn(nowMs), isNxGuarded, isPoolDown, isDegraded }
  }

  /**
   * Checks domains that are due at `dueMs`.
   *
   * @throws {RunError} When what was judged cannot be kept.
   */
  async runWave(dueMs: number, signal: AbortSignal): Promise<WaveReport> {
    const { pool, store } = this.options
    await this.probe(signal)
    if (pool.isDown) {
      const taken = Math.max(store.dueForRefresh(dueMs, 1).length, store.dueForCheck(dueMs, 1).length)
      return { taken, judged: 0, weather: this.weather() }
    }
    const restsBefore = pool.rests
    this.trips = []
    this.waveAttempts = 0
    this.waveTimeouts = 0
    const rows = this.takeDue(dueMs)
    const { cached, asked } = this.splitCached(rows, dueMs)
    const checked = await this.checkAll(asked, dueMs, signal)
    await this.guard(checked, signal)
    const weather = this.weather()
    const conditions: DomainConditions = { nxHardQuarantine: this.options.policy.nxHardQuarantine, ...weather }
    const changes = [...cached, ...checked.map((each) => judgeChecked(each, conditions))]
    this.countStorm()
    store.commit(changes, this.texts())
    this.batch = adaptBatch(this.batch, {
      attempts: this.waveAttempts,
      timeouts: this.waveTimeouts,
      p95Ms: percentile(this.trips, 0.95),
      hasCooled: pool.rests > restsBefore,
    })
    return { taken: rows.length, judged: changes.length, weather }
  }

  /** Asks those whose rest is over whether they live. */
  async probe(signal: AbortSignal): Promise<void> {
    const { pool, ask, store, policy, clock } = this.options
    const due = pool.takeProbes()
    if (due.length === 0) return
    const name = chooseCanaries(policy.canaries, store, clock.wallNowMs())[0] ?? PROBE_NAME
    await Promise.all(
      due.map(async (at) => {
        const resolver = pool.resolvers[at]
        if (resolver !== undefined) pool.learn(at, await ask(resolver, name, PROBE_TIMEOUT_MS, signal))
      }),
    )
  }

  /** What has to be kept besides the domains. */
  texts(): ReadonlyMap<string, string> {
    return new Map([
      [POOL_KEY, JSON.stringify(this.options.pool.save())],
      [COUNTERS_KEY, JSON.stringify(this.counters)],
    ])
  }

  private takeDue(dueMs: number): readonly DomainRow[] {
    const { store } = this.options
    const { isStorm } = this.weather()
    // In a storm the scored checks wait: they would say nothing.
    const forChecks = isStorm ? [] : store.dueForCheck(dueMs, this.batch)
    const live = store.dueForRefresh(dueMs, this.batch)
    const reserved = Math.min(forChecks.length, Math.ceil(this.batch * CHECK_SHARE))
    const rows = new Map<number, DomainRow>()
    for (const row of forChecks.slice(0, reserved)) rows.set(row.id, row)
    for (const row of [...live, ...forChecks.slice(reserved)])
      if (rows.size < this.batch && !rows.has(row.id)) rows.set(row.id, row)
    return [...rows.values()]
  }

  /** Denials that are remembered are not asked for again; a confirming check asks for itself. */
  private splitCached(
    rows: readonly DomainRow[],
    dueMs: number,
  ): { readonly cached: readonly DomainChange[]; readonly asked: readonly DomainRow[] } {
    const nowMs = this.options.clock.wallNowMs()
    const cached: DomainChange[] = []
    const asked: DomainRow[] = []
    for (const row of rows) {
      const { negativeUntilMs } = row.health
      const isRemembered = negativeUntilMs !== null && negativeUntilMs > Math.max(nowMs, dueMs)
      if (isRemembered && findPass(row, dueMs) !== 'confirm') cached.push(postponeToNegative(row, negativeUntilMs))
      else asked.push(row)
    }
    this.counters.cacheHits += cached.length
    return { cached, asked }
  }

  private async checkAll(
    rows: readonly DomainRow[],
    dueMs: number,
    signal: AbortSignal,
  ): Promise<readonly CheckedDomain[]> {
    const { clock, pool, policy, ask } = this.options
    const checked: CheckedDomain[] = []
    const context: CheckContext = {
      clock,
      pool,
      ask,
      hedges: this.hedges,
      mayHedge: () => !this.storm.isOn(clock.wallNowMs()),
      onAttempt: (at, answer) => {
        this.learn(at, answer)
      },
      signal,
    }
    let next = 0
    const work = async (): Promise<void> => {
      while (next < rows.length && !signal.aborted && !pool.isDown) {
        const row = rows[next++] as DomainRow
        const check = await checkDomain(context, row, this.budgetOf(row))
        const { outcome } = check
        // A check that was cut off, or for which nobody could be asked, says nothing.
        if (outcome === undefined || (signal.aborted && outcome !== 'OK')) continue
        const atMs = Math.round(clock.wallNowMs())
        const pass = findPass(row, dueMs)
        checked.push({ row, check, outcome, atMs, pass, wasStormy: this.storm.isOn(atMs) })
      }
    }
    const ended = new AbortController()
    const probing = this.probeUntil(ended.signal, signal)
    await Promise.all(Array.from({ length: Math.min(policy.concurrency, rows.length) }, work))
    ended.abort()
    await probing
    return checked
  }

  /** Those who rest are probed while a long wave goes on. */
  private async probeUntil(ended: AbortSignal, signal: AbortSignal): Promise<void> {
    while (!ended.aborted && !signal.aborted) {
      await sleep(this.options.clock, PROBE_EVERY_MS, ended)
      if (!ended.aborted) await this.probe(signal)
    }
  }

  private budgetOf({ isWildcard }: DomainRow): AttemptBudget {
    if (!isWildcard) return DIRECT_BUDGET
    return this.options.policy.wildcardFallback ? WILDCARD_FALLBACK_BUDGET : WILDCARD_BUDGET
  }

  private learn(at: number, answer: AttemptAnswer): void {
    const { pool, clock } = this.options
    pool.learn(at, answer)
    countAttempt(this.counters, pool.resolvers[at]?.name ?? '', answer.outcome)
    this.waveAttempts++
    if (answer.rttMs !== null) this.answers++
    if (answer.outcome === 'timeout') this.waveTimeouts++
    if (answer.rttMs !== null && this.trips.length < TRIPS_MAX) this.trips.push(answer.rttMs)
    const isFailure = ['timeout', 'temporary', 'refused'].includes(answer.outcome)
    if (answer.outcome !== 'unsent') this.storm.add(clock.wallNowMs(), isFailure)
  }

  /** Contradictions, counters and the guard against denials, before anything is scored. */
  private async guard(checked: readonly CheckedDomain[], signal: AbortSignal): Promise<void> {
    const { pool, ask, clock, policy, store } = this.options
    const deniers = new Set<number>()
    for (const { row, check, outcome, atMs } of checked) {
      countCheck(this.counters, check, outcome, isQuarantined(row.health.state))
      for (const [index, at] of check.asked.entries()) {
        const said = check.attempts[index]?.outcome
        const isBad = said === 'nxdomain' || ((said === 'filtered' || said === 'refused') && outcome === 'OK')
        if (isBad && (outcome === 'OK' || check.isDisputed)) pool.contradict(at, row.name)
      }
      if (!wasAlive(row.health.lastOkAtMs, atMs)) continue
      const isDenied = outcome === 'NX1' || outcome === 'NX2'
      this.denials.add(atMs, isDenied)
      if (isDenied)
        for (const [index, at] of check.asked.entries())
          if (check.attempts[index]?.outcome === 'nxdomain') deniers.add(at)
    }
    // Whoever has lost the vote cannot deny anything.
    const believed = [...deniers].filter((at) => pool.votes(at, clock.wallNowMs()))
    if (believed.length === 0) return
    const canaries = chooseCanaries(policy.canaries, store, clock.wallNowMs())
    const denied = await Promise.all(
      believed.map(async (at) => {
        const resolver = pool.resolvers[at]
        return resolver === undefined ? false : deniesCanaries(ask, resolver, canaries, signal)
      }),
    )
    if (denied.includes(true)) this.canaryUntilMs = clock.wallNowMs() + CANARY_HOLD_MS
  }

  private countStorm(): void {
    const nowMs = this.options.clock.wallNowMs()
    if (this.stormSeenAtMs !== null) this.counters.stormMs += Math.max(0, nowMs - this.stormSeenAtMs)
    this.stormSeenAtMs = this.storm.isOn(nowMs) ? nowMs : null
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
