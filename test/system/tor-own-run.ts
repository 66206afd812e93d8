/** A run with a Tor of its own, until it is killed. Arguments: directory, and torrc lines as JSON. */
import { openOwnTor } from '../../src/tor/own-tor.ts'
import { machine } from './tor-fixture.ts'

const [directory = '', lines = ''] = process.argv.slice(2)
await openOwnTor(machine, {
  directory,
  torPath: null,
  rejectInternalAddresses: true,
  appendedLines: JSON.parse(lines) as string[],
  bootstrapTimeoutMs: 60_000,
})
process.stdout.write('open\n')
setInterval(() => {}, 1_000)
