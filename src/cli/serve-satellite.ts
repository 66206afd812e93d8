/**
 * The campaign over open resolvers as the daemon makes it: the same run as `candor satellite run`, with a log of its own, and
 * the archive that pages and API read.
 *
 * **Invariant**: runs that somebody else put into the directory are shown as well; one import at a time.
 */
import type { SatelliteSettings } from '../config/satellite-settings.ts'
import { joinPath } from '../core/files.ts'
import type { CampaignWork, RunJob, RunReport } from '../daemon/campaign-work.ts'
import { openRunLog } from '../daemon/run-log.ts'
import type { RunStep } from '../daemon/step-queue.ts'
import type { SatelliteArchive } from '../model/satellite-archive.ts'
import { openSatelliteArchive } from '../store/satellite-archive.node.ts'
import type { CliContext } from './cli-context.ts'
import type { CliOutput } from './cli-output.ts'
import { STATUS_DONE, STATUS_INCOMPLETE, type CliStatus } from './exit-status.ts'
import { withTables } from './exits-surroundings.ts'
import { openRunDirectory } from './satellite-run-directory.ts'
import type { RunFlags } from './satellite-run-options.ts'
import { runStages } from './satellite-run-stages.ts'
import type { ServeConfig } from './serve-config.ts'
import { withRunLog, type ServeDirectories } from './serve-exits.ts'
import { explainRunFailure } from './serve-run-failure.ts'

/** The campaign, put together. */
export interface ServedSatellite extends Disposable {
  readonly work: CampaignWork
  /** What follows a run. */
  readonly steps: readonly RunStep[]
  readonly archive: SatelliteArchive
  /** Takes runs that were there before; returns at once. */
  begin(): void
}

/** What a run says of itself stands in its log. */
const NOWHERE: CliOutput = { isTerminal: false, columns: 80, write: () => Promise.resolve() }
const STAGES = ['probe', 'filter', 'query', 'tag', 'detect', 'fetch', 'verify'] as const

/** Opens the archive. Runs are in `satellite/` of the data directory. @throws {RunError} When it cannot be used. */
export async function openServedSatellite(
  context: CliContext,
  directories: ServeDirectories,
  config: () => ServeConfig,
): Promise<ServedSatellite> {
  const { files, clock, log } = context
  const parent = joinPath(directories.dataDir, 'satellite')
  const store = await openSatelliteArchive(directories.dataDir)
  let turn: Promise<void> = Promise.resolve()
  let isClosed = false
  const adopt = (): Promise<void> => {
    const done = turn.then(async () => {
      const taken = await store.adopt(parent, config().satellite.keptRuns)
      if (taken.length > 0) log.info('satellite.runs.taken', { runs: taken })
    })
    turn = done.catch(() => undefined)
    return done
  }
  return {
    archive: store,
    steps: [{ name: 'satellite', run: adopt }],
    begin: () => {
      adopt().catch((error: unknown) => {
        // What was cut off by the end of the daemon is taken by the next one.
        if (!isClosed)
          log.error('satellite.runs.not_taken', { error: error instanceof Error ? error.message : String(error) })
      })
    },
    work: {
      notConfigured: () => explainMissing(config().satellite),
      isTaken: async (runId) => (await files.info(joinPath(parent, directoryName(runId)))) !== undefined,
      run: async (job) => {
        const onFailure = (message: string): void => {
          log.error('daemon.run_log.failed', { run_id: job.runId, message })
        }
        const runLog = await openRunLog({ clock, files, onFailure }, directories.logDir, job.runId)
        try {
          return await runLogged(withRunLog(context, job, runLog.sink), parent, config(), job)
        } finally {
          await runLog.close()
        }
      },
    },
    [Symbol.dispose]: () => {
      isClosed = true
      store[Symbol.dispose]()
    },
  }
}

/** One sentence; `null` when a run can be made. */
function explainMissing({ addresses, ranges, zmapOutput, domains, probeName }: SatelliteSettings): string | null {
  if (domains === null) return 'No run over resolvers can be made: satellite.domains names no list of names.'
  if (addresses === null && ranges === null && zmapOutput === null)
    return 'No run over resolvers can be made: neither satellite.addresses, nor ranges, nor zmap_output says who is asked.'
  return probeName === null ? 'No run over resolvers can be made: satellite.probe_name is missing.' : null
}

async function runLogged(context: CliContext, parent: string, config: ServeConfig, job: RunJob): Promise<RunReport> {
  const ended: { status: CliStatus } = { status: STATUS_DONE }
  const own: CliContext = {
    ...withTables(context, config.general),
    stdout: NOWHERE,
    stderr: NOWHERE,
    finish: (given) => {
      ended.status = given
    },
    status: () => ended.status,
  }
  try {
    const flags = toFlags(config.satellite)
    await using directory = await openRunDirectory(own, joinPath(parent, directoryName(job.runId)), flags)
    const isWhole = await runStages(own, directory, {
      stages: STAGES,
      flags,
      isResumed: job.isResumed,
      isReplay: false,
    })
    if (!isWhole) return { kind: 'ended', outcome: 'interrupted', message: null, hasReport: false }
    const message =
      ended.status === STATUS_INCOMPLETE ? 'Something could not be asked or read; log.json says what.' : null
    return { kind: 'ended', outcome: 'complete', message, hasReport: true }
  } catch (error) {
    return explainRunFailure(error, job, 'It ended before anybody was asked.')
  }
}

/** Those of the settings that are given, under the names of the flags. */
function toFlags({ permissionToFetch, keptRuns: _kept, ...given }: SatelliteSettings): RunFlags {
  const texts = Object.entries(given).filter(([, value]) => value !== null)
  return { ...Object.fromEntries(texts), iHavePermissionToFetch: permissionToFetch, records: 'jsonl' }
}

/** `CP_Satellite-2026-01-31-12-00-00` for `20260131120000`. */
function directoryName(runId: string): string {
  return `CP_Satellite-${runId.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3-$4-$5-$6')}`
}
