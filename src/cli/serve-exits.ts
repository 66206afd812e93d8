/** The campaign over exits as the daemon makes it: the same run as `candor exits run`, with a log of its own. */
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { journalFileName, readPriorRun } from '../campaigns/exits/exits-journal.ts'
import { joinPath } from '../core/files.ts'
import { createLog, type LogSink } from '../core/log.ts'
import type { CampaignWork, RunJob, RunReport } from '../daemon/campaign-work.ts'
import { openRunLog, removeOldRunLogs } from '../daemon/run-log.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { readJournal } from '../store/journal.ts'
import type { CliContext } from './cli-context.ts'
import { finishExitRun } from './exit-run-options.ts'
import { loadModules } from './exits-modules.ts'
import { runExitScan } from './exits-scan.ts'
import { withDirectResolver, withTables } from './exits-surroundings.ts'
import type { ServeConfig } from './serve-config.ts'
import { explainRunFailure } from './serve-run-failure.ts'

/** Where a daemon keeps what. */
export interface ServeDirectories {
  readonly dataDir: string
  readonly analysisDir: string
  readonly logDir: string
}

/** Makes the work of the campaign; a run keeps itself in `archive`. `config` gives the settings that are in force when a run begins. */
export function createExitsWork(
  context: CliContext,
  directories: ServeDirectories,
  archive: ExitArchive,
  config: () => ServeConfig,
): CampaignWork {
  const { files, clock, log } = context
  const { analysisDir, logDir } = directories
  return {
    notConfigured: () => config().exitsNotConfigured,
    isTaken: async (runId) => (await files.list(analysisDir)).some((name) => name.startsWith(`journal_${runId}`)),
    run: async (job) => {
      const onFailure = (message: string): void => {
        log.error('daemon.run_log.failed', { run_id: job.runId, message })
      }
      const runLog = await openRunLog({ clock, files, onFailure }, logDir, job.runId)
      try {
        return await runLogged(withRunLog(context, job, runLog.sink), directories, { config: config(), archive }, job)
      } finally {
        await runLog.close()
        await removeOldRunLogs(files, logDir, config().serve.runLogs).catch((error: unknown) => {
          onFailure(error instanceof Error ? error.message : String(error))
        })
      }
    },
  }
}

/** What a run says goes to its own log; what it logs goes there and to the daemon's. */
export function withRunLog(
  context: CliContext,
  { runId, signal, request: { campaign } }: RunJob,
  sink: LogSink,
): CliContext {
  const daemonLog = context.log.child({ run_id: runId })
  const log = createLog((level, event, fields) => {
    sink(level, event, fields)
    daemonLog[level](event, fields)
  })
  const say = (line: string): Promise<void> => {
    sink('info', `${campaign}.run.said`, { line })
    return Promise.resolve()
  }
  return { ...context, log, say, interrupted: signal }
}

async function runLogged(
  context: CliContext,
  directories: ServeDirectories,
  { config, archive }: { readonly config: ServeConfig; readonly archive: ExitArchive },
  job: RunJob,
): Promise<RunReport> {
  try {
    const { options: given, extras, general } = await finishExitRun(config.groups, [], context)
    const options = await withDirectResolver(context, applyRequest(given, directories, job))
    const journal = job.isResumed ? await findJournal(context, options) : 'absent'
    if (journal === 'complete') return describeReport(await readReport(context, options), false)
    const outcome = await runExitScan(withTables(context, general), {
      options: { ...options, resume: journal === 'unfinished' },
      extras,
      modules: await loadModules(options.modules, options.moduleFiles),
      progress: job.progress,
      isLocked: true,
      archive,
    })
    return describeReport(outcome.report, outcome.interrupted)
  } catch (error) {
    return explainRunFailure(error, job, 'It ended before the first exit was asked.')
  }
}

function applyRequest(
  given: ExitRunOptions,
  { dataDir, analysisDir }: ServeDirectories,
  { runId, request: { fingerprints, countries } }: RunJob,
): ExitRunOptions {
  const selection = {
    ...given.selection,
    ...(fingerprints.length > 0 ? { fingerprints } : {}),
    ...(countries.length > 0 ? { countries } : {}),
  }
  return { ...given, runId, selection, dataDir, analysisDir }
}

/** `complete` only when the report is there too: killed before it was written, the run makes it again. */
async function findJournal(
  { files }: CliContext,
  { analysisDir, runId, selection: { shard } }: ExitRunOptions,
): Promise<'absent' | 'unfinished' | 'complete'> {
  const path = joinPath(analysisDir, journalFileName(runId, shard))
  if ((await files.info(path)) === undefined) return 'absent'
  const prior = readPriorRun((await readJournal(files, path)).entries)
  const report = joinPath(analysisDir, nameArtefacts('dnshealth', runId, shard).data)
  return prior?.complete === true && (await files.info(report)) !== undefined ? 'complete' : 'unfinished'
}

async function readReport({ files }: CliContext, options: ExitRunOptions): Promise<ExitReport> {
  const { data } = nameArtefacts('dnshealth', options.runId, options.selection.shard)
  return (await readExitReport(files, joinPath(options.analysisDir, data))).report
}

function describeReport(report: ExitReport | undefined, isInterrupted: boolean): RunReport {
  const hasReport = report !== undefined
  if (isInterrupted) return { kind: 'ended', outcome: 'interrupted', message: null, hasReport }
  const invalid = report?.metadata.invalid ?? null
  return { kind: 'ended', outcome: invalid === null ? 'complete' : 'invalid', message: invalid, hasReport }
}
