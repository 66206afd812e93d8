/**
 * `candor serve`: the daemon. Measures on a schedule, keeps what it found, serves pages and API.
 *
 * Invariant: it ends within ten seconds of SIGTERM, whatever goes on; killed at any moment, the next one goes on.
 */
import type { Command } from 'commander'
import { openTokenFile } from '../api/token-file.ts'
import { NEVER } from '../config/serve-settings.ts'
import { publicAddressPlan } from '../core/address-plan.ts'
import { withTimeout } from '../core/clock.ts'
import { BusyError, ConfigError } from '../core/config-error.ts'
import { parseCronExpression, type CronExpression } from '../core/cron-expression.ts'
import { joinPath } from '../core/files.ts'
import { parseIp } from '../core/ip-address.ts'
import { createDaemon, type Daemon, type DaemonSchedule } from '../daemon/create-daemon.ts'
import { openDaemonState, type DaemonState } from '../daemon/daemon-state.ts'
import { removeOldRunLogs } from '../daemon/run-log.ts'
import type { RunStep } from '../daemon/step-queue.ts'
import type { CampaignState } from '../model/daemon-control.ts'
import { boundHeap } from '../platform/bound-heap.ts'
import { createNodeMachine } from '../platform/node-machine.ts'
import { openPublishedDirectory } from '../publish/published-directory.ts'
import { openExitArchive } from '../store/exit-archive.node.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import { createWebApp } from '../web/create-web-app.ts'
import { answerMeasurement } from './answer-measurement.ts'
import { ARCHIVE_FILE } from './archive-file.ts'
import type { CliContext } from './cli-context.ts'
import { OutputClosedError } from './cli-output.ts'
import { SOCKET_NAME } from './daemon-client.ts'
import { createFinishOrder } from './finish-order.ts'
import { openFileDocuments } from './file-documents.ts'
import { addSettingOptions } from './load-settings.ts'
import { adoptNewReports, createImportChore } from './serve-adoption.ts'
import { openServedAlerts, type ServedAlerts } from './serve-alerts.ts'
import { createServedArchive, type ServedArchive } from './serve-archive.ts'
import { openServeConfig, SERVE_GROUPS, type ServeConfig, type ServeConfigSource } from './serve-config.ts'
import { withTables } from './exits-surroundings.ts'
import { readEnvironmentToken } from './environment-token.ts'
import { createExitsWork, type ServeDirectories } from './serve-exits.ts'
import { serveHttp, serveUnixSocket, type FetchHandler } from './serve-http.ts'
import { createServedDomains, type ServedDomains } from './serve-domains.ts'
import { createServedMonitor, type ServedMonitor } from './serve-monitor.ts'
import { openServedSatellite, type ServedSatellite } from './serve-satellite.ts'
import { createServedPublication, type ServedPublication } from './serve-publication.ts'
import { openServedSmartDns, type ServedSmartDns } from './serve-smartdns.ts'
import { createRunSteps } from './serve-steps.ts'
import { untilAborted } from './start-laboratory.ts'

/** Of the ten seconds that SIGTERM leaves; the rest is for closing. */
const STOP_MS = 8_500

/** Adds `candor serve`. */
export function registerServe(program: Command, context: CliContext): void {
  const command = program
    .command('serve')
    .description('measure on a schedule, keep what was found, and serve pages and API')
    .option('--skip-if-busy', 'exit status 0 where another process holds the data directory')
    .addHelpText('after', '\nExample:\n  candor serve --config candor.toml\n\nSIGHUP reads the configuration again.')
  addSettingOptions(command, SERVE_GROUPS)
  command.action(async () => {
    await serve(context, command)
  })
}

async function serve(context: CliContext, command: Command): Promise<void> {
  boundHeap()
  if (command.parent?.getOptionValueSource('verbosity') === 'default') context.setVerbosity('info', context.isQuiet())
  const config = await openServeConfig(command, context)
  const { general, analysisDir, serve: settings } = config.current()
  const { dataDir } = general
  if (dataDir === null)
    throw new ConfigError('--data-dir', 'a daemon needs a directory of its own', 'candor serve --data-dir DIRECTORY')
  await checkListen(context, dataDir, settings.listen)
  const directories = { dataDir, analysisDir, logDir: joinPath(dataDir, 'logs') }
  try {
    await using lock = await acquireRunLock(dataDir, 'candor serve')
    void lock
    using state = await openDaemonState(joinPath(dataDir, 'daemon.db'))
    using satellite = await openServedSatellite(context, directories, () => config.current())
    await using alerts = await openServedAlerts(context, config.current().alerts, dataDir)
    const domains = createServedDomains(withTables(context, general), dataDir, () => alerts.stores.outbox)
    await using smartDns = await openServedSmartDns(context, dataDir, config, domains)
    const store = await openExitArchive(joinPath(dataDir, ARCHIVE_FILE))
    try {
      const archive = await createServedArchive(context, store, () => config.current().retention)
      const publication = createServedPublication(context, directories, () => config.current())
      const monitor = createServedMonitor(withTables(context, general), dataDir, () => alerts.stores.outbox)
      alerts.addNotes((sinceMs) => monitor.notes(sinceMs))
      const parts = { config, directories, state, archive, alerts, publication, monitor, domains, smartDns, satellite }
      await serveLocked(context, parts)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof BusyError) || command.opts<{ readonly skipIfBusy?: boolean }>().skipIfBusy !== true)
      throw error
    await context.say(`${error.message}; skipped`)
  }
}

/** What a daemon is put together from. */
interface ServeParts {
  readonly config: ServeConfigSource
  readonly directories: ServeDirectories
  readonly state: DaemonState
  readonly archive: ServedArchive
  readonly alerts: ServedAlerts
  readonly publication: ServedPublication
  readonly monitor: ServedMonitor
  readonly domains: ServedDomains
  readonly smartDns: ServedSmartDns
  readonly satellite: ServedSatellite
}

async function serveLocked(context: CliContext, parts: ServeParts): Promise<void> {
  const { config, directories } = parts
  const { clock, log, interrupted } = context
  const { listen: address, port } = config.current().serve
  const steps = createRunSteps(context, { ...directories, ...parts })
  const place = { ...directories, archive: parts.archive.store }
  await adoptNewReports(context, place, parts.state, steps)
  const daemon = assemble(context, parts, steps)
  const handle = createHandler(context, parts, daemon)
  await using socket = await serveUnixSocket(handle, joinPath(directories.dataDir, SOCKET_NAME))
  void socket
  await using server = await serveHttp(handle, { address, port, portsTried: 1, command: 'candor serve' })
  let reloading = Promise.resolve()
  const unsubscribe = context.onHangup(() => {
    reloading = reloading
      .then(() => reload(daemon, parts))
      .catch((error: unknown) => {
        log.error('daemon.configuration.failed', { error: error instanceof Error ? error.message : String(error) })
      })
  })
  try {
    await parts.monitor.begin(config.current().monitor)
    daemon.begin(toSchedule(config.current()))
    await parts.domains.begin(config.current().domains)
    await parts.smartDns.begin()
    parts.satellite.begin()
    const [exits] = daemon.control.campaigns()
    const next = config.current().exitsNotConfigured ?? describeNext(exits)
    log.info('daemon.started', { url: server.url, data_dir: directories.dataDir, exits: next })
    await sayAddress(context, server.url)
    if (context.stderr.isTerminal) await context.say(`${next}\nSIGHUP reads the configuration again; Ctrl-C ends it.`)
    await untilAborted(interrupted)
  } finally {
    unsubscribe()
    log.info('daemon.stopping')
    const stopped = await withTimeout(
      clock,
      Promise.all([
        daemon.stop(),
        parts.monitor.stop(),
        parts.alerts.stop(),
        parts.smartDns.stop(),
        parts.domains.stop(),
      ]),
      STOP_MS,
    )
    // What has not ended by now is in its journal; the next process goes on with it.
    log.info('daemon.stopped', { in_time: stopped !== undefined })
  }
}

/** Whoever started the daemon may not read what it writes. */
async function sayAddress({ stdout, log }: CliContext, url: string): Promise<void> {
  try {
    await stdout.write(`${url}\n`)
  } catch (error) {
    if (!(error instanceof OutputClosedError)) throw error
    log.debug('daemon.stdout.closed')
  }
}

/** One sentence about when exits are measured. */
function describeNext(state: CampaignState | undefined): string {
  if (state?.runningId !== undefined && state.runningId !== null) return `Run ${state.runningId} is resumed.`
  if (state?.nextRunAt === undefined || state.nextRunAt === null) return 'Exits are measured when somebody asks for it.'
  return `Exits are measured at ${state.nextRunAt} next (${state.schedule ?? ''}, UTC).`
}

function assemble(
  context: CliContext,
  { config, directories, state, archive, publication, monitor, domains, smartDns, satellite }: ServeParts,
  steps: readonly RunStep[],
): Daemon {
  const { clock, log, version, files } = context
  return createDaemon({
    clock,
    log,
    version,
    state,
    random: context.createRandom(context.newSeed()),
    newId: () => context.newSeed(),
    satellite: satellite.work,
    satelliteSteps: satellite.steps,
    exits: createExitsWork(context, directories, archive.store, () => config.current()),
    steps,
    firstChore: createImportChore(
      context,
      { ...directories, archive: archive.store },
      state,
      () => config.current().retention,
    ),
    chores: [
      archive.retention,
      monitor.retention,
      {
        name: 'retention',
        run: async (signal) => {
          await removeOldRunLogs(files, directories.logDir, config.current().serve.runLogs)
          await publication.retain(signal)
        },
      },
    ],
    ask: (request, signal) => {
      const torrcAppend = config.current().groups.get('exits')?.get('torrc-append')?.value
      const place = {
        dataDir: directories.dataDir,
        torrcAppend: typeof torrcAppend === 'string' ? torrcAppend : null,
      }
      return answerMeasurement({ ...context, interrupted: signal }, place, request)
    },
    problems: () => [
      ...listProblems(config.current()),
      ...monitor.source.summary().problems,
      ...smartDns.problems(),
      ...domains.problems(),
    ],
    stores: () => publication.states(),
    archive: () => archive.state(),
    configuration: () => config.status(),
  })
}

/** Whoever wants pages alone says so, and has no problem. */
function listProblems({ exitsNotConfigured, schedule }: ServeConfig): readonly string[] {
  if (exitsNotConfigured === null || schedule.exits === NEVER) return []
  return [`${exitsNotConfigured} If that is meant: schedule.exits = "${NEVER}".`]
}

function createHandler(
  context: CliContext,
  { config, directories, archive, alerts, monitor, domains, smartDns, satellite }: ServeParts,
  { control }: Daemon,
): FetchHandler {
  const { clock, log, files } = context
  const tokens = openTokenFile(files, directories.dataDir, clock)
  const ownTokens = readEnvironmentToken(context)
  const app = createWebApp({
    runs: control.live,
    published: openPublishedDirectory(files, directories.analysisDir),
    detectors: openFileDocuments(files, joinPath(context.home, 'docs/detectors'), ['.md']),
    clock,
    log,
    isLaboratory: false,
    archive: archive.store,
    hosts: () => config.current().serve.hosts,
    version: context.version,
    control,
    access: {
      tokens: async () => [...(await tokens.tokens()), ...(await ownTokens)],
      isReadProtected: () => config.current().serve.protectReading,
    },
    streamsMax: config.current().serve.eventStreams,
    finishOrder: createFinishOrder(files, directories.analysisDir),
    machine: createNodeMachine(directories.dataDir),
    keeping: { usage: () => archive.store.usage(), policy: () => config.current().retention },
    monitor: monitor.source,
    domains: domains.source,
    sidecars: smartDns.sidecars,
    satellite: satellite.archive,
    ...alerts.stores,
  })
  return (request, sender) => app.fetch(request, sender)
}

async function reload(daemon: Daemon, { config, alerts, monitor, domains, smartDns }: ServeParts): Promise<void> {
  if (!(await config.reload())) return
  daemon.follow(toSchedule(config.current()))
  await monitor.follow(config.current().monitor)
  await alerts.follow(config.current().alerts)
  await domains.follow(config.current().domains)
  await smartDns.follow()
}

function toSchedule({ schedule, exitsNotConfigured }: ServeConfig): DaemonSchedule {
  const parse = (text: string): CronExpression | null => (text === NEVER ? null : (parseCronExpression(text) ?? null))
  return {
    exits: exitsNotConfigured === null ? parse(schedule.exits) : null,
    satellite: parse(schedule.satellite),
    chores: {
      archive: parse(schedule.archive),
      monitor: parse(schedule.archive),
      retention: parse(schedule.retention),
    },
    jitterMs: schedule.jitter,
  }
}

/** Reading is for everybody who can connect, and orders need a token: without one nothing is offered to everybody. */
async function checkListen(context: CliContext, dataDir: string, address: string): Promise<void> {
  const { files, clock } = context
  const octets = parseIp(address)
  const isWildcard = octets?.every((octet) => octet === 0) === true
  if (octets === undefined || !(isWildcard || publicAddressPlan.isPublic(octets))) return
  const tokens = await openTokenFile(files, dataDir, clock).read()
  if (tokens.length + (await readEnvironmentToken(context)).length > 0) return
  const reason = isWildcard ? 'it means every address of this machine, the public ones included' : 'it is public'
  throw new ConfigError(
    `serve.listen ${address}`,
    `${reason}, and there is no token`,
    `candor tokens add NAME --data-dir ${dataDir}; or listen on 127.0.0.1, with a proxy in front`,
  )
}
