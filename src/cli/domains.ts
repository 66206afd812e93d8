/** The group `candor domains`: health and quarantine for large lists of names. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerDomainsApplySets } from './domains-apply-sets.ts'
import { registerDomainsExplain } from './domains-explain.ts'
import { registerDomainsRelease } from './domains-release.ts'
import { registerDomainsReview } from './domains-review.ts'
import { registerDomainsStatus } from './domains-status.ts'
import { registerDomainsSync } from './domains-sync.ts'

/** Adds `candor domains` with its commands. */
export function registerDomains(program: Command, context: CliContext): void {
  const domains = program.command('domains').description('large lists of names: their health, and their address sets')
  registerDomainsSync(domains, context)
  registerDomainsStatus(domains, context)
  registerDomainsExplain(domains, context)
  registerDomainsRelease(domains, context)
  registerDomainsReview(domains, context)
  registerDomainsApplySets(domains, context)
}
