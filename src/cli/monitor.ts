/** The group `candor monitor`: who changed my names, and does somebody lie about them. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerMonitorAck } from './monitor-ack.ts'
import { registerMonitorCheck } from './monitor-check.ts'
import { registerMonitorExplain } from './monitor-explain.ts'
import { registerMonitorImport } from './monitor-import.ts'
import { registerMonitorRun } from './monitor-run.ts'

/** Adds `candor monitor` with its commands. */
export function registerMonitor(program: Command, context: CliContext): void {
  const monitor = program.command('monitor').description('who changed my names, and does somebody lie about them')
  registerMonitorCheck(monitor, context)
  registerMonitorRun(monitor, context)
  registerMonitorAck(monitor, context)
  registerMonitorExplain(monitor, context)
  registerMonitorImport(monitor, context)
}
