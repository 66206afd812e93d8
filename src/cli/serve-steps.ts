/** What the daemon does about a run after it, from the report that the run wrote; and the runs that somebody else made. */
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { formatIsoTime } from '../core/clock.ts'
import { joinPath } from '../core/files.ts'
import type { DaemonState } from '../daemon/daemon-state.ts'
import type { RunStep } from '../daemon/step-queue.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { parseReportMoment } from '../publish/manifest.ts'
import type { CliContext } from './cli-context.ts'
import type { ServedAlerts } from './serve-alerts.ts'
import type { ServedPublication } from './serve-publication.ts'

/** Steps read whole runs; parts of one are put together by `candor exits merge`. */
const WHOLE = { index: 0, count: 1 }
const STEP_ARCHIVE = 'archive'

/** Where the steps find and leave things. */
export interface StepPlace {
  readonly analysisDir: string
  readonly archive: ExitArchive
  readonly alerts: Pick<ServedAlerts, 'processRun'>
  readonly publication: Pick<ServedPublication, 'sync'>
}

/** The steps, in their order. */
export function createRunSteps(
  context: CliContext,
  { analysisDir, archive, alerts, publication }: StepPlace,
): readonly RunStep[] {
  /** A report that retention has taken meanwhile leaves nothing to be done. */
  const withReport = async (runId: string, act: (report: ExitReport) => Promise<void>): Promise<void> => {
    const path = joinPath(analysisDir, nameArtefacts('dnshealth', runId, WHOLE).data)
    if ((await context.files.info(path)) === undefined) {
      context.log.warn('daemon.report.gone', { run_id: runId, path })
      return
    }
    await act((await readExitReport(context.files, path)).report)
  }
  return [
    {
      name: STEP_ARCHIVE,
      run: (runId) => withReport(runId, (report) => archive.append(report)),
    },
    {
      name: 'incidents',
      run: (runId) => withReport(runId, (report) => alerts.processRun(report)),
    },
    {
      name: 'publication',
      run: (_runId, signal) => publication.sync(signal),
    },
  ]
}

/**
 * Notes reports that the archive does not know: of runs that were made while no daemon ran. They are kept; only those newer
 * than everything that was kept are also judged and told, as if the daemon had made them.
 */
export async function adoptReports(
  { files, clock, log }: CliContext,
  { analysisDir, archive }: Pick<StepPlace, 'analysisDir' | 'archive'>,
  state: DaemonState,
  steps: readonly RunStep[],
): Promise<void> {
  const [newest] = await archive.runs(null, 1)
  const at = formatIsoTime(clock.wallNowMs())
  for (const name of await files.list(analysisDir)) {
    const runId = parseReportMoment(name)
    if (runId === undefined || (await archive.run(runId)) !== undefined) continue
    const isNews = newest !== undefined && runId > newest.runId
    const adopted = isNews ? steps.map((step) => step.name) : [STEP_ARCHIVE]
    if (state.adoptRun(runId, at, adopted)) log.info('daemon.report.adopted', { run_id: runId, steps: adopted })
  }
}
