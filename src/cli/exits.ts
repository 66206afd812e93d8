/** The group `candor exits`: DNS at every Tor exit. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'

/** Adds `candor exits` with its commands. */
export function registerExits(program: Command, _context: CliContext): void {
  program.command('exits').description('does DNS work, and tell the truth, at every Tor exit relay?')
}
