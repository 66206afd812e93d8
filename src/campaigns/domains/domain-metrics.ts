/** What the campaign counts, for ever: the counters survive a restart. */
import type { DomainCheck } from './check-domain.ts'
import type { AttemptOutcome, DomainOutcome } from '../../model/domain.ts'

/** The counters. */
export interface DomainCounters {
  checks: number
  attempts: number
  hedges: number
  /** Checks that used up their attempts or their time without a settled answer. */
  exhausted: number
  /** Checks that a confirmed NXDOMAIN ended before their budget did. */
  earlyStops: number
  cacheHits: number
  /** Checks in which some had addresses and others denied the name. */
  conflicts: number
  stormMs: number
  /** Addresses that were handed out although nobody confirms them. */
  staleServed: number
  /** Time-outs by the name of the resolver. */
  timeouts: Record<string, number>
  /** Attempts by the name of the resolver. */
  attemptsBy: Record<string, number>
  /** Probes of names in quarantine, by outcome. */
  probes: Partial<Record<DomainOutcome, number>>
  outcomes: Partial<Record<DomainOutcome, number>>
}

/** Counters that stand at 0, or where they stood. */
export function createCounters(saved: string | undefined): DomainCounters {
  const zero: DomainCounters = {
    checks: 0,
    attempts: 0,
    hedges: 0,
    exhausted: 0,
    earlyStops: 0,
    cacheHits: 0,
    conflicts: 0,
    stormMs: 0,
    staleServed: 0,
    timeouts: {},
    attemptsBy: {},
    probes: {},
    outcomes: {},
  }
  return saved === undefined ? zero : { ...zero, ...(JSON.parse(saved) as DomainCounters) }
}

/** Counts one attempt. */
export function countAttempt(counters: DomainCounters, resolver: string, outcome: AttemptOutcome): void {
  counters.attempts++
  counters.attemptsBy[resolver] = (counters.attemptsBy[resolver] ?? 0) + 1
  if (outcome === 'timeout') counters.timeouts[resolver] = (counters.timeouts[resolver] ?? 0) + 1
}

/** Counts one check that came to something. */
export function countCheck(
  counters: DomainCounters,
  check: DomainCheck,
  outcome: DomainOutcome,
  isProbe: boolean,
): void {
  counters.checks++
  counters.outcomes[outcome] = (counters.outcomes[outcome] ?? 0) + 1
  counters.hedges += check.attempts.filter(({ isHedge }) => isHedge).length
  if (check.isExhausted) counters.exhausted++
  if (outcome === 'NX2') counters.earlyStops++
  if (check.isDisputed) counters.conflicts++
  if (isProbe) counters.probes[outcome] = (counters.probes[outcome] ?? 0) + 1
}
