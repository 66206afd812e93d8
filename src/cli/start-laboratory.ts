/**
 * What `candor start` does behind the page: waits for Tor, builds the laboratory, scans it, rests, scans it again.
 *
 * Invariant: the scan is given the settings that anybody would get for this laboratory; the truth goes to the page only.
 */
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { createRunProgress, type RunProgress } from '../campaigns/exits/run-progress.ts'
import { loadConfig } from '../config/load-config.ts'
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import { laboratoryAddressPlan } from '../lab/lab-address-plan.ts'
import { laboratoryEnvironment } from '../lab/laboratory-description.ts'
import { startLaboratory, type Laboratory } from '../lab/laboratory.ts'
import type { TorNetworkProgress } from '../lab/tor-network-options.ts'
import { summarizeRun } from '../api/run-summary.ts'
import { formatRunSentence, formatTruthSentence } from '../web/verdict-sentence.ts'
import type { CliContext } from './cli-context.ts'
import { EXIT_RUN_GROUPS, finishExitRun } from './exit-run-options.ts'
import { runExitScan } from './exits-scan.ts'
import type { LatestRun } from '../daemon/latest-run.ts'
import { startProgress } from './progress.ts'

/** From the end of one scan to the start of the next. */
const REST_MS = 300_000
/** How often it is looked whether somebody has installed Tor meanwhile. */
const LOOK_FOR_TOR_MS = 3_000
const AUTHORITIES = 3
/** A small laboratory needs one first hop that is no exit; a larger one shares the load. */
const MIDDLES_FEW = 1
const MIDDLES_MANY = 3
const EXITS_FEW = 8

/** What is built and where it is shown. */
export interface LaboratoryScans {
  /** Of the building and the first scan. */
  readonly progress: RunProgress
  /** Where later scans appear. */
  readonly latest: LatestRun
  /** Keeps every scan that ended. */
  readonly archive: Pick<ExitArchive, 'append'>
  readonly exits: number
  readonly scansMax: number
  readonly seed: string
  readonly laboratoryDirectory: string
  readonly resultsDirectory: string
}

/**
 * Builds and scans until interrupted.
 *
 * @throws {RunError} When the laboratory does not come up; the page says so already.
 */
export async function scanLaboratory(context: CliContext, scans: LaboratoryScans): Promise<void> {
  const { interrupted, clock } = context
  let { progress } = scans
  await waitForTor(context, progress)
  if (interrupted.aborted) return
  await using laboratory = await showing(context, progress, () => build(context, scans))
  if (laboratory === undefined) return
  for (let scan = 1; !interrupted.aborted; scan++) {
    const current = progress
    current.truth(laboratory.truth)
    await showing(context, current, () => runScan(context, scans, laboratory, current))
    if (interrupted.aborted) return
    await keepReport(context, scans, current)
    await sayResult(context, current)
    const isLast = scan >= scans.scansMax
    const { phase, message } = current.view()
    const ending = phase === 'failed' ? message : 'The report is written.'
    const next = isLast ? 'That was the last scan; the page stays.' : 'The next scan starts in 5 minutes.'
    current.phase(phase, `${ending} ${next}`)
    if (isLast) await untilAborted(interrupted)
    else await sleep(clock, REST_MS, interrupted)
    if (interrupted.aborted) return
    progress = createRunProgress(clock)
    scans.latest.follow(progress)
  }
}

/** Shows what happens on the terminal while `work` goes on. */
async function showing<T>(context: CliContext, progress: RunProgress, work: () => Promise<T>): Promise<T> {
  const shown = startProgress(progress, context, null)
  try {
    return await work()
  } finally {
    await shown.stop()
  }
}

/** Puts the report into the archive, from which the pages show it from then on. */
async function keepReport({ files }: CliContext, scans: LaboratoryScans, progress: RunProgress): Promise<void> {
  const { runId, phase } = progress.view()
  if (runId === null || phase !== 'done') return
  const { data } = nameArtefacts('dnshealth', runId, { index: 0, count: 1 })
  const { report } = await readExitReport(files, joinPath(scans.resultsDirectory, data))
  await scans.archive.append(report)
}

async function sayResult(context: CliContext, progress: RunProgress): Promise<void> {
  const view = progress.view()
  if (view.phase === 'failed') return
  const summary = summarizeRun(view)
  await context.say([formatRunSentence(view, summary), formatTruthSentence(summary) ?? ''].join(' ').trim())
}

/** The page says what is missing, and goes on by itself when it is there. */
async function waitForTor({ processes, clock, interrupted }: CliContext, progress: RunProgress): Promise<void> {
  while (!interrupted.aborted && (await processes.which('tor')) === undefined) {
    progress.phase(
      'failed',
      'Tor is not installed, and the laboratory is made of it. Install it with: sudo apt-get install tor. ' +
        'This page goes on by itself as soon as it is there.',
    )
    await sleep(clock, LOOK_FOR_TOR_MS, interrupted)
  }
}

/** @returns `undefined` when a person interrupted it. @throws {RunError} When it does not come up. */
async function build(context: CliContext, scans: LaboratoryScans): Promise<Laboratory | undefined> {
  const { clock, net, files, processes, log, interrupted } = context
  const { progress, exits, seed } = scans
  progress.phase('building_laboratory', `Making keys for ${AUTHORITIES} directory authorities and ${exits} exits.`)
  try {
    return await startLaboratory(
      { clock, net, files, processes, log },
      {
        size: { authorities: AUTHORITIES, middles: exits > EXITS_FEW ? MIDDLES_MANY : MIDDLES_FEW, exits },
        seed,
        directory: scans.laboratoryDirectory,
        onProgress: (step) => {
          progress.phase('building_laboratory', formatBuilding(step))
          // Between starting one relay and the next an interruption would leave some unowned; it waits a few seconds.
          if (step.step !== 'relays') interrupted.throwIfAborted()
        },
      },
    )
  } catch (error) {
    if (interrupted.aborted) return undefined
    if (error instanceof RunError) progress.phase('failed', formatFailure(error))
    throw error
  }
}

async function runScan(
  context: CliContext,
  scans: LaboratoryScans,
  laboratory: Laboratory,
  progress: RunProgress,
): Promise<void> {
  const environment = {
    ...laboratoryEnvironment(laboratory.describe()),
    CANDOR_EXITS_ANALYSIS_DIR: scans.resultsDirectory,
  }
  const groups = loadConfig({ file: null, environment, flags: new Map() }, EXIT_RUN_GROUPS)
  const loaded = new Map(EXIT_RUN_GROUPS.map(({ table }, index) => [table, groups[index] ?? new Map()]))
  try {
    const { options, extras } = await finishExitRun(loaded, [], context)
    await runExitScan({ ...context, addressPlan: laboratoryAddressPlan }, { options, extras, modules: [], progress })
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    progress.phase('failed', formatFailure(error))
  }
}

function formatBuilding({ step, done, total }: TorNetworkProgress): string {
  switch (step) {
    case 'keys':
      return `Making keys: ${done} of ${total} relays.`
    case 'relays':
      return `Starting Tor relays: ${done} of ${total}.`
    case 'consensus':
      return `Waiting until the directory authorities agree on the network: ${done} of ${total} relays are listed.`
    default:
      return 'Building the laboratory.'
  }
}

function formatFailure({ message, hint }: RunError): string {
  return hint === '' ? `${message}.` : `${message}. ${hint}`
}

/** Waits for the interruption. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
  })
}
