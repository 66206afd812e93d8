/**
 * The command line as a process inside a small world whose servers run in another one: `node run-in-small-world.ts WORLD …`,
 * where WORLD is a JSON file with routes and authority.
 */
import { readFileSync } from 'node:fs'
import { runCli } from '../../src/cli/run-cli.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../../src/lab/lab-address-plan.ts'
import { createLaboratoryNet, type LaboratoryRoute } from '../../src/lab/laboratory-net.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { createCliCapabilities } from '../contract/simulated-cli.ts'

const [, , world = '', ...argv] = process.argv
const { routes, authority } = JSON.parse(readFileSync(world, 'utf8')) as {
  readonly routes: readonly LaboratoryRoute[]
  readonly authority: string
}
const { capabilities, texts } = createCliCapabilities()
const status = await runCli(argv, {
  ...capabilities,
  net: createLaboratoryNet(nodeNet, { routes, authority, owns: ownsLaboratoryAddress }),
  addressPlan: laboratoryAddressPlan,
})
process.stdout.write(texts.stdout)
process.stderr.write(texts.stderr)
process.exit(status)
