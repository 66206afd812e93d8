/**
 * The state machine of a domain: (health, event, conditions) → health.
 *
 * ```
 *           OK, RUNTIME                    two confirmed NXDOMAINs, or many single ones
 *   ACTIVE ◄──────────► STABLE ◄──────────► SUSPECT ──────────► QUARANTINE ──────────► HARD
 *                         ▲                    ▲                  │     only with nx_hard_quarantine
 *                         └──── RUNTIME ───────┴────── OK ────────┴─────────────────────┘
 * ```
 *
 * Invariant: time alone releases nobody, any success leaves quarantine, and no sequence of time-outs leads below SUSPECT.
 *
 * Specification: docs/detectors/domain-health.md
 */
import { assertNever } from '../core/assert.ts'
import type { DomainHealth, DomainOutcome, DomainState, ScoreReason } from '../model/domain.ts'
import { isSecondNx2, joinAddresses, staleLimit } from './domain-addresses.ts'
import { jitterInterval, nextRefresh, nextRefreshAfterFailure, nextScoredCheck } from './domain-schedule.ts'
import { bandScore, decayScore, isQuarantined, SCORE_AFTER_RUNTIME, scoreOutcome } from './domain-score.ts'

const HOUR_MS = 3_600_000
/** A check moves the score at most this often. */
const SCORED_APART_MS = 5 * HOUR_MS
const RUNTIME_APART_MS = HOUR_MS
const CONFIRM_AFTER_MS = HOUR_MS
/** What a guard kept from being scored is looked at again after this time. */
const GUARDED_RETRY_MS = HOUR_MS
const HARD_MS = 7 * 24 * HOUR_MS
/** The TTL of an answer whose TTL is not known. */
const TTL_UNKNOWN_SECONDS = 300

/** What happened to a domain. */
export interface DomainEvent {
  readonly outcome: DomainOutcome
  readonly atMs: number
  /** Of `OK` and `RUNTIME`. */
  readonly addresses: readonly { readonly address: string; readonly source: string }[]
  /** Of the answer, the least of all records; `null` where there is none. */
  readonly ttlSeconds: number | null
  /** For how long a negative answer may be remembered; 0 for not at all. */
  readonly negativeSeconds: number
  /** Whether this is the check that confirms a quarantine. */
  readonly isConfirming: boolean
}

/** What holds for all domains at the time. */
export interface DomainConditions {
  readonly nxHardQuarantine: boolean
  readonly isStorm: boolean
  readonly isNxGuarded: boolean
  readonly isPoolDown: boolean
}

/** What became of a domain. */
export interface AppliedEvent {
  readonly health: DomainHealth
  readonly reason: ScoreReason
}

/** Applies one event to the domain `name`. */
export function applyDomainEvent(
  name: string,
  health: DomainHealth,
  event: DomainEvent,
  conditions: DomainConditions,
): AppliedEvent {
  const reason = findReason(health, event, conditions)
  const rated = rate(health, event, reason, conditions.nxHardQuarantine)
  const kept = keepAddresses(health, rated, event, conditions)
  return { health: schedule(name, health, kept, event, reason), reason }
}

/** Lets a domain out of quarantine by hand: score 0, SUSPECT, due at once. */
export function releaseDomain(health: DomainHealth, atMs: number): DomainHealth {
  return {
    ...health,
    scoreMilli: 0,
    scoreAtMs: atMs,
    state: 'SUSPECT',
    nextCheckAtMs: atMs,
    refreshAtMs: atMs,
    confirmAtMs: null,
    hardUntilMs: null,
    needsReview: false,
    negativeUntilMs: null,
  }
}

/** The score of a domain as it is now, for people: it is kept as it was at the last event. */
export function currentScore({ state, scoreMilli, scoreAtMs }: DomainHealth, atMs: number): number {
  return isQuarantined(state) ? scoreMilli : decayScore(scoreMilli, atMs - scoreAtMs)
}

/** Whether the event moves the score, and if not, why. Success leaves quarantine whatever else holds. */
function findReason(health: DomainHealth, event: DomainEvent, conditions: DomainConditions): ScoreReason {
  const { outcome, atMs } = event
  const isSuccess = outcome === 'OK' || outcome === 'RUNTIME'
  if (isSuccess && isQuarantined(health.state)) return 'left_quarantine'
  if (outcome === 'RUNTIME') return isApart(health.runtimeScoredAtMs, atMs, RUNTIME_APART_MS) ? 'scored' : 'too_soon'
  if (event.isConfirming) return 'confirming'
  if (conditions.isPoolDown && !isSuccess) return 'pool_down'
  if (conditions.isStorm && (outcome === 'TIMEOUT' || outcome === 'TEMP')) return 'storm_guard'
  if (conditions.isNxGuarded && (outcome === 'NX1' || outcome === 'NX2')) return 'nx_guard'
  return isApart(health.scoredAtMs, atMs, SCORED_APART_MS) ? 'scored' : 'too_soon'
}

function isApart(beforeMs: number | null, atMs: number, apartMs: number): boolean {
  // A clock that was set back must not stop the scoring for as long as it was ahead.
  return beforeMs === null || atMs - beforeMs >= apartMs || atMs < beforeMs
}

/** Score and state. */
function rate(
  health: DomainHealth,
  { outcome, atMs }: DomainEvent,
  reason: ScoreReason,
  nxHardQuarantine: boolean,
): DomainHealth {
  const seen = outcome === 'RUNTIME' ? { ...health, runtimeSeenAtMs: atMs } : health
  if (reason !== 'scored' && reason !== 'left_quarantine') return seen
  const isRuntime = outcome === 'RUNTIME'
  const times = isRuntime ? { runtimeScoredAtMs: atMs } : { scoredAtMs: atMs }
  if (reason === 'left_quarantine') {
    const scoreMilli = isRuntime ? SCORE_AFTER_RUNTIME : 0
    const state = bandScore(scoreMilli)
    return { ...seen, ...times, scoreMilli, scoreAtMs: atMs, state, hardUntilMs: null, needsReview: false }
  }
  const decayed = currentScore(health, atMs)
  const scoreMilli = scoreOutcome(decayed, outcome, nxHardQuarantine)
  const state = bandScore(scoreMilli)
  return { ...seen, ...times, scoreMilli, scoreAtMs: atMs, state, ...renewHard(health, state, atMs) }
}

/** HARD stands for a week; whoever is still there then stays, and is shown to somebody. */
function renewHard(
  { hardUntilMs, needsReview }: DomainHealth,
  state: DomainState,
  atMs: number,
): Pick<DomainHealth, 'hardUntilMs' | 'needsReview'> {
  if (state !== 'HARD') return { hardUntilMs: null, needsReview: false }
  if (hardUntilMs === null) return { hardUntilMs: atMs + HARD_MS, needsReview: false }
  return atMs < hardUntilMs ? { hardUntilMs, needsReview } : { hardUntilMs: atMs + HARD_MS, needsReview: true }
}

/** The set of addresses, and what is known about the existence of the name. */
function keepAddresses(
  before: DomainHealth,
  health: DomainHealth,
  { outcome, atMs, addresses, negativeSeconds }: DomainEvent,
  { isNxGuarded }: DomainConditions,
): DomainHealth {
  if (outcome === 'OK' || outcome === 'RUNTIME') {
    return {
      ...health,
      addresses: joinAddresses(health.addresses, addresses, atMs),
      lastOkAtMs: addresses.length > 0 ? atMs : health.lastOkAtMs,
      isSuspectSet: false,
      nx2SinceMs: null,
      negativeUntilMs: null,
      failures: 0,
      lastOutcome: outcome,
    }
  }
  const failed = { ...health, failures: before.failures + 1, lastOutcome: outcome }
  const limitMs = staleLimit(health, atMs)
  const known = limitMs === null || atMs > limitMs ? [] : health.addresses
  const negativeUntilMs = negativeSeconds > 0 ? atMs + negativeSeconds * 1000 : null
  switch (outcome) {
    case 'NX1':
    case 'FILTERED':
      return { ...failed, addresses: known, isSuspectSet: true, negativeUntilMs }
    case 'NODATA':
      // The name exists.
      return { ...failed, addresses: known, isSuspectSet: true, negativeUntilMs, nx2SinceMs: null }
    case 'NX2': {
      if (isNxGuarded) return { ...failed, addresses: known, isSuspectSet: true }
      const isGone = isQuarantined(health.state) && isSecondNx2(health.nx2SinceMs, atMs)
      const nx2SinceMs = health.nx2SinceMs ?? atMs
      return { ...failed, addresses: isGone ? [] : known, isSuspectSet: true, negativeUntilMs, nx2SinceMs }
    }
    case 'TIMEOUT':
    case 'TEMP':
    case 'REFUSED':
      return { ...failed, addresses: known }
    default:
      return assertNever(outcome)
  }
}

/** When it is looked at next. */
function schedule(
  name: string,
  before: DomainHealth,
  health: DomainHealth,
  event: DomainEvent,
  reason: ScoreReason,
): DomainHealth {
  const { atMs, outcome } = event
  const wasQuarantined = isQuarantined(before.state)
  const isNowQuarantined = isQuarantined(health.state)
  const isEntering = isNowQuarantined && !wasQuarantined
  const isHead = reason === 'left_quarantine' && outcome === 'RUNTIME'
  const confirmAtMs = isEntering
    ? atMs + CONFIRM_AFTER_MS
    : isNowQuarantined && !event.isConfirming
      ? health.confirmAtMs
      : null
  if (isHead) return { ...health, confirmAtMs: null, nextCheckAtMs: atMs, refreshAtMs: 0 }
  return {
    ...health,
    confirmAtMs,
    nextCheckAtMs: nextCheck(name, health, event, reason),
    refreshAtMs: isNowQuarantined ? null : refresh(health, event, reason),
  }
}

function nextCheck(name: string, health: DomainHealth, { atMs, outcome }: DomainEvent, reason: ScoreReason): number {
  if (outcome === 'RUNTIME') return health.nextCheckAtMs
  switch (reason) {
    case 'scored':
    case 'left_quarantine':
      return nextScoredCheck(name, health.state, atMs)
    case 'too_soon':
      return Math.max(health.nextCheckAtMs, (health.scoredAtMs ?? atMs) + SCORED_APART_MS)
    case 'confirming':
      return health.nextCheckAtMs
    case 'storm_guard':
    case 'nx_guard':
    case 'pool_down':
      return Math.max(health.nextCheckAtMs, atMs + jitterInterval(name, GUARDED_RETRY_MS))
    default:
      return assertNever(reason)
  }
}

function refresh(health: DomainHealth, { outcome, atMs, ttlSeconds }: DomainEvent, reason: ScoreReason): number | null {
  if (outcome === 'RUNTIME') return health.refreshAtMs
  if (outcome === 'OK') return nextRefresh(ttlSeconds ?? TTL_UNKNOWN_SECONDS, atMs)
  const isGuarded = reason === 'storm_guard' || reason === 'nx_guard' || reason === 'pool_down'
  return nextRefreshAfterFailure(health.failures, atMs, isGuarded)
}
