/**
 * `candor tor-watchdog RECORD PID`: a process beside a run that uses somebody else's Tor. When the run is killed, its
 * changed options are given back at once and not only at the next run.
 *
 * Started by the session itself; ends when the record is gone. Interrupts are not for it: the run answers those and
 * cleans up itself.
 *
 * Invariant: says nothing; the control password, if there is one, comes in the environment.
 */
<<<<<<< HEAD
import { Command } from 'commander'
import { watchSharedTor, WATCHDOG_PASSWORD_VARIABLE } from '../tor/shared-tor.ts'
import type { CliContext } from './cli-context.ts'
=======
import { createLog } from '../core/log.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { nodeNet } from '../platform/node-net.ts'
import { nodeProcesses } from '../platform/node-processes.ts'
import { watchSharedTor, CONTROL_PASSWORD_VARIABLE } from '../tor/shared-tor.ts'
>>>>>>> 4b29752 (Join somebody else's Tor, and blame first hops for their own failures)

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
<<<<<<< HEAD
=======
await watchSharedTor(machine, recordPath, Number(ownerPid), process.env[CONTROL_PASSWORD_VARIABLE] ?? null)
>>>>>>> 4b29752 (Join somebody else's Tor, and blame first hops for their own failures)
