/**
 * The benchmark: every resolver of the list under the same load, and what it says about names whose answer is known.
 *
 * Invariant: sends no more queries per second than the limit of a resolver, and always ends.
 */
import { sleep, type Clock } from '../../core/clock.ts'
import { randomInt, type Random } from '../../core/random.ts'
import type { AskAttempt } from './ask-attempt.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'
import type { ResolverPool } from './resolver-pool.ts'

/** How much is asked of each resolver. */
export interface LoadProfile {
  readonly concurrency: number
  /** Attempts per second. */
  readonly perSecond: number
  readonly durationMs: number
}

/** The profiles of `--profile`. */
export const LOAD_PROFILES: Readonly<Record<'light' | 'normal' | 'heavy', LoadProfile>> = {
  light: { concurrency: 2, perSecond: 10, durationMs: 3_000 },
  normal: { concurrency: 8, perSecond: 50, durationMs: 10_000 },
  heavy: { concurrency: 32, perSecond: 200, durationMs: 30_000 },
}

const TIMEOUT_MS = 1_200
const LABEL_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'
const LABEL_CHARS = 16

/** Names whose answer is known; what is not known is not tested. */
export interface BenchmarkCanaries {
  /** Have an address for certain. */
  readonly positive: readonly string[]
  /** A random name in it does not exist. */
  readonly zone: string | null
  /** Filtering resolvers block it. */
  readonly blocked: string | null
}

/** How a resolver did. */
export interface BenchmarkResult {
  readonly resolver: DomainResolver
  readonly sent: number
  readonly answered: number
  readonly timeouts: number
  /** Of the answers, in milliseconds; `null` without any. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  /** Whether known names have addresses; `null` where none is known. */
  readonly findsKnown: boolean | null
  /** Whether a random name is denied. */
  readonly deniesRandom: boolean | null
  /** Whether the blocked name has no address. */
  readonly blocks: boolean | null
}

/** What a benchmark needs. */
export interface BenchmarkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly pool: ResolverPool
  readonly ask: AskAttempt
  readonly profile: LoadProfile
  readonly canaries: BenchmarkCanaries
  /** What is asked under load, in turn; one at least. */
  readonly names: readonly string[]
  readonly signal: AbortSignal
}

/** Tests all resolvers of the pool side by side, teaches the pool, and chooses its active set. */
export async function benchmarkResolvers(options: BenchmarkOptions): Promise<readonly BenchmarkResult[]> {
  const { pool, signal } = options
  const results = await Promise.all(pool.resolvers.map((_, at) => benchmarkOne(options, at)))
  if (!signal.aborted) pool.rank()
  return results
}

async function benchmarkOne(options: BenchmarkOptions, at: number): Promise<BenchmarkResult> {
  const { clock, pool, ask, profile, names, signal } = options
  const resolver = pool.resolvers[at] as DomainResolver
  const known = await askCanaries(options, at)
  const trips: number[] = []
  let [sent, timeouts] = [0, 0]
  const startedMs = clock.nowMs()
  const total = Math.ceil((profile.perSecond * profile.durationMs) / 1000)
  const work = async (): Promise<void> => {
    while (sent < total && !signal.aborted && clock.nowMs() < startedMs + profile.durationMs) {
      const number = sent++
      const dueMs = startedMs + (number * 1000) / profile.perSecond
      if (dueMs > clock.nowMs()) await sleep(clock, dueMs - clock.nowMs(), signal)
      await pool.takeTurn(at, signal)
      if (signal.aborted) break
      const answer = await ask(resolver, names[number % names.length] as string, TIMEOUT_MS, signal)
      pool.learn(at, answer)
      if (answer.outcome === 'timeout') timeouts++
      if (answer.rttMs !== null) trips.push(answer.rttMs)
    }
  }
  await Promise.all(Array.from({ length: profile.concurrency }, work))
  const sorted = trips.toSorted((a, b) => a - b)
  const quantile = (share: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null
  return { resolver, sent, answered: trips.length, timeouts, p50Ms: quantile(0.5), p95Ms: quantile(0.95), ...known }
}

async function askCanaries(
  { pool, ask, canaries, random, signal }: BenchmarkOptions,
  at: number,
): Promise<Pick<BenchmarkResult, 'findsKnown' | 'deniesRandom' | 'blocks'>> {
  const resolver = pool.resolvers[at] as DomainResolver
  const outcome = async (name: string): Promise<string> => {
    await pool.takeTurn(at, signal)
    return (await ask(resolver, name, TIMEOUT_MS, signal)).outcome
  }
  const found = await Promise.all(canaries.positive.map(outcome))
  const random16 = Array.from({ length: LABEL_CHARS }, () => LABEL_LETTERS[randomInt(random, 32)]).join('')
  const absent = canaries.zone === null ? null : await outcome(`${random16}.${canaries.zone}`)
  const blocked = canaries.blocked === null ? null : await outcome(canaries.blocked)
  for (const [index, name] of canaries.positive.entries()) {
    const said = found[index]
    if (said === 'nxdomain' || said === 'filtered' || said === 'refused') pool.contradict(at, name)
  }
  return {
    findsKnown: found.length === 0 ? null : found.every((each) => each === 'ok'),
    deniesRandom: absent === null ? null : absent === 'nxdomain',
    blocks: blocked === null ? null : blocked !== 'ok',
  }
}
