/** The addresses of the pages about resolvers. State is in the address; without a run there is a page that says so. */
import type { Hono } from 'hono'
import type { SatelliteArchive, SatelliteRunSummary } from '../model/satellite-archive.ts'
import type { ProblemName } from '../api/problem.ts'
import { createPage } from './create-page.ts'
import { renderProblemPage } from './message-page.ts'
import { parseGroupSort, renderGroupPage } from './satellite-group-page.ts'
import {
  MATRIX_COLUMNS,
  MATRIX_ROWS,
  orderCountries,
  parseMatrixView,
  renderMatrixPage,
  selectNames,
} from './satellite-matrix-page.ts'
import { parseCountrySort, renderNoSatellitePage, renderSatellitePage } from './satellite-page.ts'
import { PAIRS_MAX, renderPairPage, renderPairsPage } from './satellite-pair-page.ts'

/** Runs that are offered. */
const RUNS_MAX = 60
/** Pairs of a system and a name that are counted on the first page. */
const SYSTEMS_MAX = 20_000
/** Names of one group that are sorted. */
const NAMES_MAX = 20_000

interface SatellitePageSources {
  readonly satellite?: SatelliteArchive | undefined
}

type ShowRun = (chosen: string | undefined, make: (run: SatelliteRunSummary) => Promise<Response>) => Promise<Response>

/** Adds the pages to `app`; none where nothing is kept. */
export function addSatellitePages(app: Hono, { satellite: archive }: SatellitePageSources): void {
  if (archive === undefined) return
  /** Finds the run of an address, and makes its page. */
  const show: ShowRun = async (chosen, make) => {
    const run = await archive.run(chosen)
    if (run !== undefined) return make(run)
    return chosen === undefined
      ? createPage(renderNoSatellitePage())
      : notFound('No run over resolvers with this id is kept.')
  }
  app.get('/satellite', (context) => {
    const sort = parseCountrySort(context.req.query('sort'))
    const chosen = readRun(context.req.query('run'))
    if (sort === undefined) return refuse('sort')
    return show(chosen, async (run) =>
      createPage(
        renderSatellitePage({
          run,
          chosen,
          runs: await archive.runs(null, RUNS_MAX),
          countries: await archive.countries(run.runId),
          systems: await archive.cells(run.runId, { kind: 'as', verdict: 'interference', limit: SYSTEMS_MAX }),
          sort,
        }),
      ),
    )
  })
  app.get('/satellite/matrix', (context) => {
    const view = parseMatrixView(new URL(context.req.url).searchParams)
    if (view === undefined) return refuse('sort, show, q, page or columns')
    return show(view.run, async (run) => {
      const names = selectNames(await archive.domains(run.runId), view)
      const countries = orderCountries(await archive.countries(run.runId))
      const rows = names.slice((view.page - 1) * MATRIX_ROWS, view.page * MATRIX_ROWS)
      const limit = countries.length + 1
      const cells = await Promise.all(
        rows.map(({ domain }) => archive.cells(run.runId, { kind: 'country', domain, limit })),
      )
      const isBeyond = (view.columns - 1) * MATRIX_COLUMNS >= Math.max(1, countries.length)
      if (isBeyond) return notFound('The matrix has no such columns.')
      return createPage(
        renderMatrixPage({
          run,
          runs: await archive.runs(null, RUNS_MAX),
          view,
          names,
          countries,
          cells: cells.flat(),
        }),
      )
    })
  })
  app.get('/satellite/:place{countries|systems}/:group{[A-Za-z0-9 -]{1,60}}', (context) => {
    const sort = parseGroupSort(context.req.query('sort'))
    const chosen = readRun(context.req.query('run'))
    if (sort === undefined) return refuse('sort')
    const kind = context.req.param('place') === 'countries' ? 'country' : 'as'
    const group = context.req.param('group')
    return show(chosen, async (run) => {
      const cells = await archive.cells(run.runId, { kind, group, limit: NAMES_MAX })
      if (cells.length === 0) return notFound('The run has nothing of this country or system.')
      return createPage(renderGroupPage({ run, chosen, kind, group, cells, sort }))
    })
  })
  addPairPages(app, archive, show)
}

function addPairPages(app: Hono, archive: SatelliteArchive, show: ShowRun): void {
  app.get('/satellite/pairs', (context) => {
    const { country, domain, run } = context.req.query()
    const chosen = readRun(run)
    if (country === undefined || domain === undefined) return refuse('country or domain')
    return show(chosen, async (found) => {
      const pairs = await archive.pairs(found.runId, { country, domain, limit: PAIRS_MAX + 1 })
      if (pairs.length === 0) return notFound('The run has no such pairs.')
      return createPage(renderPairsPage({ run: found, chosen, country, domain, pairs }))
    })
  })
  app.get('/satellite/pair', (context) => {
    const { vp, domain, run } = context.req.query()
    const chosen = readRun(run)
    if (vp === undefined || domain === undefined) return refuse('vp or domain')
    return show(chosen, async (found) => {
      const pair = await archive.pair(found.runId, vp, domain)
      if (pair === undefined) return notFound('The run has no such pair.')
      return createPage(
        renderPairPage({ run: found, chosen, pair, control: await archive.control(found.runId, domain) }),
      )
    })
  })
}

function readRun(run: string | undefined): string | undefined {
  return run === undefined || run === '' ? undefined : run
}

function notFound(detail: string): Promise<Response> {
  return problem('not-found', detail, 404)
}

function refuse(parameter: string): Promise<Response> {
  return problem('bad-parameter', `No such value for ${parameter}.`, 400)
}

function problem(name: ProblemName, detail: string, status: 400 | 404): Promise<Response> {
  return createPage(renderProblemPage(name, detail), status)
}
