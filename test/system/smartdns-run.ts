/** A controller of SmartDNS in a process of its own, to be killed: `node smartdns-run.ts DIRECTORY PORT UPSTREAM_PORT CACHE_SIZE`. */
import { createSeededRandom } from '../../src/core/random.ts'
import { silentLog } from '../../src/core/log.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { createSmartDns } from '../../src/sidecars/smartdns.ts'
import { smartDnsPlan } from '../sidecar-fixtures/upstream.ts'

const [directory = '', port = '', upstreamPort = '', cacheSize = ''] = process.argv.slice(2)
const smartDns = await createSmartDns({
  clock: nodeClock,
  files: nodeFiles,
  processes: nodeProcesses,
  net: nodeNet,
  random: createSeededRandom(String(process.pid)),
  log: silentLog,
  directory,
  program: 'smartdns',
  onObservations: () => Promise.resolve(),
})
await smartDns.configure({ ...smartDnsPlan(Number(port), Number(upstreamPort)), cacheSize: Number(cacheSize) })
await smartDns.start()
process.stdout.write(`${JSON.stringify(smartDns.status())}\n`)
setInterval(() => {}, 1_000)
