/** The group `candor resolvers`: the pool of upstreams of the domains campaign. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerResolversBench } from './resolvers-bench.ts'
import { registerResolversList } from './resolvers-list.ts'

/** Adds `candor resolvers` with its commands. */
export function registerResolvers(program: Command, context: CliContext): void {
  const resolvers = program.command('resolvers').description('the upstreams of `candor domains`: how good they are')
  registerResolversBench(resolvers, context)
  registerResolversList(resolvers, context)
}
