/** `candor domains release`: lets domains out of quarantine by hand. */
import type { Command } from 'commander'
import { releaseRow } from '../campaigns/domains/release-domain.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import { isQuarantined } from '../verdicts/domain-score.ts'
import type { CliContext } from './cli-context.ts'
import { findDaemon, readAnswer, type DaemonClient } from './daemon-client.ts'
import { findDomain } from './domains-explain.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'
import { formatRecords, type OutputRecord } from './format-records.ts'

/** Adds `candor domains release`. */
export function registerDomainsRelease(domains: Command, context: CliContext): void {
  const command = domains
    .command('release')
    .description('let domains out of quarantine: score 0, SUSPECT, checked by the next sync')
    .argument('<names...>', 'the domains')
  addDomainOptions(command, [])
  command.action(async (words: readonly string[]) => {
    const { dataDirectory, isTable } = await readDomainPlan(command, context)
    const daemon = await findDaemon(context.files, dataDirectory)
    if (daemon !== undefined) {
      await context.stdout.write(formatRecords(await askDaemon(daemon, words), isTable))
      return
    }
    await using store = await openDomainStore(dataDirectory, 'candor domains release')
    const atMs = Math.round(context.clock.wallNowMs())
    const rows = words.map((word) => findDomain(store, word))
    const held = rows.filter(({ health }) => isQuarantined(health.state))
    store.commit(held.map((row) => releaseRow(row, atMs)))
    const records = rows.map(({ name, health }) => ({
      name,
      state_before: health.state,
      released: isQuarantined(health.state),
    }))
    await context.stdout.write(formatRecords(records, isTable))
  })
}

/** Beside a daemon only the daemon changes domains. @throws {RunError} When it does not answer, or knows none of that name. */
async function askDaemon(daemon: DaemonClient, words: readonly string[]): Promise<readonly OutputRecord[]> {
  const records: OutputRecord[] = []
  for (const word of words) {
    const path = `/api/v1/domains/${encodeURIComponent(word)}`
    const before = readAnswer(await daemon.get(path)) as { readonly name: string; readonly state: string }
    const after = readAnswer(await daemon.post(`${path}/release`)) as { readonly state: string }
    records.push({ name: before.name, state_before: before.state, released: before.state !== after.state })
  }
  return records
}
