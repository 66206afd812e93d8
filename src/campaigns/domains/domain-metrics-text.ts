/** The counters in the text format of Prometheus, for its node exporter and for the daemon. */
import { DOMAIN_STATES, type DomainState } from '../../model/domain.ts'
import type { DomainCounters } from './domain-metrics.ts'
import type { PoolMember } from './resolver-pool.ts'

/** The score of all listed domains, in points. */
export interface ScoreSummary {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
}

/** What the text is made of. */
export interface DomainMetrics {
  readonly counters: DomainCounters
  readonly members: readonly PoolMember[]
  readonly states: ReadonlyMap<DomainState, number>
  readonly scores: ScoreSummary
}

type Labels = Readonly<Record<string, string>>

/** Formats the metrics. */
export function formatDomainMetrics({ counters, members, states, scores }: DomainMetrics): string {
  const lines: string[] = []
  const family = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    values: readonly (readonly [Labels, number])[],
  ): void => {
    lines.push(`# HELP candor_domains_${name} ${help}`, `# TYPE candor_domains_${name} ${type}`)
    for (const [labels, value] of values) lines.push(`candor_domains_${name}${formatLabels(labels)} ${value}`)
  }
  const one = (name: string, type: 'counter' | 'gauge', help: string, value: number): void => {
    family(name, type, help, [[{}, value]])
  }
  const by = (label: string, values: Readonly<Record<string, number>>): readonly (readonly [Labels, number])[] =>
    Object.entries(values).map(([key, value]) => [{ [label]: key }, value])
  one('checks_total', 'counter', 'Checks of domains.', counters.checks)
  one('attempts_total', 'counter', 'Attempts: A and AAAA to one resolver.', counters.attempts)
  const average = counters.checks === 0 ? 0 : counters.attempts / counters.checks
  one('attempts_avg_per_domain', 'gauge', 'Attempts per check.', average)
  one('hedges_total', 'counter', 'Attempts that were made beside a slow one.', counters.hedges)
  one('budget_exhausted_domains_total', 'counter', 'Checks that ended without a settled answer.', counters.exhausted)
  one('early_stop_nxdomain_total', 'counter', 'Checks that a confirmed NXDOMAIN ended.', counters.earlyStops)
  one('cache_neg_hits_total', 'counter', 'Denials that were remembered and not asked for.', counters.cacheHits)
  one('nx_conflicts_total', 'counter', 'Checks in which resolvers contradicted each other.', counters.conflicts)
  one('storm_guard_seconds_total', 'counter', 'Time under the storm guard.', counters.stormMs / 1000)
  one('stale_served_total', 'counter', 'Domains written with addresses that nobody confirmed.', counters.staleServed)
  family('timeouts_total', 'counter', 'Attempts that timed out.', by('upstream', counters.timeouts))
  family('upstream_attempts_total', 'counter', 'Attempts at a resolver.', by('upstream', counters.attemptsBy))
  family('outcomes_total', 'counter', 'Checks by what they came to.', by('outcome', counters.outcomes))
  family('probe_results_total', 'counter', 'Probes of names in quarantine.', by('outcome', counters.probes))
  family(
    'domains',
    'gauge',
    'Listed domains.',
    DOMAIN_STATES.map((state) => [{ state }, states.get(state) ?? 0]),
  )
  one('quarantine_size', 'gauge', 'Domains in quarantine.', (states.get('QUARANTINE') ?? 0) + (states.get('HARD') ?? 0))
  const mean = scores.count === 0 ? 0 : scores.sum / scores.count
  family('domain_score', 'gauge', 'Scores of the listed domains, in points.', [
    [{ of: 'min' }, scores.min],
    [{ of: 'mean' }, mean],
    [{ of: 'max' }, scores.max],
  ])
  family(
    'resolver_score',
    'gauge',
    'How good a resolver is, 0 to 100.',
    members.map(({ resolver, score }) => [{ upstream: resolver.name }, score]),
  )
  family(
    'resolver_state',
    'gauge',
    '1 for the state that a resolver has.',
    members.flatMap(({ resolver, state }) =>
      (['active', 'cooldown', 'half_open'] as const).map(
        (each) => [{ upstream: resolver.name, state: each }, each === state ? 1 : 0] as const,
      ),
    ),
  )
  return lines.map((line) => `${line}\n`).join('')
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll(/["\\\n]/g, '_')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
