/** The group `candor exits`: DNS at every Tor exit. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerExitsImport } from './exits-import.ts'
import { registerExitsMerge } from './exits-merge.ts'
import { registerExitsModules } from './exits-modules.ts'
import { registerExitsReport } from './exits-report.ts'
import { registerExitsRun } from './exits-run.ts'

/** Adds `candor exits` with its commands. */
export function registerExits(program: Command, context: CliContext): void {
  const exits = program.command('exits').description('does DNS work, and tell the truth, at every Tor exit relay?')
  registerExitsRun(exits, context)
  registerExitsMerge(exits, context)
  registerExitsReport(exits, context)
  registerExitsImport(exits, context)
  registerExitsModules(exits, context)
}
