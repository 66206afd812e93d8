/** From the checks of a wave to what is kept of them: all under the same conditions, so that a guard holds for all. */
import type { DomainChange, DomainOutcome, DomainRow, DomainTrace, ScoreReason } from '../../model/domain.ts'
import {
  applyDomainEvent,
  currentScore,
  type DomainConditions,
  type DomainEvent,
} from '../../verdicts/domain-health.ts'
import type { DomainCheck } from './check-domain.ts'

/** A domain that was checked. */
export interface CheckedDomain {
  readonly row: DomainRow
  readonly check: DomainCheck
  readonly outcome: DomainOutcome
  /** When the check ended, Unix milliseconds. */
  readonly atMs: number
  /** Which pass it was due for. */
  readonly pass: 'live' | 'check' | 'confirm'
  /** Whether the storm guard was on when it ended. */
  readonly wasStormy: boolean
}

/** Which pass a domain is due for. */
export function findPass({ health }: DomainRow, dueMs: number): CheckedDomain['pass'] {
  if (health.nextCheckAtMs <= dueMs) return 'check'
  return health.confirmAtMs !== null && health.confirmAtMs <= dueMs ? 'confirm' : 'live'
}

/** Judges one checked domain. */
export function judgeChecked(checked: CheckedDomain, conditions: DomainConditions): DomainChange {
  const { row, check, outcome, atMs, pass, wasStormy } = checked
  const event: DomainEvent = {
    outcome,
    atMs,
    addresses: check.addresses,
    ttlSeconds: check.ttlSeconds,
    negativeSeconds: check.negativeSeconds,
    isConfirming: pass === 'confirm',
  }
  const now = { ...conditions, isStorm: conditions.isStorm || wasStormy }
  const { health, reason } = applyDomainEvent(row.name, row.health, event, now)
  const trace = { ...describeChange(row, health, atMs, reason), pass, outcome }
  return {
    id: row.id,
    health,
    trace: { ...trace, isDisputed: check.isDisputed, attempts: check.attempts },
  }
}

/** What every trace says. */
export function describeChange(
  { health: before }: DomainRow,
  after: DomainRow['health'],
  atMs: number,
  reason: ScoreReason,
): Omit<DomainTrace, 'pass' | 'outcome'> {
  return {
    atMs,
    reason,
    scoreBeforeMilli: currentScore(before, atMs),
    scoreAfterMilli: currentScore(after, atMs),
    stateBefore: before.state,
    stateAfter: after.state,
    isDisputed: false,
    attempts: [],
    addresses: after.addresses,
  }
}

/** A domain whose denial is remembered: nobody is asked, and nothing is scored. */
export function postponeToNegative({ id, health }: DomainRow, untilMs: number): DomainChange {
  return {
    id,
    health: {
      ...health,
      refreshAtMs: health.refreshAtMs === null ? null : Math.max(health.refreshAtMs, untilMs),
      nextCheckAtMs: Math.max(health.nextCheckAtMs, untilMs),
    },
    trace: null,
  }
}
