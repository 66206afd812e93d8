/**
 * What `candor start` does beside exits and resolvers: watches names and looks after a list of names, in worlds of the
 * laboratory whose truth is known.
 *
 * Invariant: it waits until the others have had the machine for themselves, and what goes wrong here ends nothing but itself.
 */
import { collectSettings, loadConfig } from '../config/load-config.ts'
import { DOMAIN_SETTING_GROUP, DOMAIN_SETTINGS, type DomainSettings } from '../config/domain-settings.ts'
import { MONITOR_SETTING_GROUP } from '../config/monitor-settings.ts'
import { SETS_SETTING_GROUP, SETS_SETTINGS, type SetsSettings } from '../config/sets-settings.ts'
import { sleep } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import { startDomainsWorld } from '../lab/domains-world.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../lab/lab-address-plan.ts'
import { createLaboratoryNet } from '../lab/laboratory-net.ts'
import { startLaboratoryWithoutTor } from '../lab/laboratory.ts'
import { createMonitorWorld } from '../lab/monitor-world.ts'
import type { AlertOutbox } from '../model/alert.ts'
import { NetError, type Net } from '../net/net.ts'
import type { CliContext } from './cli-context.ts'
import type { CliOutput } from './cli-output.ts'
import { readMonitorConfig } from './read-monitor-config.ts'
import { createServedDomains, type ServedDomains } from './serve-domains.ts'
import { createServedMonitor, type ServedMonitor } from './serve-monitor.ts'
import { untilAborted } from './start-laboratory.ts'

/** The exits' network stands, and the first run over resolvers is under way. */
const FIRST_MS = 40_000
/** Scripts act five minutes after the start: somebody looks at the pages first. */
const INTERVAL = '10s'

/** Where everything is built and kept. */
export interface WatchPlace {
  /** Of the laboratory. */
  readonly directory: string
  /** Where what is learned is kept. */
  readonly dataDirectory: string
  readonly seed: string
}

/** The two campaigns, before and while they run. */
export interface StartedWatches {
  readonly monitor: ServedMonitor['source']
  readonly domains: ServedDomains['source']
  /** Builds the worlds and watches until interrupted. Says what went wrong, and ends. */
  run(): Promise<void>
}

/** Puts them together; nothing is built before they run. */
export function createStartedWatches(
  context: CliContext,
  place: WatchPlace,
  outbox: () => Pick<AlertOutbox, 'add'>,
): StartedWatches {
  let net: Net = context.net
  const inside: CliContext = {
    ...context,
    addressPlan: laboratoryAddressPlan,
    get net() {
      return net
    },
  }
  const monitor = createServedMonitor(inside, place.dataDirectory, outbox)
  const domains = createServedDomains(inside, place.dataDirectory, outbox)
  return {
    monitor: monitor.source,
    domains: domains.source,
    run: async () => {
      await sleep(context.clock, FIRST_MS, context.interrupted)
      if (context.interrupted.aborted) return
      try {
        await watch(inside, place, { monitor, domains }, (built) => {
          net = built
        })
      } catch (error) {
        const isKnown = [RunError, ConfigError, NetError, FileError].some((kind) => error instanceof kind)
        if (!isKnown || !(error instanceof Error)) throw error
        await context.say(`names are not watched: ${error.message}`)
      }
    },
  }
}

async function watch(
  context: CliContext,
  { directory, dataDirectory, seed }: WatchPlace,
  { monitor, domains }: { readonly monitor: ServedMonitor; readonly domains: ServedDomains },
  use: (net: Net) => void,
): Promise<void> {
  const { clock, net, files, processes, log, interrupted } = context
  const worlds = new Map([
    ['monitor', createMonitorWorld({ interval: INTERVAL })],
    ['domains', startDomainsWorld],
  ])
  await using laboratory = await startLaboratoryWithoutTor(
    { clock, net, files, processes, log },
    { directory, seed, worlds },
  )
  const description = laboratory.describe()
  use(createLaboratoryNet(net, { ...description, owns: ownsLaboratoryAddress }))
  const { config, history } = description.worlds['monitor'] as { readonly config: string; readonly history: string }
  await learn(context, [history, '--history', '--config', config, '--data-dir', dataDirectory])
  const proposed = { ...description.environment, CANDOR_MONITOR_INCLUDE: config }
  const groups = [MONITOR_SETTING_GROUP, DOMAIN_SETTING_GROUP, SETS_SETTING_GROUP]
  const sources = { file: null, environment: {}, flags: new Map<string, unknown>(), proposed }
  const [watched, listed, sets] = loadConfig(sources, groups)
  try {
    await monitor.begin(await readMonitorConfig(context, null, watched ?? new Map(), []))
    await domains.begin({
      settings: collectSettings<DomainSettings>(DOMAIN_SETTINGS, listed ?? new Map()),
      sets: collectSettings<SetsSettings>(SETS_SETTINGS, sets ?? new Map()),
    })
    await untilAborted(interrupted)
  } finally {
    await Promise.all([monitor.stop(), domains.stop()])
  }
}

/** With a history nothing is left to be learned: the first lie is told. */
async function learn(context: CliContext, words: readonly string[]): Promise<void> {
  const silent: CliOutput = { isTerminal: false, columns: 80, write: () => Promise.resolve() }
  const status = await context.runCommand(['--quiet', 'monitor', 'import', ...words], {
    stdout: silent,
    stderr: silent,
  })
  if (status !== 0) throw new RunError(`the history of the names was not taken (status ${status})`)
}
