/**
 * A history from elsewhere as a profile: nothing is left to be learned then.
 *
 * **Invariant**: pure. What is known already stays, with its earlier sightings; incidents are left alone.
 *
 * Specification: docs/detectors/monitor-profile.md
 */
import type { AnswerUnit } from '../model/monitor-round.ts'
import type { MonitorState, TtlRange } from '../model/monitor-state.ts'
import { createMonitorState, joinUnits, learnUnits, toKnownUnit } from './monitor-profile.ts'

/** Values that were seen in a span. Times are Unix milliseconds. */
export interface SeenUnits {
  readonly units: readonly AnswerUnit[]
  readonly firstSeenMs: number
  readonly lastSeenMs: number
}

/** Adds a history to what is known. @param ttl - Lowest and highest TTL in seconds; `null` where it is not known. */
export function addHistory(
  before: MonitorState = createMonitorState(),
  seen: readonly SeenUnits[],
  ttl: Pick<TtlRange, 'min' | 'max'> | null = null,
): MonitorState {
  const units = seen.flatMap(({ units: each, firstSeenMs, lastSeenMs }) =>
    each.map((unit) => ({
      [unit.text]: { ...toKnownUnit(unit, 'history', lastSeenMs), firstSeenMs },
    })),
  )
  const firstMs = Math.min(...seen.map(({ firstSeenMs }) => firstSeenMs))
  const { profile } = before
  const learned = learnUnits(
    { ...profile, isImported: true, baselineAtMs: Math.min(profile.baselineAtMs ?? Infinity, firstMs) },
    joinUnits(units),
  )
  const range = profile.ttl ?? (ttl === null ? null : { ...ttl, recentMax: 0, recentRounds: 0 })
  return { ...before, profile: { ...learned, ttl: range } }
}
