/**
 * How often each of many may do something: a token bucket per key, in a table of bounded size.
 *
 * Invariant: at most `keysMax` keys are remembered; the one that was quiet for longest is forgotten first.
 */
import type { Clock } from '../core/clock.ts'

/** How often. */
export interface RateLimitOptions {
  /** What one key may do in a minute, after its burst is used up. */
  readonly perMinute: number
  /** What one key may do at once. */
  readonly burst: number
  readonly keysMax: number
}

/** Counts for each key. */
export interface RateLimit {
  /** Takes one. @returns Seconds until one is there again; 0 when it was taken. */
  take(key: string): number
  /** @returns Seconds until one is there; 0 when there is one. Takes nothing. */
  wait(key: string): number
  /** Keys that are remembered. */
  size(): number
}

/** What adding up parts of a token may miss. */
const ROUNDING = 1e-6

/** Makes an empty table. */
export function createRateLimit(clock: Clock, { perMinute, burst, keysMax }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { level: number; atMs: number }>()
  const levelOf = (key: string): number => {
    const bucket = buckets.get(key)
    if (bucket === undefined) return burst
    return Math.min(burst, bucket.level + ((clock.nowMs() - bucket.atMs) / 60_000) * perMinute)
  }
  const secondsUntilOne = (level: number): number => Math.max(0, Math.ceil(((1 - level - ROUNDING) / perMinute) * 60))
  return {
    take: (key) => {
      const level = levelOf(key)
      const seconds = secondsUntilOne(level)
      buckets.delete(key)
      buckets.set(key, { level: seconds === 0 ? level - 1 : level, atMs: clock.nowMs() })
      if (buckets.size > keysMax) {
        const [oldest] = buckets.keys()
        if (oldest !== undefined) buckets.delete(oldest)
      }
      return seconds
    },
    wait: (key) => secondsUntilOne(levelOf(key)),
    size: () => buckets.size,
  }
}
