/**
 * Domains by state over time: every ten minutes for a day, every hour for a month, every day for 400 days.
 *
 * **Invariant**: at most some 1,300 samples; what is kept of an older time is the first sample of each hour or day.
 */
import { DOMAIN_STATES, type DomainState } from '../../model/domain.ts'
import type { StateSample } from '../../model/domain-view.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const SAMPLE_MS = 10 * MINUTE_MS
const FINE_MS = DAY_MS
const HOURLY_MS = 30 * DAY_MS
const KEPT_MS = 400 * DAY_MS
const SAMPLES_MAX = 4_000

/** Where samples are kept, beside the domains. */
export const HISTORY_KEY = 'state-history'

/** Reads what was kept; nothing where it cannot be read. */
export function readStateHistory(text: string | undefined): readonly StateSample[] {
  if (text === undefined) return []
  const parsed: unknown = JSON.parse(text)
  if (!Array.isArray(parsed)) return []
  return parsed
    .slice(-SAMPLES_MAX)
    .flatMap((item: unknown) => (Array.isArray(item) && item.every(isCount) ? [toSample(item)] : []))
}

/** Writes it, each sample as `[time, count, …]`. */
export function formatStateHistory(samples: readonly StateSample[]): string {
  return JSON.stringify(samples.map(({ atMs, counts }) => [atMs, ...counts]))
}

/** `count` is asked only when a sample is due. @returns With a sample of now, and older ones thinned out; `undefined` while the last one is young. */
export function addStateSample(
  samples: readonly StateSample[],
  count: () => ReadonlyMap<DomainState, number>,
  nowMs: number,
): readonly StateSample[] | undefined {
  const last = samples.at(-1)
  // A clock that was set back is no reason to stop counting.
  if (last !== undefined && nowMs >= last.atMs && nowMs - last.atMs < SAMPLE_MS) return undefined
  const states = count()
  const sample = { atMs: Math.round(nowMs), counts: DOMAIN_STATES.map((state) => states.get(state) ?? 0) }
  const earlier = samples.filter(({ atMs }) => atMs < nowMs && nowMs - atMs <= KEPT_MS)
  let bucket = ''
  const thinned = earlier.filter(({ atMs }) => {
    const ageMs = nowMs - atMs
    const size = ageMs > HOURLY_MS ? DAY_MS : ageMs > FINE_MS ? HOUR_MS : MINUTE_MS
    const own = `${size}/${Math.floor(atMs / size)}`
    const isFirst = own !== bucket
    bucket = own
    return isFirst
  })
  return [...thinned, sample]
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function toSample([atMs = 0, ...counts]: readonly number[]): StateSample {
  return { atMs, counts }
}
