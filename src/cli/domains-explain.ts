/** `candor domains explain`: one domain with its newest traces: who was asked, what was said, what it did to the score. */
import type { Command } from 'commander'
import { readDomainName } from '../campaigns/domains/read-domain-list.ts'
import { toDomainRecord, toTraceRecord } from '../campaigns/domains/domain-record.ts'
import { RunError } from '../core/config-error.ts'
import type { DomainRow, DomainStore } from '../model/domain.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import type { CliContext } from './cli-context.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'

const TRACES_MAX = 20

/** Adds `candor domains explain`. */
export function registerDomainsExplain(domains: Command, context: CliContext): void {
  const command = domains
    .command('explain')
    .description('one domain: its health, its addresses, and every attempt of its last checks')
    .argument('<name>', 'the domain')
  addDomainOptions(command, [])
  command.action(async (word: string) => {
    const { dataDirectory, isTable } = await readDomainPlan(command, context)
    await using store = await openDomainStore(dataDirectory, null)
    const row = findDomain(store, word)
    const record = {
      ...toDomainRecord(row, context.clock.wallNowMs()),
      trace: store.traces(row.id, TRACES_MAX).map(toTraceRecord),
    }
    await context.stdout.write(`${JSON.stringify(record, null, isTable ? 2 : 0)}\n`)
  })
}

/** Finds a domain by what a person typed. @throws {RunError} When it is not known. */
export function findDomain(store: Pick<DomainStore, 'find'>, word: string): DomainRow {
  const read = readDomainName(word)
  const row = 'reason' in read ? undefined : store.find(read.name)
  if (row !== undefined) return row
  throw new RunError(
    `\`${word.slice(0, 80)}\` is not among the domains`,
    '`candor domains status --names` shows all of them',
  )
}
