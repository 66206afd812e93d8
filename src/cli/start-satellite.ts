/**
 * What `candor start` does beside the exits: builds open resolvers with known behaviour, asks them, keeps what was seen for the
 * pages, rests, and does it again.
 *
 * Invariant: it waits until the first scan of the exits has had the machine for itself, and what goes wrong here ends nothing
 * but itself.
 */
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../lab/lab-address-plan.ts'
import { createLaboratoryNet } from '../lab/laboratory-net.ts'
import { startLaboratoryWithoutTor } from '../lab/laboratory.ts'
import { createSatelliteWorld } from '../lab/satellite-world.ts'
import { NetError } from '../net/net.ts'
import type { SatelliteStore } from '../store/satellite-archive.node.ts'
import type { CliContext } from './cli-context.ts'
import type { CliOutput } from './cli-output.ts'
import { findSatelliteWorld } from './lab-run-satellite.ts'

/** Every rule has cases, every country the five upstreams that a verdict needs, and a run ends within a minute. */
const SIZE = { resolvers: 80, domains: 60 }
/** The Tor network of the laboratory is complete after 15 s; it votes late when others take the processors. */
const FIRST_MS = 20_000
const REST_MS = 900_000
const RUNS_MAX = 12

/** Where it is built and kept. */
export interface StartedSatellite {
  readonly directory: string
  readonly seed: string
  readonly store: Pick<SatelliteStore, 'adopt'>
}

/** Measures until interrupted. Says what went wrong, and ends. */
export async function measureStartedSatellite(context: CliContext, started: StartedSatellite): Promise<void> {
  await sleep(context.clock, FIRST_MS, context.interrupted)
  if (context.interrupted.aborted) return
  try {
    await measure(context, started)
  } catch (error) {
    if (!(error instanceof RunError || error instanceof NetError || error instanceof FileError)) throw error
    await context.say(`no run over resolvers: ${error.message}`)
  }
}

async function measure(context: CliContext, started: StartedSatellite): Promise<void> {
  const { clock, net, files, processes, log, interrupted } = context
  await using laboratory = await startLaboratoryWithoutTor(
    { clock, net, files, processes, log },
    { ...started, worlds: new Map([['satellite', createSatelliteWorld(SIZE)]]) },
  )
  const description = laboratory.describe()
  const options = findSatelliteWorld(description)?.options ?? {}
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const silent: CliOutput = { isTerminal: false, columns: 80, write: () => Promise.resolve() }
  for (let run = 0; run < RUNS_MAX && !interrupted.aborted; run++) {
    // The resolvers stay as they are; the order of the questions is another one each time.
    const seed = ['--seed', `${started.seed} ${run}`]
    const status = await context.runCommand(
      ['--quiet', 'satellite', 'full', ...words, ...seed, '--i-have-permission-to-fetch'],
      {
        net: createLaboratoryNet(net, { ...description, owns: ownsLaboratoryAddress }),
        addressPlan: laboratoryAddressPlan,
        stdout: silent,
        stderr: silent,
      },
    )
    if (interrupted.aborted) return
    if (status === 0) await started.store.adopt(options['output'] ?? '', RUNS_MAX)
    else await context.say(`the run over resolvers ended with status ${status}`)
    await sleep(clock, REST_MS, interrupted)
  }
}
