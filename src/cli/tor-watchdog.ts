/**
 * A process beside a run that uses somebody else's Tor: when the run is killed, its changed options are given back at
 * once and not only at the next run.
 *
 * Started by the session itself as `node tor-watchdog.ts RECORD PID`; ends when the record is gone. Signals that a
 * terminal sends to the whole group are not for it: the run answers those and cleans up itself.
 *
 * Invariant: says nothing; the control password, if there is one, comes in the environment.
 */
import { createLog } from '../core/log.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { nodeNet } from '../platform/node-net.ts'
import { nodeProcesses } from '../platform/node-processes.ts'
import { watchSharedTor, WATCHDOG_PASSWORD_VARIABLE } from '../tor/shared-tor.ts'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const [recordPath = '', ownerPid = ''] = process.argv.slice(2)
const machine = {
  net: nodeNet,
  files: nodeFiles,
  processes: nodeProcesses,
  clock: nodeClock,
  log: createLog(() => {}),
}
await watchSharedTor(machine, recordPath, Number(ownerPid), process.env[WATCHDOG_PASSWORD_VARIABLE] ?? null)
