/**
 * The metadata of a run of which only parts are known, as one.
 *
 * **Invariant**: what cannot be added up (percentiles, a seed of each part) is taken from the first part or left out.
 */
import { assert } from '../core/assert.ts'
import type { ExitMetadata } from '../model/exit-result.ts'

const SUMMED = [
  'total_relays',
  'success',
  'dns_fail',
  'wrong_ip',
  'timeout',
  'error',
  'circuit_fail',
  'exception',
  'not_tested',
  'candidates',
  'dns_tested',
  'unsure',
  'circuits_built',
  'circuits_failed',
  'queries',
] as const

/** @param parts - At least one; a single one is given back as it is. */
export function mergeRunMetadata(parts: readonly ExitMetadata[]): ExitMetadata {
  const [first, ...others] = parts
  assert(first !== undefined, 'a run has no part')
  if (others.length === 0) return first
  const sum = (name: (typeof SUMMED)[number]): number => parts.reduce((total, part) => total + part[name], 0)
  const sums = Object.fromEntries(SUMMED.map((name) => [name, sum(name)])) as Record<(typeof SUMMED)[number], number>
  const last = (name: 'timestamp' | 'finished_at'): string =>
    parts
      .map((part) => part[name])
      .toSorted()
      .at(-1) ?? ''
  return {
    ...first,
    ...sums,
    timestamp: last('timestamp'),
    finished_at: last('finished_at'),
    started_at: parts.map((part) => part.started_at).toSorted()[0] ?? '',
    duration_ms: Math.max(...parts.map((part) => part.duration_ms)),
    success_rate_percent: percent(sums.success, sums.dns_tested),
    reachability_rate_percent: percent(sums.dns_tested, sums.total_relays),
    success_rate_percent_all: percent(sums.success, sums.total_relays),
    timing: { avg: null, min: null, max: null, p50: null, p95: null, p99: null },
    invalid: parts.map((part) => part.invalid).find((reason) => reason !== null) ?? null,
    interrupted: parts.some((part) => part.interrupted),
    notes: [
      ...new Set([...parts.flatMap((part) => part.notes), `parts ${parts.map(({ shard }) => shard).join(', ')}`]),
    ],
  }
}

/** @returns 100 × part / whole with two decimals; `null` when the whole is 0. */
function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((10_000 * part) / whole) / 100
}
