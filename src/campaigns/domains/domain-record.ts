/** Domains, traces and resolvers as JSON. Format: docs/formats/domains.md. */
import { formatIsoTime } from '../../core/clock.ts'
import type { DomainRow, DomainTrace } from '../../model/domain.ts'
import { currentAddresses, describeAddresses } from '../../verdicts/domain-addresses.ts'
import { currentScore } from '../../verdicts/domain-health.ts'
import { successShare } from '../../verdicts/domain-resolver.ts'
import type { PoolMember } from './resolver-pool.ts'

const DAY_MS = 86_400_000

/** A domain, as it is at `atMs`. */
export function toDomainRecord(row: DomainRow, atMs: number): object {
  const { health } = row
  return {
    name: row.name,
    wildcard: row.isWildcard,
    labels: row.labels,
    listed: row.isListed,
    state: health.state,
    score: currentScore(health, atMs) / 1000,
    set: describeAddresses(health, atMs),
    addresses: currentAddresses(health, atMs).map(({ address, source, seenAtMs }) => ({
      address,
      source,
      seen_at: toTime(seenAtMs),
    })),
    last_outcome: health.lastOutcome,
    failures: health.failures,
    last_ok_at: toTime(health.lastOkAtMs),
    scored_at: toTime(health.scoredAtMs),
    runtime_seen_at: toTime(health.runtimeSeenAtMs),
    next_check_at: toTime(health.nextCheckAtMs),
    refresh_at: toTime(health.refreshAtMs),
    confirm_at: toTime(health.confirmAtMs),
    hard_until: toTime(health.hardUntilMs),
    needs_review: health.needsReview,
  }
}

/** A trace: every attempt, the resolver, the outcome, the score before and after, and where each address came from. */
export function toTraceRecord(trace: DomainTrace): object {
  const isFailed = trace.outcome !== 'OK' && trace.outcome !== 'RUNTIME'
  return {
    at: toTime(trace.atMs),
    pass: trace.pass,
    outcome: trace.outcome,
    reason: trace.reason,
    score_before: trace.scoreBeforeMilli / 1000,
    score_after: trace.scoreAfterMilli / 1000,
    state_before: trace.stateBefore,
    state_after: trace.stateAfter,
    resolver_disagreement: trace.isDisputed,
    attempts: trace.attempts.map((attempt) => ({
      resolver: attempt.resolver,
      operator: attempt.operator,
      has_vote: attempt.hasVote,
      hedge: attempt.isHedge,
      started_ms: attempt.startedMs,
      elapsed_ms: attempt.elapsedMs,
      outcome: attempt.outcome,
      addresses: attempt.addresses,
    })),
    addresses: trace.addresses.map(({ address, source, seenAtMs }) => ({
      address,
      source,
      origin: isFailed ? 'stale' : source === 'runtime' ? 'runtime' : 'resolver',
      seen_at: toTime(seenAtMs),
    })),
  }
}

/** A resolver of the pool. */
export function toResolverRecord(
  { resolver, health, state, isActive, hasVote, score }: PoolMember,
  atMs: number,
): Readonly<Record<string, string | number | boolean | null>> {
  return {
    resolver: resolver.name,
    operator: resolver.operator,
    transport: resolver.target.transport,
    state,
    active: isActive,
    score: round(score),
    rtt_ms: health.rttMs === null ? null : round(health.rttMs),
    success: health.ring === '' ? null : round(successShare(health)),
    outcomes: health.ring.length,
    contradictions: health.contradictions.filter((each) => atMs - each.atMs <= DAY_MS).length,
    has_vote: hasVote,
    queries_per_second: resolver.perSecond,
  }
}

function toTime(atMs: number | null): string | null {
  return atMs === null ? null : formatIsoTime(atMs)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
