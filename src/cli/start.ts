/**
 * `candor start`: serves the pages at once, then builds a laboratory with known faults and scans it while one looks.
 *
 * Invariant: nothing leaves this machine, and nothing is left running or lying about when the command ends.
 */
import type { Command } from 'commander'
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { ALERT_SETTING_GROUP, ALERT_SETTINGS, type AlertSettings } from '../config/alert-settings.ts'
import { collectSettings, loadConfig } from '../config/load-config.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { openPublishedDirectory } from '../publish/published-directory.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { openExitArchive } from '../store/exit-archive.node.ts'
import { createWebApp } from '../web/create-web-app.ts'
import { ARCHIVE_FILE } from './archive-file.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_FAILED } from './exit-status.ts'
import { openFileDocuments } from './file-documents.ts'
import { createLatestRun } from '../daemon/latest-run.ts'
import { openServedAlerts, type ServedAlerts } from './serve-alerts.ts'
import { serveHttp } from './serve-http.ts'
import { measureStartedSatellite } from './start-satellite.ts'
import { createStartedWatches } from './start-watches.ts'
import { openSatelliteArchive, type SatelliteStore } from '../store/satellite-archive.node.ts'
import { scanLaboratory, untilAborted, type LaboratoryScans } from './start-laboratory.ts'

const PORT: Limit = { default: 8_053, min: 0, max: 65_535, unit: 'port', why: '53 is the port of DNS' }
const EXITS: Limit = { default: 8, min: 1, max: 100, unit: 'exits', why: 'each takes 40 to 50 MB of memory' }
const SCANS: Limit = { default: 12, min: 1, max: 1_000, unit: 'scans', why: 'one every five minutes, for an hour' }
/** Ports that are tried, the one asked for included. */
const PORTS_TRIED = 11
/** Windows that look at the page live; each is one connection. */
const STREAMS_MAX = 32

interface StartFlags {
  readonly port?: string
  readonly exits?: string
  readonly scans?: string
  readonly seed?: string
}

/** Adds `candor start`. */
export function registerStart(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('serve the pages, build a laboratory with known faults and scan it while one looks')
    .option(
      '--port <number>',
      `port on 127.0.0.1, or the first free one of the ten after it (default: ${PORT.default})`,
    )
    .option('--exits <number>', `exits of the laboratory (default: ${EXITS.default})`)
    .option('--scans <number>', `scans, one every five minutes (default: ${SCANS.default})`)
    .option('--seed <text>', 'which exit has which fault (default: a new one)')
    .action(async (flags: StartFlags) => {
      await start(context, flags)
    })
}

async function start(context: CliContext, flags: StartFlags): Promise<void> {
  const port = readNumber(PORT, flags.port, '--port')
  const exits = readNumber(EXITS, flags.exits, '--exits')
  const scansMax = readNumber(SCANS, flags.scans, '--scans')
  const { files } = context
  const directory = joinPath(context.environment['TMPDIR'] ?? '/tmp', `candor-${context.newSeed()}`)
  try {
    await files.makeDirectory(directory, 0o700)
    await using alerts = await openServedAlerts(context, laboratoryAlerts(), directory)
    using satellite = await openSatelliteArchive(directory)
    const archive = await openExitArchive(joinPath(directory, ARCHIVE_FILE))
    try {
      await serveLaboratory(context, {
        alerts,
        satellite,
        port,
        exits,
        scansMax,
        seed: flags.seed ?? context.newSeed(),
        archive,
        laboratoryDirectory: joinPath(directory, 'laboratory'),
        resolversDirectory: joinPath(directory, 'resolvers'),
        namesDirectory: joinPath(directory, 'names'),
        dataDirectory: directory,
        resultsDirectory: joinPath(directory, 'results'),
      })
    } finally {
      await archive.close()
    }
  } finally {
    await files.remove(directory)
  }
}

/** What is built and served. */
type LaboratoryService = Omit<LaboratoryScans, 'progress' | 'latest' | 'archive'> & {
  readonly port: number
  readonly archive: ExitArchive
  readonly alerts: ServedAlerts
  readonly satellite: SatelliteStore
  /** Where the laboratory of open resolvers stands. */
  readonly resolversDirectory: string
  /** Where the laboratory of watched names stands. */
  readonly namesDirectory: string
  /** Where what is learned of names is kept. */
  readonly dataDirectory: string
}

async function serveLaboratory(
  context: CliContext,
  { port, alerts, satellite, ...parts }: LaboratoryService,
): Promise<void> {
  const { files, clock, log } = context
  const { resultsDirectory, archive } = parts
  const progress = createRunProgress(clock)
  progress.phase('building_laboratory', 'Looking for what the laboratory is made of.')
  const latest = createLatestRun(progress)
  const place = { directory: parts.namesDirectory, dataDirectory: parts.dataDirectory, seed: parts.seed }
  const watches = createStartedWatches(context, place, () => alerts.stores.outbox)
  const app = createWebApp({
    runs: latest,
    published: openPublishedDirectory(files, resultsDirectory),
    detectors: openFileDocuments(files, joinPath(context.home, 'docs/detectors'), ['.md']),
    clock,
    log,
    isLaboratory: true,
    hosts: () => [],
    version: context.version,
    streamsMax: STREAMS_MAX,
    archive,
    satellite,
    monitor: watches.monitor,
    domains: watches.domains,
    ...alerts.stores,
  })
  await using server = await serveHttp((request, sender) => app.fetch(request, sender), {
    address: '127.0.0.1',
    port,
    portsTried: PORTS_TRIED,
    command: 'candor start',
  })
  if (port !== 0 && server.port !== port) {
    await context.say(`port ${port} is in use, so the page has another one; to choose: candor start --port NUMBER`)
  }
  await context.stdout.write(`${server.url}\n`)
  await context.say('Ctrl-C ends everything')
  try {
    const append = async (report: ExitReport): Promise<void> => {
      await archive.append(report)
      await alerts.processRun(report)
    }
    const resolvers = { directory: parts.resolversDirectory, seed: parts.seed, store: satellite }
    await Promise.all([
      scanLaboratory(context, { ...parts, progress, latest, archive: { append } }),
      measureStartedSatellite(context, resolvers),
      watches.run(),
    ])
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    // The page says it as well, and stays as long as somebody wants to read it.
    context.finish(STATUS_FAILED)
    await context.say(error.message)
    await untilAborted(context.interrupted)
  }
}

/** Nobody is told; two scans with the same failure are enough to see what an incident looks like. */
function laboratoryAlerts(): AlertSettings {
  const [loaded = new Map()] = loadConfig({ file: null, environment: {}, flags: new Map() }, [ALERT_SETTING_GROUP])
  return { ...collectSettings<AlertSettings>(ALERT_SETTINGS, loaded), rule: 'two_in_a_row' }
}

/** @throws {ConfigError} When it is no number, or out of range. */
function readNumber(limit: Limit, text: string | undefined, option: string): number {
  return checkLimit(limit, text === undefined ? limit.default : /^\d+$/.test(text) ? Number(text) : Number.NaN, option)
}
