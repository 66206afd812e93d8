/** The group `candor publish`: what other people can read. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerPublishList } from './publish-list.ts'
import { registerPublishRetention } from './publish-retention.ts'
import { registerPublishSync } from './publish-sync.ts'

/** Adds `candor publish` with its commands. */
export function registerPublish(program: Command, context: CliContext): void {
  const publish = program.command('publish').description('reports for other people: stores, archives, retention')
  registerPublishSync(publish, context)
  registerPublishRetention(publish, context)
  registerPublishList(publish, context)
}
