/** The group `candor domains`: health and address sets of long lists of names. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerDomainsApplySets } from './domains-apply-sets.ts'

/** Adds `candor domains` with its commands. */
export function registerDomains(program: Command, context: CliContext): void {
  const domains = program.command('domains').description('health and address sets of long lists of names')
  registerDomainsApplySets(domains, context)
}
