/** `candor domains review`: what somebody may want to look at: names that stayed in hard quarantine, or all in quarantine. */
import type { Command } from 'commander'
import { formatIsoTime } from '../core/clock.ts'
import type { DomainFilter } from '../model/domain.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import { describeAddresses } from '../verdicts/domain-addresses.ts'
import type { CliContext } from './cli-context.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'
import { formatRecords, type OutputRecord } from './format-records.ts'

const PAGE = 1_000

/** Adds `candor domains review`. */
export function registerDomainsReview(domains: Command, context: CliContext): void {
  const command = domains
    .command('review')
    .description('names whose hard quarantine was renewed; with --quarantined every name in quarantine')
  addDomainOptions(command, [])
  command.option('--quarantined', 'every name in quarantine')
  command.action(async () => {
    const { dataDirectory, isTable } = await readDomainPlan(command, context)
    const isWide = command.opts<{ readonly quarantined?: boolean }>().quarantined === true
    const filter: DomainFilter = isWide ? { states: ['QUARANTINE', 'HARD'] } : { needsReview: true }
    await using store = await openDomainStore(dataDirectory, null)
    const nowMs = context.clock.wallNowMs()
    const records: OutputRecord[] = []
    for (let afterId = 0; ;) {
      const rows = store.page(filter, afterId, PAGE)
      for (const { name, labels, health } of rows)
        records.push({
          name,
          labels: labels.join(' '),
          state: health.state,
          score: health.scoreMilli / 1000,
          last_outcome: health.lastOutcome,
          last_ok_at: health.lastOkAtMs === null ? null : formatIsoTime(health.lastOkAtMs),
          set: describeAddresses(health, nowMs),
          next_check_at: formatIsoTime(health.nextCheckAtMs),
          needs_review: health.needsReview,
        })
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) break
      afterId = last.id
    }
    await context.stdout.write(formatRecords(records, isTable))
  })
}
