/**
 * The stage `fetch`: what stands at the addresses of anomalies, and at those of the control for the same names.
 *
 * **Invariant**: without consent nothing is fetched, and the stage says so.
 */
import { formatGoTime } from '../campaigns/satellite/go-time.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import type { SatelliteFetch, SatellitePage } from '../model/satellite-evidence.ts'
import type { JsonFields } from '../model/satellite-row.ts'
import { listTestAnswers } from '../verdicts/satellite-test-answers.ts'
import type { StageOutcome } from './satellite-run-directory.ts'
import { readStageRows, type SatelliteRun } from './satellite-run-context.ts'
import { fetchWanted, keyOf, readPages, type WantedPage } from './satellite-run-pages.ts'
import { writeFetches } from './satellite-run-tag.ts'
import { withStageTree } from './satellite-tree.ts'

/** Fetches. @throws {RunError | FileError} */
export async function runFetchStage(run: SatelliteRun): Promise<StageOutcome> {
  const { directory, context } = run
  if (!directory.plan.may_fetch) {
    return { counts: {}, failures: {}, skipped: 'no consent: --i-have-permission-to-fetch was not given' }
  }
  const { anomalies, control } = await listWanted(run)
  const outcome = await fetchWanted(run, [...anomalies.values(), ...control.values()])
  const counts = await withStageTree(context.files, directory.path, async (tree) => {
    const { format } = directory.plan
    const paths = { pages: formatScanPath('pages', format), control: formatScanPath('control_pages', format) }
    await tree.touch(paths.pages)
    await tree.touch(paths.control)
    for await (const page of readPages(run)) {
      if (anomalies.has(keyOf(page))) await tree.write(paths.pages, writeBlockpage(page))
      if (control.has(keyOf(page))) await tree.write(paths.control, writeBlockpage(page))
    }
    const written = { pages: tree.counts().get(paths.pages) ?? 0, control_pages: tree.counts().get(paths.control) ?? 0 }
    await writeFetches(run, tree)
    return written
  })
  return { counts: { ...counts, ...outcome }, failures: {} }
}

async function listWanted(
  run: SatelliteRun,
): Promise<{ readonly anomalies: ReadonlyMap<string, WantedPage>; readonly control: ReadonlyMap<string, WantedPage> }> {
  const anomalies = new Map<string, WantedPage>()
  const domains = new Set<string>()
  for await (const row of readStageRows(run, 'result', 'detect')) {
    if (row.anomaly !== true) continue
    for (const { address } of listTestAnswers(row)) {
      domains.add(row.domain)
      anomalies.set(keyOf({ address, domain: row.domain }), { address, domain: row.domain })
    }
  }
  const control = new Map<string, WantedPage>()
  for await (const row of readStageRows(run, 'control_response', 'query')) {
    if (!domains.has(row.domain)) continue
    for (const { address } of listTestAnswers(row))
      control.set(keyOf({ address, domain: row.domain }), { address, domain: row.domain })
  }
  return { anomalies, control }
}

/** As published: a page as an object, a failure as a text. */
function writeBlockpage({ address, domain, http, https, startedAtMs, endedAtMs }: SatelliteFetch): JsonFields {
  return {
    ip: address,
    keyword: domain,
    http: writePage(http),
    https: writePage(https),
    fetched: [http, https].some((page) => page !== null && !('error' in page)),
    start_time: formatGoTime(startedAtMs),
    end_time: formatGoTime(endedAtMs),
  }
}

function writePage(page: SatellitePage | null): JsonFields | string {
  if (page === null) return 'not asked'
  if ('error' in page) return page.error
  return { status_line: page.statusLine, headers: page.headers, body: page.body }
}
