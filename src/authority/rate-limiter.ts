/**
 * Response-rate limiting: one token bucket per source prefix, in a bounded table.
 *
 * UDP source addresses can be forged, and then answers hit somebody else. A bucket that is empty means TC = 1, which a
 * real resolver answers by asking over TCP, and which is no larger than the query was.
 *
 * Sources: BIND 9 Administrator Reference Manual, "Response Rate Limiting"; prefixes of /24 and /56 as there.
 */
import type { Clock } from '../core/clock.ts'
import { formatPrefix, parseIp, truncatePrefix } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'

/** UDP answers per second to one source prefix (/24 or /56). */
export const RESPONSE_RATE_LIMIT: Limit = {
  default: 50,
  min: 1,
  max: 100_000,
  unit: 'answers/s',
  why: 'no resolver needs more than this for names outside of a run, and 50 small answers a second hurt nobody',
}

const BURST_SECONDS = 4
/** Prefixes remembered; the one unused for longest is forgotten. */
const PREFIXES_MAX = 65_536

/** Decides about one answer after the other. */
export interface RateLimiter {
  /**
   * Takes `cost` tokens from the bucket of an address.
   *
   * @returns Whether they were there; if not, nothing is taken.
   */
  take(address: string, cost: number): boolean
}

/** A limiter whose buckets are full at first (four seconds' worth). */
export function createRateLimiter(clock: Clock, ratePerSecond: number): RateLimiter {
  const burst = ratePerSecond * BURST_SECONDS
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return {
    take: (address, cost) => {
      const key = prefixKey(address)
      const nowMs = clock.nowMs()
      const bucket = buckets.get(key)
      let tokens = bucket ? Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * ratePerSecond) / 1000) : burst
      const admitted = tokens >= cost
      if (admitted) tokens -= cost
      // Deleting first keeps the map in order of use.
      buckets.delete(key)
      buckets.set(key, { tokens, atMs: nowMs })
      if (buckets.size > PREFIXES_MAX) {
        for (const oldest of buckets.keys()) {
          buckets.delete(oldest)
          break
        }
      }
      return admitted
    },
  }
}

function prefixKey(address: string): string {
  const octets = parseIp(address)
  return octets === undefined ? address : formatPrefix(truncatePrefix(octets, octets.length === 4 ? 24 : 56))
}
