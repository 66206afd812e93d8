/**
 * The domains campaign as the daemon runs it: waves for ever, and the sets after them.
 *
 * What comes from outside while a wave runs (observations, releases) waits for its end: a wave keeps what it judged of the
 * domains as they were when it began, and would undo them.
 *
 * Invariant: an observation is on the disk before whoever brought it hears so. Sets are written when something may have
 * changed, and at most once in `writeEveryMs`.
 */
import { benchmarkResolvers, LOAD_PROFILES } from '../campaigns/domains/benchmark-resolvers.ts'
import { chooseCanaries } from '../campaigns/domains/canaries.ts'
import type { AskAttempt } from '../campaigns/domains/ask-attempt.ts'
import {
  DomainCampaign,
  POOL_KEY,
  type DomainPolicy,
  type DomainWeather,
} from '../campaigns/domains/domain-campaign.ts'
import { observeRow } from '../campaigns/domains/observe-domain.ts'
import { releaseRow } from '../campaigns/domains/release-domain.ts'
import type { ResolverPool } from '../campaigns/domains/resolver-pool.ts'
import {
  addStateSample,
  formatStateHistory,
  HISTORY_KEY,
  readStateHistory,
} from '../campaigns/domains/state-history.ts'
import { writeDomainSets, type SetOutput, type WrittenSets } from '../campaigns/domains/write-domain-sets.ts'
import { sleep, type Clock } from '../core/clock.ts'
import type { Files } from '../core/files.ts'
import type { Log } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { DomainChange, DomainStore } from '../model/domain.ts'
import type { Benchmark, BenchmarkProfile, StateSample } from '../model/domain-view.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'
import { isQuarantined } from '../verdicts/domain-score.ts'
import { judgeDomainTroubles, type TroubleStates } from '../verdicts/domain-troubles.ts'

const TICK_MS = 1_000
const DOWN_RETRY_MS = 5_000
const BENCHMARK_EVERY_MS = 24 * 3_600_000
/** Sets age by themselves: addresses of yesterday drop out, stale ones end. */
const WRITE_AT_LEAST_MS = 600_000
const BENCHMARK_NAMES_MAX = 2_000
const ORDERS_MAX = 10_000

/** Where the last benchmark is kept. */
const BENCHMARK_KEY = 'benchmark'

/** Where it is kept what people were told. */
const TROUBLES_KEY = 'troubles'

/** What the service is made of. */
export interface DomainServiceOptions {
  readonly clock: Clock
  readonly files: Files
  readonly log: Log
  readonly random: Random
  readonly store: DomainStore
  readonly pool: ResolverPool
  readonly ask: AskAttempt
  readonly policy: DomainPolicy
  readonly canaries: { readonly zone: string | null; readonly blocked: string | null }
  readonly output: SetOutput
  /** Tells people. A message that is not kept is told again after the next wave. */
  readonly tell: (message: AlertMessage) => Promise<unknown>
  /** Milliseconds between two writings of the sets, at least. */
  readonly writeEveryMs: number
}

/** The campaign while it runs. */
export interface DomainService {
  readonly campaign: DomainCampaign
  readonly pool: ResolverPool
  /** Runs until the signal. @throws {RunError} When something cannot be kept. */
  run(signal: AbortSignal): Promise<void>
  /** Takes what clients were answered. @throws {RunError} When it cannot be kept. */
  observe(observations: readonly RuntimeObservation[]): Promise<void>
  /** @returns Whether there is such a domain. @throws {RunError} When it cannot be kept. */
  release(name: string): Promise<boolean>
  /** @returns Whether it began. */
  startBenchmark(profile: BenchmarkProfile): boolean
  history(): readonly StateSample[]
  benchmark(): Benchmark | null
  /** What the last writing came to; `null` before it. */
  written(): (WrittenSets & { readonly atMs: number }) | null
  lastWaveMs(): number | null
  /** Refuses what still waits, and everything after it: nobody runs any more. */
  close(): void
}

/** Puts it together; nothing is asked before it runs. */
export function createDomainService(options: DomainServiceOptions): DomainService {
  return new RunningDomains(options)
}

type Order = () => readonly DomainChange[]

class RunningDomains implements DomainService {
  readonly campaign: DomainCampaign
  readonly pool: ResolverPool
  readonly #options: DomainServiceOptions
  readonly #orders: { readonly act: Order; readonly done: (error: Error | undefined) => void }[] = []
  #wake = new AbortController()
  #history: readonly StateSample[]
  #benchmark: Benchmark | null
  #wantedBenchmark: BenchmarkProfile | null = null
  #isBenchmarking = false
  #benchmarkedAtMs: number | null
  #written: (WrittenSets & { readonly atMs: number }) | null = null
  #writtenAtMs = Number.NEGATIVE_INFINITY
  #isOwed = true
  #troubles: TroubleStates
  #lastWaveMs: number | null = null
  #isClosed = false

  constructor(options: DomainServiceOptions) {
    const { clock, store, pool, ask, policy } = options
    this.#options = options
    this.pool = pool
    this.campaign = new DomainCampaign({ clock, store, pool, ask, policy })
    this.#history = readStateHistory(store.text(HISTORY_KEY))
    this.#troubles = JSON.parse(store.text(TROUBLES_KEY) ?? '{}') as TroubleStates
    const kept = store.text(BENCHMARK_KEY)
    this.#benchmark = kept === undefined ? null : (JSON.parse(kept) as Benchmark)
    this.#benchmarkedAtMs = this.#benchmark?.atMs ?? null
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options
    const stopped = (): void => {
      this.#wake.abort()
    }
    signal.addEventListener('abort', stopped)
    try {
      while (!signal.aborted) {
        this.#carryOut()
        await this.#benchmarkWhenDue(signal)
        const { taken, judged, weather } = await this.campaign.runWave(Math.floor(clock.wallNowMs()), signal)
        if (judged > 0) {
          this.#lastWaveMs = clock.wallNowMs()
          this.#isOwed = true
        }
        await this.#tellTroubles(weather)
        await this.#afterWave()
        if (signal.aborted) break
        const isIdle = taken === 0 || (judged === 0 && !weather.isPoolDown)
        if (weather.isPoolDown) await this.#rest(DOWN_RETRY_MS)
        else if (isIdle) await this.#rest(TICK_MS)
      }
      this.#carryOut()
      await this.#write()
    } finally {
      signal.removeEventListener('abort', stopped)
      store.commit([], this.campaign.texts())
    }
  }

  observe(observations: readonly RuntimeObservation[]): Promise<void> {
    return this.#enqueue(() => {
      const { store } = this.#options
      const changes = new Map<number, DomainChange>()
      for (const observation of observations) {
        for (const name of listAncestors(observation.name)) {
          const row = store.find(name)
          if (row === undefined || !row.isListed || (name !== observation.name && !row.isWildcard)) continue
          const known = changes.get(row.id)
          changes.set(row.id, observeRow(known === undefined ? row : { ...row, health: known.health }, observation))
        }
      }
      return [...changes.values()]
    })
  }

  async release(name: string): Promise<boolean> {
    const { clock, store } = this.#options
    let isThere = false
    await this.#enqueue(() => {
      const row = store.find(name)
      isThere = row !== undefined
      // Whoever is well would lose its score.
      return row === undefined || !isQuarantined(row.health.state)
        ? []
        : [releaseRow(row, Math.round(clock.wallNowMs()))]
    })
    return isThere
  }

  startBenchmark(profile: BenchmarkProfile): boolean {
    if (this.#isBenchmarking || this.#wantedBenchmark !== null || this.pool.resolvers.length === 0) return false
    this.#wantedBenchmark = profile
    this.#wake.abort()
    return true
  }

  history(): readonly StateSample[] {
    return this.#history
  }

  benchmark(): Benchmark | null {
    return this.#benchmark
  }

  written(): (WrittenSets & { readonly atMs: number }) | null {
    return this.#written
  }

  lastWaveMs(): number | null {
    return this.#lastWaveMs
  }

  close(): void {
    this.#isClosed = true
    for (const { done } of this.#orders.splice(0)) done(new Error('the domains campaign has ended'))
  }

  #enqueue(act: Order): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new Error('the domains campaign has ended'))
        return
      }
      if (this.#orders.length >= ORDERS_MAX) {
        reject(new Error('too much waits for the wave to end'))
        return
      }
      this.#orders.push({
        act,
        done: (error) => {
          if (error === undefined) resolve()
          else reject(error)
        },
      })
      this.#wake.abort()
    })
  }

  /** Does what waited for the wave to end; each order is kept by itself. */
  #carryOut(): void {
    const { store } = this.#options
    for (const { act, done } of this.#orders.splice(0)) {
      try {
        const changes = act()
        if (changes.length > 0) {
          store.commit(changes)
          this.#isOwed = true
        }
        done(undefined)
      } catch (error) {
        done(error instanceof Error ? error : new Error('it could not be kept', { cause: error }))
      }
    }
  }

  async #rest(limitMs: number): Promise<void> {
    if (this.#orders.length > 0) return
    this.#wake = new AbortController()
    await sleep(this.#options.clock, limitMs, this.#wake.signal)
  }

  /** Told first, then kept: the id of a message makes telling it twice once. */
  async #tellTroubles({ isPoolDown, isNxGuarded }: DomainWeather): Promise<void> {
    const { clock, store, tell } = this.#options
    const holds = { pool_down: isPoolDown, nx_guard: isNxGuarded }
    const { states, messages } = judgeDomainTroubles(this.#troubles, holds, Math.round(clock.wallNowMs()))
    for (const message of messages) await tell(message)
    const isChanged = Object.keys(states).join(',') !== Object.keys(this.#troubles).join(',')
    this.#troubles = states
    if (isChanged || messages.length > 0) store.commit([], new Map([[TROUBLES_KEY, JSON.stringify(states)]]))
  }

  async #afterWave(): Promise<void> {
    const { clock, store, writeEveryMs } = this.#options
    const history = addStateSample(this.#history, () => store.countStates(), clock.wallNowMs())
    if (history !== undefined) {
      this.#history = history
      store.commit([], new Map([[HISTORY_KEY, formatStateHistory(history)]]))
    }
    const sinceMs = clock.nowMs() - this.#writtenAtMs
    if ((this.#isOwed && sinceMs >= writeEveryMs) || sinceMs >= WRITE_AT_LEAST_MS) await this.#write()
  }

  async #write(): Promise<void> {
    const { clock, files, store, output, log } = this.#options
    const atMs = clock.wallNowMs()
    const sources = { store, pool: this.pool, counters: this.campaign.counters }
    const written = await writeDomainSets(files, sources, output, atMs)
    this.#writtenAtMs = clock.nowMs()
    this.#isOwed = false
    this.#written = { ...written, atMs: written.isWritten ? atMs : (this.#written?.atMs ?? atMs) }
    if (!written.isWritten) log.warn('daemon.domains.empty', { directory: output.directory })
  }

  async #benchmarkWhenDue(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    const nowMs = clock.wallNowMs()
    const isDue = this.#benchmarkedAtMs === null || Math.abs(nowMs - this.#benchmarkedAtMs) >= BENCHMARK_EVERY_MS
    const profile = this.#wantedBenchmark ?? (isDue && this.pool.resolvers.length > 1 ? 'light' : null)
    if (profile === null) return
    this.#isBenchmarking = true
    this.#wantedBenchmark = null
    try {
      await this.#runBenchmark(profile, signal)
      log.info('daemon.domains.benchmarked', { profile })
    } finally {
      this.#isBenchmarking = false
    }
  }

  async #runBenchmark(profile: BenchmarkProfile, signal: AbortSignal): Promise<void> {
    const { clock, random, store, pool, ask, policy, canaries } = this.#options
    const positive = chooseCanaries(policy.canaries, store, clock.wallNowMs())
    const listed = store.best(0, BENCHMARK_NAMES_MAX).map(({ name }) => name)
    const names = listed.length > 0 ? listed : positive
    this.#benchmarkedAtMs = clock.wallNowMs()
    // Before the first names have answered there is nothing to ask for.
    if (names.length === 0) {
      this.#benchmarkedAtMs = null
      return
    }
    const options = { clock, random, pool, ask, profile: LOAD_PROFILES[profile], names, signal }
    const results = await benchmarkResolvers({ ...options, canaries: { positive, ...canaries } })
    if (signal.aborted) return
    const members = pool.members()
    this.#benchmark = {
      atMs: Math.round(clock.wallNowMs()),
      profile,
      rows: results.map(({ resolver, ...result }, at) => ({
        name: resolver.name,
        operator: resolver.operator,
        score: members[at]?.score ?? 0,
        isActive: members[at]?.isActive ?? false,
        ...result,
      })),
    }
    store.commit(
      [],
      new Map([
        [BENCHMARK_KEY, JSON.stringify(this.#benchmark)],
        [POOL_KEY, JSON.stringify(pool.save())],
      ]),
    )
  }
}

/** The name, and everything above it. */
function listAncestors(name: string): readonly string[] {
  const names: string[] = []
  for (let rest = name; rest !== '';) {
    names.push(rest)
    const dot = rest.indexOf('.')
    if (dot < 0) break
    rest = rest.slice(dot + 1)
  }
  return names
}
