/** `candor domains status`: how many domains are in which state, and what the campaign counted. */
import type { Command } from 'commander'
import { COUNTERS_KEY } from '../campaigns/domains/domain-campaign.ts'
import { createCounters } from '../campaigns/domains/domain-metrics.ts'
import { toDomainRecord } from '../campaigns/domains/domain-record.ts'
import { eachDomain } from '../campaigns/domains/domain-sets.ts'
import { formatIsoTime } from '../core/clock.ts'
import { DOMAIN_STATES } from '../model/domain.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import { describeAddresses } from '../verdicts/domain-addresses.ts'
import type { CliContext } from './cli-context.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'

/** Adds `candor domains status`. */
export function registerDomainsStatus(domains: Command, context: CliContext): void {
  const command = domains.command('status').description('how many domains are in which state, and what was counted')
  addDomainOptions(command, [])
  command.option('--names', 'every domain, one record each')
  command.action(async () => {
    const { dataDirectory, isTable } = await readDomainPlan(command, context)
    await using store = await openDomainStore(dataDirectory, null)
    const nowMs = context.clock.wallNowMs()
    if (command.opts<{ readonly names?: boolean }>().names === true) {
      await eachDomain(store, async (row) => {
        await context.stdout.write(`${JSON.stringify(toDomainRecord(row, nowMs))}\n`)
      })
      return
    }
    const sets = { fresh: 0, stale: 0, suspect: 0, none: 0 }
    let review = 0
    await eachDomain(store, ({ health }) => {
      sets[describeAddresses(health, nowMs)]++
      if (health.needsReview) review++
    })
    const states = store.countStates()
    const nextMs = store.nextDueAtMs()
    const counters = createCounters(store.text(COUNTERS_KEY))
    const record = {
      domains: [...states.values()].reduce((sum, count) => sum + count, 0),
      ...Object.fromEntries(DOMAIN_STATES.map((state) => [state.toLowerCase(), states.get(state) ?? 0])),
      needs_review: review,
      sets_fresh: sets.fresh,
      sets_stale: sets.stale,
      sets_suspect: sets.suspect,
      sets_none: sets.none,
      next_due_at: nextMs === null ? null : formatIsoTime(nextMs),
      checks_total: counters.checks,
      attempts_total: counters.attempts,
      attempts_avg_per_domain: counters.checks === 0 ? 0 : counters.attempts / counters.checks,
      budget_exhausted_domains: counters.exhausted,
      early_stop_nxdomain: counters.earlyStops,
      cache_neg_hits: counters.cacheHits,
      nx_conflicts_total: counters.conflicts,
      storm_guard_seconds: counters.stormMs / 1000,
      stale_served_total: counters.staleServed,
    }
    const lines = Object.entries(record).map(([key, value]) => `${key.padEnd(26)}${String(value ?? '–')}\n`)
    await context.stdout.write(isTable ? lines.join('') : `${JSON.stringify(record)}\n`)
  })
}
