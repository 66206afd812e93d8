/** The group `candor monitor`: who changed my names, and does somebody lie about them. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerMonitorCheck } from './monitor-check.ts'

/** Adds `candor monitor` with its commands. */
export function registerMonitor(program: Command, context: CliContext): void {
  const monitor = program.command('monitor').description('who changed my names, and does somebody lie about them')
  registerMonitorCheck(monitor, context)
}
