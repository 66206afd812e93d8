/** A run that uses a shared Tor until it is killed. Arguments: options and the path of a circuit, both as JSON. */
import { openSharedTor, WATCHDOG_PASSWORD_VARIABLE, type SharedTorOptions } from '../../src/tor/shared-tor.ts'
import { machine } from './tor-fixture.ts'

const [options = '', path = ''] = process.argv.slice(2)
const session = await openSharedTor(machine, {
  ...(JSON.parse(options) as Pick<SharedTorOptions, 'control' | 'stateDirectory' | 'watchdogCommand'>),
  password: process.env[WATCHDOG_PASSWORD_VARIABLE] ?? null,
  rejectInternalAddresses: false,
})
const outcome = await session.buildCircuit(JSON.parse(path) as string[], 20_000)
process.stdout.write(outcome.kind === 'built' ? 'open\n' : 'failed\n')
setInterval(() => {}, 1_000)
