/**
 * The score of a domain: how it decays, what an outcome adds, and which state it means.
 *
 * Invariant: whole milli-points between −40,000 and 40,000. A floor only stops a fall: it never raises a score that is
 * below it.
 *
 * Specification: docs/detectors/domain-score.md
 */
import type { DomainOutcome, DomainState } from '../model/domain.ts'

const HOUR_MS = 3_600_000
/** A domain that was good is on probation after three days without news. */
const HALF_LIFE_MS = 72 * HOUR_MS
const SCORE_MAX = 40_000

/** The score of a domain that was seen at run time in quarantine. */
export const SCORE_AFTER_RUNTIME = 12_000

interface Rule {
  readonly delta: number
  readonly floor: number
}

const NO_FLOOR = -SCORE_MAX
const RULES: Readonly<Record<DomainOutcome, Rule>> = {
  OK: { delta: 8_000, floor: NO_FLOOR },
  RUNTIME: { delta: 12_000, floor: NO_FLOOR },
  NX2: { delta: -15_000, floor: -30_000 },
  NX1: { delta: -7_000, floor: -30_000 },
  TIMEOUT: { delta: -3_000, floor: -10_000 },
  TEMP: { delta: -2_000, floor: -10_000 },
  NODATA: { delta: 0, floor: NO_FLOOR },
  FILTERED: { delta: 0, floor: NO_FLOOR },
  REFUSED: { delta: 0, floor: NO_FLOOR },
}

/** @returns The score after `elapsedMs`, nearer to 0 and cut off, not rounded. A clock that was set back changes nothing. */
export function decayScore(scoreMilli: number, elapsedMs: number): number {
  // `+ 0` turns the −0 of a small negative score into 0.
  return Math.trunc(scoreMilli * 2 ** (-Math.max(0, elapsedMs) / HALF_LIFE_MS)) + 0
}

/** @returns The score after an outcome; `scoreMilli` is the decayed one. */
export function scoreOutcome(scoreMilli: number, outcome: DomainOutcome, nxHardQuarantine: boolean): number {
  const { delta, floor } = RULES[outcome]
  const limit = outcome === 'NX2' && nxHardQuarantine ? -SCORE_MAX : floor
  const lowest = Math.min(scoreMilli, limit)
  return Math.min(Math.max(scoreMilli + delta, lowest), SCORE_MAX)
}

/** @returns The state that a score means. */
export function bandScore(scoreMilli: number): DomainState {
  if (scoreMilli >= 20_000) return 'ACTIVE'
  if (scoreMilli >= 5_000) return 'STABLE'
  if (scoreMilli >= -10_000) return 'SUSPECT'
  return scoreMilli >= -30_000 ? 'QUARANTINE' : 'HARD'
}

/** Whether a state means that a domain is let alone. */
export function isQuarantined(state: DomainState): boolean {
  return state === 'QUARANTINE' || state === 'HARD'
}
