/**
 * How many domains one wave of the live pass takes: less when resolvers suffer, more while they are at ease.
 *
 * Specification: docs/detectors/domain-guards.md
 */

const BATCH_MIN = 1_200
const BATCH_MAX = 5_000
const BATCH_STEP = 400
const TIMEOUTS_BAD = 0.1
const TIMEOUTS_GOOD = 0.02
const P95_GOOD_MS = 600

/** The size of the first wave. */
export const BATCH_FIRST: number = BATCH_MIN

/** What a wave was like. */
export interface WaveLoad {
  readonly attempts: number
  readonly timeouts: number
  /** 95th percentile of the time to an answer, in milliseconds. */
  readonly p95Ms: number
  /** Whether a resolver began to rest. */
  readonly hasCooled: boolean
}

/** The size of the next wave. A wave without attempts says nothing. */
export function adaptBatch(batch: number, { attempts, timeouts, p95Ms, hasCooled }: WaveLoad): number {
  if (hasCooled || (attempts > 0 && timeouts > TIMEOUTS_BAD * attempts)) return clampBatch(Math.floor(batch / 2))
  const isAtEase = attempts > 0 && timeouts < TIMEOUTS_GOOD * attempts && p95Ms < P95_GOOD_MS
  return clampBatch(isAtEase ? batch + BATCH_STEP : batch)
}

function clampBatch(batch: number): number {
  return Math.min(Math.max(batch, BATCH_MIN), BATCH_MAX)
}
