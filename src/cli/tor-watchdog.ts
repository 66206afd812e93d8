/**
 * `candor tor-watchdog RECORD PID`: a process beside a run that uses somebody else's Tor. When the run is killed, its
 * changed options are given back at once and not only at the next run.
 *
 * Started by the session itself; ends when the record is gone. Interrupts are not for it: the run answers those and
 * cleans up itself.
 *
 * Invariant: says nothing; the control password, if there is one, comes in the environment.
 */
import { Command } from 'commander'
import { watchSharedTor, WATCHDOG_PASSWORD_VARIABLE } from '../tor/shared-tor.ts'
import type { CliContext } from './cli-context.ts'

/** Adds the command. It is not for people, so that no help names it. */
export function registerTorWatchdog(program: Command, context: CliContext): void {
  const command = new Command('tor-watchdog')
    .argument('<record>')
    .argument('<pid>')
    .action(async (record: string, pid: string) => {
      const { clock, files, net, processes, log, environment } = context
      const machine = { clock, files, net, processes, log }
      await watchSharedTor(machine, record, Number(pid), environment[WATCHDOG_PASSWORD_VARIABLE] ?? null)
    })
  program.addCommand(command, { hidden: true })
}
