/**
 * An exits run as a whole, put together from the rooms: lock, journal, Tor, scan, modules, history, files.
 *
 * `candor exits run` and `candor start` both call this; they differ in where progress goes and whose Tor network it is.
 *
 * Invariant: the report is written before the journal says `end`; killed in between, the next `--resume` writes it again.
 */
import { formatIsoTime, parseTime } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError, joinPath } from '../core/files.ts'
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { startAuthorityFeed, type AuthorityFeed } from '../campaigns/exits/authority-feed.ts'
import { createAuthorityJoin } from '../campaigns/exits/authority-join.ts'
import { openAuthorityLogReader, type AuthorityLogReader } from '../campaigns/exits/authority-log.ts'
import { formatExitReport } from '../campaigns/exits/exit-report.ts'
import { checkResumable, journalFileName, readPriorRun, type PriorRun } from '../campaigns/exits/exits-journal.ts'
import { finishRun } from '../campaigns/exits/finish-run.ts'
import { formatMarkdownReport } from '../campaigns/exits/markdown-report.ts'
import type { AddressFacts } from '../campaigns/exits/make-result.ts'
import { runExits, runHeaderEntry } from '../campaigns/exits/run-exits.ts'
import type { RunProgress } from '../campaigns/exits/run-progress.ts'
import type { RunDependencies, RunOutcome, RunSetup } from '../campaigns/exits/run-setup.ts'
import { setUpRun } from '../campaigns/exits/set-up-run.ts'
import { superviseTor, type TorSupervisor } from '../campaigns/exits/tor-supervisor.ts'
import type { ExitModule } from '../campaigns/exits/exit-module.ts'
import type { ExitRunExtras } from '../config/exit-run-extras.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitHistory } from '../model/exit-history.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import type { ExitReport } from '../model/exit-result.ts'
import type { Journal } from '../model/journal.ts'
import { publishArtefacts } from '../publish/publish-artefacts.ts'
import { openExitArchive } from '../store/exit-archive.node.ts'
import { openJournal, readJournal, type JournalContent } from '../store/journal.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import { describeAddress } from './address-facts.ts'
import { ARCHIVE_FILE } from './archive-file.ts'
import type { CliContext } from './cli-context.ts'
import { createReportHistory } from '../campaigns/exits/report-history.ts'
import { openTorFor } from './exits-tor.ts'
import { runModules, setUpModules, type ModuleReport } from './exits-run-modules.ts'

const DIRECTORY_MODE = 0o755
const STATE_MODE = 0o700
/** How far the clocks of scanner and authority may be apart, in milliseconds. */
const CLOCK_SKEW_MS = 5_000

/** What to run. */
export interface ExitScan {
  readonly options: ExitRunOptions
  readonly extras: ExitRunExtras
  /** Modules beside `dnshealth`, loaded. */
  readonly modules: readonly ExitModule[]
  readonly progress: RunProgress
  /** Whether the caller holds the lock of the data directory already, as the daemon does. */
  readonly isLocked?: boolean
  /** The archive of the data directory, where the caller has it open. */
  readonly archive?: ExitArchive
}

/** What a run left. */
export interface ExitScanOutcome {
  /** `undefined` when `dnshealth` was not asked for. */
  readonly report: ExitReport | undefined
  readonly moduleReports: readonly ModuleReport[]
  /** Paths of the files that were written. */
  readonly written: readonly string[]
  /** Whether a person ended the run before its end. */
  readonly interrupted: boolean
}

/**
 * Runs the campaign.
 *
 * @throws {ConfigError} When the options do not fit the consensus or the earlier run.
 * @throws {RunError} When the directory is busy, Tor does not come up or the zone fails its pre-flight.
 */
export async function runExitScan(context: CliContext, scan: ExitScan): Promise<ExitScanOutcome> {
  const { files } = context
  const given = scan.options
  await files.makeDirectory(given.analysisDir, DIRECTORY_MODE)
  const stateDir = given.dataDir ?? joinPath(given.analysisDir, '.candor')
  await files.makeDirectory(stateDir, STATE_MODE)
  await using lock = scan.isLocked === true ? undefined : await acquireRunLock(stateDir, 'candor exits run')
  void lock
  const { options, prior, journal } = await openRunJournal(context, given)
  try {
    const isOpenedHere = options.dataDir !== null && scan.archive === undefined
    const opened = isOpenedHere ? await openExitArchive(joinPath(stateDir, ARCHIVE_FILE)) : undefined
    const archive = scan.archive ?? opened
    try {
      const history = archive ?? createReportHistory(files, options.analysisDir, context.log)
      return await runWithTor(context, { ...scan, options }, { prior, journal, history, archive, stateDir })
    } finally {
      await opened?.close()
    }
  } finally {
    await journal.close()
  }
}

interface OpenState {
  readonly prior: PriorRun | undefined
  readonly journal: Journal
  readonly history: ExitHistory
  /** Keeps the run; `undefined` without a data directory. */
  readonly archive: ExitArchive | undefined
  readonly stateDir: string
}

async function runWithTor(context: CliContext, scan: ExitScan, state: OpenState): Promise<ExitScanOutcome> {
  const { options, extras, progress } = scan
  const { clock, net, log } = context
  const random = context.createRandom(options.seed)
  progress.phase('starting_tor', 'Starting Tor and waiting for its consensus')
  const open = openTorFor(context, options, extras, state.stateDir, progress)
  await using supervisor = await superviseTor(open, { net, clock, random, log })
  const factsOf = (address: string): AddressFacts => describeAddress(context.addressPlan, address)
  const feed = await openFeed(context, options, state.prior, factsOf)
  const dependencies: RunDependencies = {
    clock,
    random,
    log,
    net,
    options,
    journal: state.journal,
    prior: state.prior,
    factsOf,
    progress,
    interrupted: context.interrupted,
    endsAtMs: clock.nowMs() + options.deadlineMs,
    say: (line) => context.say(line),
    onIssued: (name) => {
      feed?.join.issue(name)
    },
  }
  const setup = await setUpRun(dependencies, supervisor)
  await using modules = await setUpModules(context, scan.modules, { dependencies, setup })
  void modules
  if (!options.modules.includes('dnshealth')) await beginModuleRun(dependencies, setup)
  const outcome = options.modules.includes('dnshealth') ? await runExits(dependencies, setup) : undefined
  const reported =
    outcome === undefined
      ? undefined
      : await report(context, scan, state, { supervisor, dependencies, setup, outcome, feed })
  const moduleReports = await runModules(context, scan.modules, { dependencies, setup, prior: state.prior })
  const written = [...(reported?.written ?? []), ...moduleReports.flatMap((module) => module.written)]
  const stops = [outcome?.stopReason, ...moduleReports.map(({ stopped }) => stopped)]
  const interrupted = stops.includes('interrupted')
  if (!interrupted) await state.journal.append({ kind: 'end', at: formatIsoTime(clock.wallNowMs()) })
  progress.phase('done', 'Done')
  return { report: reported?.report, moduleReports, written, interrupted }
}

/** Modules alone have no pre-flight that chooses a mode; what they are asked for by a resumed run must agree as well. */
async function beginModuleRun({ options, journal, clock, prior }: RunDependencies, setup: RunSetup): Promise<void> {
  const at = formatIsoTime(clock.wallNowMs())
  const mode = options.mode === 'auto' ? 'wildcard' : options.mode
  const domain = mode === 'nxdomain' ? options.nxdomainDomain : options.domain
  const header = runHeaderEntry(options, setup, { mode, domain }, at)
  await journal.append(prior === undefined ? header : { kind: 'resumed', at })
}

interface FinishedScan {
  readonly supervisor: TorSupervisor
  readonly dependencies: RunDependencies
  readonly setup: RunSetup
  readonly outcome: RunOutcome
  readonly feed: OpenFeed | undefined
}

async function report(
  context: CliContext,
  scan: ExitScan,
  { history, archive }: OpenState,
  { supervisor, dependencies, setup, outcome, feed }: FinishedScan,
): Promise<{ readonly report: ExitReport; readonly written: readonly string[] }> {
  const { options, progress } = scan
  progress.phase('writing', 'Joining the authoritative log and writing the report')
  await feed?.finish()
  await feed?.reader.close()
  const made = await finishRun(dependencies, setup, outcome, {
    history,
    join: feed?.join,
    torVersion: supervisor.current().session.version,
    torRestarts: supervisor.restarts(),
  })
  progress.end(made.metadata, made.results)
  const names = nameArtefacts('dnshealth', options.runId, options.selection.shard)
  const written = await publishArtefacts(context.files, options.analysisDir, {
    data: { name: names.data, content: formatExitReport(made) },
    report: { name: names.report, content: formatMarkdownReport(made, { previous: null }) },
    isLatest: made.metadata.invalid === null && options.selection.shard.count === 1 && !made.metadata.interrupted,
  })
  const perRelay = options.perRelayFiles ? await writePerRelay(context, options.analysisDir, made) : []
  await keep(context, scan, archive, made)
  return { report: made, written: [...written, ...perRelay] }
}

/** Puts the run into the archive. Where the caller has it open, a failure is no failure of the run: the report is there. */
async function keep(
  { log }: CliContext,
  scan: ExitScan,
  archive: ExitArchive | undefined,
  made: ExitReport,
): Promise<void> {
  try {
    await archive?.append(made)
  } catch (error) {
    if (scan.archive === undefined || !(error instanceof RunError)) throw error
    log.warn('exits.archive.failed', { run_id: made.metadata.run_id, reason: error.message })
  }
}

async function writePerRelay(context: CliContext, directory: string, made: ExitReport): Promise<readonly string[]> {
  const written: string[] = []
  for (const result of made.results) {
    const path = joinPath(directory, `result_${result.exit_fingerprint}.json`)
    await context.files.writeAtomic(path, `${JSON.stringify(result, null, 2)}\n`, 0o644)
    written.push(path)
  }
  return written
}

/** Opens the journal of a new run, or of the one that is resumed. */
async function openRunJournal(
  context: CliContext,
  given: ExitRunOptions,
): Promise<{ readonly options: ExitRunOptions; readonly prior: PriorRun | undefined; readonly journal: Journal }> {
  const { files } = context
  const { analysisDir, selection } = given
  if (!given.resume) {
    const path = joinPath(analysisDir, journalFileName(given.runId, selection.shard))
    if ((await files.info(path)) !== undefined) {
      throw new ConfigError(
        '--run-id',
        `run ${given.runId} exists already in ${analysisDir}`,
        `--resume --run-id ${given.runId} continues it; without --run-id a new id is made`,
      )
    }
    return { options: given, prior: undefined, journal: await openJournal(files, path, 0) }
  }
  const path = await findJournal(context, given)
  const content = await readJournal(files, path)
  const prior = readPriorRun(content.entries)
  await checkPrior(context, given, path, content, prior)
  const journal = await openJournal(files, path, content.validOctets)
  if (prior === undefined) return { options: { ...given, runId: runIdOf(path) }, prior, journal }
  const options = { ...given, runId: prior.header.runId, seed: prior.header.seed }
  checkResumable(prior.header, options)
  return { options, prior, journal }
}

/** Says what of the journal was lost. @throws {ConfigError} When the newest run has nothing left to do. */
async function checkPrior(
  context: CliContext,
  given: ExitRunOptions,
  path: string,
  { malformedLines }: JournalContent,
  prior: PriorRun | undefined,
): Promise<void> {
  const lost = malformedLines.length + (prior?.unreadable ?? 0)
  if (lost > 0) {
    await context.say(`warning: ${path}: ${lost} damaged entries are passed over; what they said is asked again`)
  }
  const isNamed = prior === undefined || prior.header.runId === given.runId
  const wantsMore = given.moduleFiles.length > 0 || given.modules.some((module) => module !== 'dnshealth')
  if (isNamed || wantsMore || !prior.complete) return
  const { runId } = prior.header
  throw new ConfigError(
    '--resume',
    `run ${runId}, the newest in ${given.analysisDir}, has finished`,
    `leave out --resume to start a run; --resume --run-id ${runId} makes its report again`,
  )
}

/** Length of `journal_` and the 14 digits after it. */
const JOURNAL_ID_END = 22

/** The journal to resume: that of `--run-id`, else the newest of this shard. */
async function findJournal({ files }: CliContext, { analysisDir, runId, selection }: ExitRunOptions): Promise<string> {
  const exact = joinPath(analysisDir, journalFileName(runId, selection.shard))
  if ((await files.info(exact)) !== undefined) return exact
  const suffix = journalFileName('', selection.shard).replace('journal_', '')
  const names = await files.list(analysisDir)
  const ofShard = names.filter((name) => /^journal_\d{14}/.test(name) && name.slice(JOURNAL_ID_END) === suffix)
  const paths = ofShard.toReversed().map((name) => joinPath(analysisDir, name))
  // One that is empty belongs to a run that ended before it began.
  for (const path of paths) if (((await files.info(path))?.sizeOctets ?? 0) > 0) return path
  if (paths[0] !== undefined) return paths[0]
  throw new ConfigError(
    '--resume',
    `there is no run to resume in ${analysisDir}`,
    'leave out --resume to start a run, or name the directory of the interrupted one: --analysis-dir DIRECTORY',
  )
}

function runIdOf(path: string): string {
  return /journal_(\d{14})/.exec(path)?.[1] ?? ''
}

/** The authoritative log, being read. */
interface OpenFeed extends AuthorityFeed {
  readonly reader: AuthorityLogReader
}

async function openFeed(
  context: CliContext,
  options: ExitRunOptions,
  prior: PriorRun | undefined,
  factsOf: (address: string) => AddressFacts,
): Promise<OpenFeed | undefined> {
  if (options.authorityLog === null) return undefined
  const { clock, files, log } = context
  const window = { skewMs: CLOCK_SKEW_MS, queryTimeoutMs: options.pace.queryTimeoutMs }
  const join = createAuthorityJoin({ window, describe: factsOf })
  const startedAtMs = prior === undefined ? clock.wallNowMs() : parseTime(prior.header.startedAt)
  // The authority may be started later; a name that is misspelled looks the same.
  if ((await files.info(options.authorityLog)) === undefined)
    await context.say(`warning: --authority-log ${options.authorityLog} is not there yet; it is read as soon as it is`)
  try {
    const sinceMs = startedAtMs - CLOCK_SKEW_MS
    const reader = await openAuthorityLogReader({ files, path: options.authorityLog, sinceMs })
    for (const { name } of prior?.issued ?? []) join.issue(name)
    return { ...startAuthorityFeed(clock, log, reader, join), reader }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    throw new RunError(
      `the log of the authority cannot be read: ${error.message}`,
      '--authority-log FILE, the file that `candor authority --log FILE` writes',
      { cause: error },
    )
  }
}
