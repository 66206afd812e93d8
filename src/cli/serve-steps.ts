/** What the daemon does about a run after it, from the report that the run wrote. */
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { buildExitReport } from '../campaigns/exits/exit-report.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { joinPath } from '../core/files.ts'
import type { RunStep } from '../daemon/step-queue.ts'
import type { ExitReport } from '../model/exit-result.ts'
import type { CliContext } from './cli-context.ts'
import type { ServedAlerts } from './serve-alerts.ts'
import type { ServedArchive } from './serve-archive.ts'
import type { ServedPublication } from './serve-publication.ts'

/** Steps read whole runs; parts of one are put together by `candor exits merge`. */
const WHOLE = { index: 0, count: 1 }

/** Where the steps find and leave things. */
export interface StepPlace {
  readonly analysisDir: string
  readonly archive: ServedArchive
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
      name: 'archive',
      run: async (runId) => {
        // A run that the daemon made kept itself; what others made is read from its report.
        const isKept = await archive.store.has(runId, `${WHOLE.index}/${WHOLE.count}`)
        if (!isKept) await withReport(runId, (report) => archive.store.append(report))
        await archive.measure()
      },
    },
    {
      name: 'incidents',
      run: async (runId) => {
        // The archive has all that is judged, and reading a report of 16 MB again would hold up pages.
        const run = await archive.store.run(runId)
        const results = await archive.store.results(runId)
        if (run === undefined || results === undefined) await withReport(runId, (report) => alerts.processRun(report))
        else await alerts.processRun(buildExitReport(results, run.metadata))
      },
    },
    {
      name: 'publication',
      run: (_runId, signal) => publication.sync(signal),
    },
  ]
}
