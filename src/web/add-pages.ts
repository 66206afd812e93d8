/** The addresses of all pages, and what each of them reads. */
import { median } from 'd3-array'
import type { Context, Hono } from 'hono'
import type { OperationFacts } from '../api/operation.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { DaemonControl } from '../model/daemon-control.ts'
import { renderApiPage } from './api-page.ts'
import { readIncidentMarks } from './incident-marks.ts'
import { createPage } from './create-page.ts'
import { renderIncidentPage } from './incident-page.ts'
import { parseIncidentsView, renderIncidentsPage, type IncidentReader } from './incidents-page.ts'
import { renderSidecarPage } from './sidecar-page.ts'
import { renderSystemPage, type KeepingSource } from './system-page.ts'
import { parseExitQuery } from '../api/exit-query.ts'
import { PROBLEMS, type ProblemName } from '../api/problem.ts'
import { isRunning } from '../api/run-summary.ts'
import { formatIsoTime, parseTime, type Clock } from '../core/clock.ts'
import type { DocumentSource } from '../model/document-source.ts'
import type { DomainSource } from '../model/domain-view.ts'
import type { ExitArchive, ExitChanges } from '../model/exit-archive.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import type { RunViewSource } from '../model/run-view.ts'
import type { SatelliteArchive } from '../model/satellite-archive.ts'
import type { Sidecar } from '../model/sidecar.ts'
import { renderAbsentExitPage, renderExitPage, renderPendingExitPage, type ExitPageHistory } from './exit-page.ts'
import { renderExitsPage } from './exits-page.ts'
import { parseGroupKey, renderGroupsPage } from './groups-page.ts'
import { renderChangesPage } from './changes-page.ts'
import { renderHowIndex, renderHowPage } from './how-pages.ts'
import type { Html } from './html-value.ts'
import { renderProblemPage } from './message-page.ts'
import { renderOverview } from './overview-page.ts'
import { renderRunPage } from './run-page.ts'
import { createRunShelf, type RunShelf, type ShownRun } from './run-shelf.ts'
import { renderRunsPage } from './runs-page.ts'
import { formatSatelliteSentence } from './satellite-words.ts'
import { parseTrendDays, renderTrendPage } from './trend-page.ts'

const DAY_MS = 86_400_000
/** Runs in the strip of one exit: twelve days at four a day, and about what fits into a line. */
const STRIP_RUNS = 50
/** Open incidents that the overview names; the rest is a number. */
const OPEN_INCIDENTS_MAX = 500
/** Runs whose pauses are looked at. */
const PAUSE_RUNS = 9
const DELIVERIES_MAX = 50
/** Newest deliveries among which those of an incident are looked for. */
const DELIVERIES_SEARCHED_MAX = 2_000

/** What pages read from. */
export interface PageSources {
  readonly runs: RunViewSource
  readonly archive?: ExitArchive | undefined
  readonly published: DocumentSource
  readonly detectors: DocumentSource
  readonly clock: Clock
  readonly isLaboratory: boolean
  readonly version: string
  readonly control?: Pick<DaemonControl, 'status' | 'campaigns'> | undefined
  readonly incidents?: IncidentReader | undefined
  readonly outbox?: Pick<AlertOutbox, 'status' | 'list'> | undefined
  readonly keeping?: KeepingSource | undefined
  readonly sidecars?: readonly Sidecar[] | undefined
  readonly monitor?: MonitorSource | undefined
  readonly domains?: DomainSource | undefined
  readonly satellite?: SatelliteArchive | undefined
  /** What the API can be asked. */
  readonly operations: readonly OperationFacts[]
}

/** Adds the pages to `app`. */
export function addPages(app: Hono, sources: PageSources): void {
  const shelf = createRunShelf(sources.runs, sources.archive, sources.clock)
  app.get('/', async (context) => {
    const days = parseTrendDays(context.req.query('days') ?? null)
    return days === undefined ? refuse('days') : createPage(await overview(sources, shelf, days))
  })
  addExitPages(app, sources, shelf)
  addRunPages(app, sources, shelf)
  addIncidentPages(app, sources)
  app.get('/system', async () => createPage(await system(sources)))
  app.get('/sidecars/:name{[a-z0-9-]{1,32}}', async (context) => {
    const name = context.req.param('name')
    const found = sources.sidecars?.find((sidecar) => sidecar.status().name === name)
    if (found === undefined) return notFound('The daemon supervises no child process of this name.')
    return createPage(await renderSidecarPage(found, sources.clock.wallNowMs()))
  })
  app.get('/api', () => createPage(renderApiPage(sources.operations)))
  app.get('/how', async () => createPage(await renderHowIndex(sources.detectors)))
  app.get('/how/:slug{[a-z0-9-]{1,60}}', async (context) => {
    const page = await renderHowPage(sources.detectors, context.req.param('slug'))
    return page === undefined ? notFound('No verdict and no detector has this name.') : createPage(page)
  })
  app.get('/problems/:name', (context) => {
    const name = context.req.param('name')
    return isProblemName(name) ? createPage(renderProblemPage(name, '')) : notFound('')
  })
}

async function readNewestSatellite(archive: SatelliteArchive | undefined): Promise<string | undefined> {
  const run = await archive?.run(undefined)
  if (archive === undefined || run === undefined) return undefined
  return formatSatelliteSentence(run, (await archive.countries(run.runId)).length)
}

async function overview(sources: PageSources, shelf: RunShelf, days: number): Promise<Html> {
  const run = await shelf.open(undefined)
  const shown = run ?? (await openCurrent(shelf))
  const span = shelf.hasArchive ? await shelf.trend(days) : undefined
  return renderOverview({
    shelf,
    atHand: await openCurrent(shelf),
    run: shown,
    span,
    marks: await readIncidentMarks(sources.incidents, span),
    names: sources.monitor?.names() ?? [],
    domains: sources.domains?.summary(),
    satellite: await readNewestSatellite(sources.satellite),
    openIncidents: await sources.incidents?.list({ status: 'open', limit: OPEN_INCIDENTS_MAX }),
    changes: await readChanges(shelf, shown),
    usualPauseMs: await readUsualPause(shelf),
    nowMs: sources.clock.wallNowMs(),
    campaigns: sources.control?.campaigns(),
    isLaboratory: sources.isLaboratory,
  })
}

/** Against the day before; in a younger archive against the run before. */
async function readChanges(shelf: RunShelf, { isCurrent, runId }: ShownRun): Promise<ExitChanges | undefined> {
  if (isCurrent || runId === null) return undefined
  const changes = await shelf.changes(runId, DAY_MS)
  return changes?.since === null ? shelf.changes(runId, 1) : changes
}

/** @returns The median pause between the last runs, in milliseconds; `undefined` when there are too few. */
async function readUsualPause(shelf: RunShelf): Promise<number | undefined> {
  const times = (await shelf.list(null, PAUSE_RUNS)).map(({ metadata }) => parseTime(metadata.started_at))
  return times.length < 3 ? undefined : median(times.slice(1).map((time, index) => (times[index] ?? time) - time))
}

async function system(sources: PageSources): Promise<Html> {
  const { clock, control, outbox, published, version, keeping, sidecars } = sources
  return renderSystemPage({
    nowMs: clock.wallNowMs(),
    version,
    sidecars: sidecars?.map((sidecar) => sidecar.status()) ?? [],
    status: control?.status(),
    campaigns: control?.campaigns(),
    channels: await outbox?.status(),
    dead: (await outbox?.list(['dead'], DELIVERIES_MAX)) ?? [],
    published: (await published.names()).length,
    kept: keeping === undefined ? undefined : { usage: await keeping.usage(), policy: keeping.policy() },
  })
}

function addIncidentPages(app: Hono, { incidents, outbox, isLaboratory, monitor }: PageSources): void {
  app.get('/incidents', async (context) => {
    const view = parseIncidentsView(new URL(context.req.url).searchParams)
    return view === undefined
      ? refuse('status or day')
      : createPage(await renderIncidentsPage(incidents, view, monitor))
  })
  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const fingerprint = /^exits-([0-9A-F]{40})-ipv[46]-\d{14}$/.exec(id)?.[1]
    const found = fingerprint === undefined ? [] : await incidents?.list({ fingerprint, limit: 10_000 })
    const incident = found?.find((candidate) => candidate.id === id)
    if (incident === undefined) return notFound('No incident with this id is kept.')
    const deliveries = await outbox?.list(['waiting', 'sending', 'sent', 'dead'], DELIVERIES_SEARCHED_MAX)
    const own = deliveries?.filter(({ messageId }) => messageId.includes(incident.fingerprint))
    return createPage(renderIncidentPage(incident, own?.slice(0, DELIVERIES_MAX), isLaboratory))
  })
}

/** @returns The run at hand, which always opens. */
async function openCurrent(shelf: RunShelf): Promise<ShownRun> {
  const run = await shelf.open('current')
  if (run === undefined) throw new TypeError('the run at hand does not open')
  return run
}

function addExitPages(app: Hono, sources: PageSources, shelf: RunShelf): void {
  app.get('/exits', async (context) => {
    const parsed = parseExitQuery(new URL(context.req.url).searchParams)
    const run = await shelf.open(parsed.query.run)
    return run === undefined ? noSuchRun() : createPage(await renderExitsPage(shelf, run, parsed, sources.isLaboratory))
  })
  app.get('/exits/groups', async (context) => {
    const by = parseGroupKey(context.req.query('by') ?? null)
    if (by === undefined) return refuse('by')
    const chosen = readRun(context)
    const run = await shelf.open(chosen)
    return run === undefined ? noSuchRun() : createPage(await renderGroupsPage(shelf, run, by, chosen))
  })
  app.get('/exits/trend', async (context) => {
    const days = parseTrendDays(context.req.query('days') ?? null)
    return days === undefined ? refuse('days') : createPage(await trend(sources, shelf, days))
  })
  app.get('/exits/:fingerprint', async (context) => {
    const fingerprint = context.req.param('fingerprint').toUpperCase()
    return showExit(sources, shelf, fingerprint, readRun(context))
  })
}

async function trend(sources: PageSources, shelf: RunShelf, days: number): Promise<Html> {
  const span = await shelf.trend(days)
  return renderTrendPage(span, await readIncidentMarks(sources.incidents, span), shelf.hasArchive)
}

async function showExit(
  sources: PageSources,
  shelf: RunShelf,
  fingerprint: string,
  chosen: string | undefined,
): Promise<Response> {
  const { archive, isLaboratory, clock } = sources
  const newest = await archive?.newest(fingerprint)
  const history =
    archive === undefined ? undefined : await readHistory(archive, fingerprint, newest?.run_id ?? null, clock)
  const view = shelf.current()
  const isCurrent = chosen === 'current' || (chosen === undefined && newest === undefined)
  if (isCurrent || chosen === view.runId) {
    const result = view.results.find((candidate) => candidate.exit_fingerprint === fingerprint)
    const run = await openCurrent(shelf)
    if (result !== undefined)
      return createPage(renderExitPage({ run, result, hasEvidence: true, history, isLaboratory }))
    const truth = view.truth.get(fingerprint)
    if (truth !== undefined && (isRunning(view) || archive === undefined))
      return createPage(renderPendingExitPage(view, fingerprint, truth))
  }
  const run = await shelf.open(chosen === undefined || chosen === 'current' ? newest?.run_id : chosen)
  if (run === undefined) return noSuchRun()
  const record = run.runId === null ? undefined : await archive?.record(run.runId, fingerprint)
  if (record !== undefined) return createPage(renderExitPage({ run, ...record, history, isLaboratory }))
  if (newest !== undefined && history !== undefined) return createPage(renderAbsentExitPage(newest, run, history))
  return notFound('No run that is kept has an exit with this fingerprint.')
}

async function readHistory(
  archive: ExitArchive,
  fingerprint: string,
  newestRunId: string | null,
  clock: Clock,
): Promise<ExitPageHistory> {
  const nowMs = clock.wallNowMs()
  const since = formatIsoTime(nowMs - 371 * DAY_MS)
  return {
    points: await archive.points(fingerprint, STRIP_RUNS),
    days: await archive.relayDays(fingerprint, since),
    nowMs,
    newestRunId,
  }
}

function addRunPages(app: Hono, sources: PageSources, shelf: RunShelf): void {
  app.get('/runs', async (context) => {
    const before = context.req.query('before') ?? null
    if (before !== null && !/^\d{14}$/.test(before)) return refuse('before')
    return createPage(await renderRunsPage(shelf, before, sources.isLaboratory))
  })
  app.get('/runs/:run{\\d{14}}/changes', (context) =>
    showChanges(shelf, context.req.param('run'), context.req.query('span')),
  )
  app.get('/runs/:run{current|\\d{14}}', async (context) => {
    const run = await shelf.open(context.req.param('run'))
    if (run === undefined) return noSuchRun()
    const isKept = !run.isCurrent && run.runId !== null
    const changes = isKept && run.rows !== undefined ? await shelf.changes(run.runId, 1) : undefined
    const [before] = run.runId === null ? [] : await shelf.list(run.runId, 1)
    return createPage(
      renderRunPage({
        run,
        changes,
        earlier: before?.runId ?? null,
        files: await listFiles(sources.published, run.runId),
        isLaboratory: sources.isLaboratory,
      }),
    )
  })
}

/** A run beside the day before it (`span=day`), or the run before it. */
async function showChanges(shelf: RunShelf, runId: string, span: string | undefined): Promise<Response> {
  if (span !== undefined && span !== 'day') return refuse('span')
  const run = await shelf.open(runId)
  if (run === undefined || run.rows === undefined || run.isCurrent) return noSuchRun()
  const changes = span === 'day' ? await readChanges(shelf, run) : await shelf.changes(runId, 1)
  if (changes === undefined) return noSuchRun()
  const earlier = changes.since === null ? undefined : await shelf.open(changes.since)
  return createPage(renderChangesPage({ runId, changes, rows: run.rows, earlierRows: earlier?.rows }))
}

/** @returns Names of published files of a run, as `dnshealth_20260131_120000.json`. */
async function listFiles(published: DocumentSource, runId: string | null): Promise<readonly string[]> {
  if (runId === null) return []
  const stamp = `_${runId.slice(0, 8)}_${runId.slice(8)}`
  return (await published.names()).filter((name) => name.includes(stamp))
}

function readRun(context: Context): string | undefined {
  const run = context.req.query('run') ?? ''
  return run === '' ? undefined : run
}

function noSuchRun(): Promise<Response> {
  return notFound('No run with this id is kept.')
}

function notFound(detail: string): Promise<Response> {
  return createPage(renderProblemPage('not-found', detail), 404)
}

function refuse(parameter: string): Promise<Response> {
  return createPage(renderProblemPage('bad-parameter', `No such value for ${parameter}.`), 400)
}

function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name)
}
