/** `candor resolvers list`: the pool: who is asked, how good each is, whose denials count. */
import type { Command } from 'commander'
import { toResolverRecord } from '../campaigns/domains/domain-record.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import type { CliContext } from './cli-context.ts'
import { openResolverPool } from './domain-parts.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'
import { formatRecords } from './format-records.ts'

/** Adds `candor resolvers list`. */
export function registerResolversList(resolvers: Command, context: CliContext): void {
  const command = resolvers.command('list').description('the upstreams: who is asked, how good each is, who has a vote')
  addDomainOptions(command, ['resolvers', 'resolverCa', 'queriesPerSecond'])
  command.action(async () => {
    const { settings, dataDirectory, isTable } = await readDomainPlan(command, context)
    await using store = await openDomainStore(dataDirectory, null)
    const pool = await openResolverPool(context, settings, store)
    const nowMs = context.clock.wallNowMs()
    await context.stdout.write(
      formatRecords(
        pool.members().map((member) => toResolverRecord(member, nowMs)),
        isTable,
      ),
    )
  })
}
