/**
 * Reports that the daemon did not make: of runs that a command made while no daemon ran, and of the time before the archive.
 *
 * Invariant: a report that is older than something in the archive is kept, and nobody is told about it.
 */
import { formatIsoTime } from '../core/clock.ts'
import { joinPath, type Files } from '../core/files.ts'
import type { Chore } from '../daemon/chore.ts'
import type { DaemonState } from '../daemon/daemon-state.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import { parseReportMoment } from '../publish/manifest.ts'
import type { ExitArchiveStore } from '../store/exit-archive.node.ts'
import type { CliContext } from './cli-context.ts'
import { importReports } from './import-reports.ts'

/** Where reports are, and where they go. */
export interface AdoptionPlace {
  readonly analysisDir: string
  readonly archive: ExitArchiveStore
}

/** Notes reports that are newer than everything in the archive, to be kept, judged and published as if they were ours. */
export async function adoptNewReports(
  { files, clock, log }: CliContext,
  { analysisDir, archive }: AdoptionPlace,
  state: DaemonState,
  steps: readonly { readonly name: string }[],
): Promise<void> {
  const [newest] = await archive.runs(null, 1)
  if (newest === undefined) return
  const at = formatIsoTime(clock.wallNowMs())
  const names = steps.map(({ name }) => name)
  for (const name of await files.list(analysisDir)) {
    const runId = parseReportMoment(name)
    if (runId === undefined || runId <= newest.runId) continue
    if (state.adoptRun(runId, at, names)) log.info('daemon.report.adopted', { run_id: runId })
  }
}

/**
 * Takes older reports into the archive: all there is, monthly archives included, into an empty one; else the files that it
 * does not know. What a run has left that is not finished is not yet a report.
 */
export function createImportChore(
  { files, clock, log }: CliContext,
  place: AdoptionPlace,
  state: DaemonState,
  policy: () => RetentionPolicy,
): Chore {
  return {
    name: 'import',
    run: async (signal) => {
      const unfinished = state.unfinishedRuns('exits').map(({ runId }) => runId)
      const paths = await listUnknown(files, place, unfinished)
      const task = { files, archive: place.archive, policy: policy(), nowMs: clock.wallNowMs(), signal }
      const { kept, refused } = await importReports(task, paths)
      if (kept + refused > 0) log.info('daemon.reports.imported', { kept, refused })
    },
  }
}

/** Paths, earliest report first: counters of failures build on what came before. */
async function listUnknown(
  files: Files,
  { analysisDir, archive }: AdoptionPlace,
  unfinished: readonly string[],
): Promise<readonly string[]> {
  const [newest] = await archive.runs(null, 1)
  const found: { readonly order: string; readonly path: string }[] = []
  for (const name of await files.list(analysisDir)) {
    const published = parsePublishedName(name)
    const runId = published?.form === 'data' ? published.moment : undefined
    if (runId === undefined || runId === null || unfinished.includes(runId)) continue
    const isOlder = newest === undefined || runId < newest.runId
    if (isOlder && !(await archive.has(runId, '0/1'))) found.push({ order: runId, path: joinPath(analysisDir, name) })
  }
  for (const name of newest === undefined ? await files.list(joinPath(analysisDir, 'archives')) : []) {
    const published = parsePublishedName(`archives/${name}`)
    if (published?.form !== 'archive') continue
    found.push({ order: published.month?.replace('-', '') ?? '', path: joinPath(analysisDir, 'archives', name) })
  }
  return found.toSorted((a, b) => (a.order < b.order ? -1 : 1)).map(({ path }) => path)
}
