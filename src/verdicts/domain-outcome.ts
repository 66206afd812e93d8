/**
 * What the attempts of one check come to, and whether another attempt is worth its query.
 *
 * Invariant: an address beats every denial, and a denial counts only from a resolver that has a vote. Two denials confirm
 * each other only when they are of different operators.
 *
 * Specification: docs/detectors/domain-outcome.md
 */
import type { AttemptOutcome, DomainAttempt, DomainOutcome } from '../model/domain.ts'

/** What a check came to; `undefined` when nobody could be asked. */
export interface CheckVerdict {
  readonly outcome: DomainOutcome | undefined
  /** Whether some had addresses and others denied the name. */
  readonly isDisputed: boolean
}

/** Judges the attempts of one check, in any order. */
export function judgeAttempts(attempts: readonly DomainAttempt[]): CheckVerdict {
  const told = attempts.filter(({ outcome }) => outcome !== 'unsent')
  const has = (wanted: AttemptOutcome): boolean => told.some(({ outcome }) => outcome === wanted)
  const denials = told.filter(({ outcome }) => outcome === 'nxdomain')
  const only = (wanted: AttemptOutcome): boolean => told.length > 0 && told.every(({ outcome }) => outcome === wanted)
  if (has('ok')) return { outcome: 'OK', isDisputed: denials.length > 0 || has('filtered') }
  if (told.length === 0) return { outcome: undefined, isDisputed: false }
  // Who says that the name exists without an address contradicts whoever denies it.
  if (has('nodata')) return { outcome: 'NODATA', isDisputed: denials.length > 0 }
  const voters = new Set(denials.filter(({ hasVote }) => hasVote).map(({ operator }) => operator))
  if (voters.size >= 2) return { outcome: 'NX2', isDisputed: false }
  if (voters.size === 1) return { outcome: 'NX1', isDisputed: false }
  if (denials.length > 0) return { outcome: 'TEMP', isDisputed: false }
  if (has('filtered')) return { outcome: 'FILTERED', isDisputed: false }
  if (only('timeout')) return { outcome: 'TIMEOUT', isDisputed: false }
  return { outcome: only('refused') ? 'REFUSED' : 'TEMP', isDisputed: false }
}

/** How many attempts a check may take. */
export interface AttemptBudget {
  /** Attempts in any case… */
  readonly attempts: number
  /** … and where a time-out and a denial of different operators contradict each other. */
  readonly attemptsMax: number
}

/** Direct names: 2, at most 3. */
export const DIRECT_BUDGET: AttemptBudget = { attempts: 2, attemptsMax: 3 }
/** Wildcards: 1. */
export const WILDCARD_BUDGET: AttemptBudget = { attempts: 1, attemptsMax: 1 }
/** Wildcards with a controlled fallback: 2. */
export const WILDCARD_FALLBACK_BUDGET: AttemptBudget = { attempts: 2, attemptsMax: 2 }

/** Whether a check goes on: `'stop'`, or `'fallback'` for one more attempt, at another operator. */
export function decideNextAttempt(attempts: readonly DomainAttempt[], budget: AttemptBudget): 'stop' | 'fallback' {
  const { outcome } = judgeAttempts(attempts)
  if (outcome === 'OK' || outcome === 'NX2' || outcome === 'NODATA') return 'stop'
  if (attempts.length < budget.attempts) return 'fallback'
  if (attempts.length >= budget.attemptsMax) return 'stop'
  const lost = attempts.filter((each) => each.outcome === 'timeout')
  const denied = attempts.filter((each) => each.outcome === 'nxdomain')
  const isTorn = lost.some(({ operator }) => denied.some((other) => other.operator !== operator))
  return isTorn ? 'fallback' : 'stop'
}
