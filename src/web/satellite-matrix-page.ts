/**
 * The matrix of names and countries: share, interval and sample size in each cell.
 *
 * **Invariant**: what was not measured is empty and says so; what had too few resolvers has no share.
 */
import { html, raw } from 'hono/html'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type { SatelliteCountry, SatelliteDomain, SatelliteRunSummary } from '../model/satellite-archive.ts'
import { formatCount, formatCounted, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { linkGroup, renderRunLine, renderSatelliteRuns, renderSatelliteViews } from './satellite-page.ts'
import { nameCountry } from './satellite-words.ts'

/** Rows and columns of one page. */
export const MATRIX_ROWS = 40
/** As {@link MATRIX_ROWS}. */
export const MATRIX_COLUMNS = 16

const SORTS = ['interfered', 'share', 'name'] as const
const SORT_WORDS: Readonly<Record<(typeof SORTS)[number], string>> = {
  interfered: 'most countries first',
  share: 'highest share first',
  name: 'by name',
}

/** What of the matrix is shown; the state of the page's address. */
export interface MatrixView {
  readonly run: string | undefined
  readonly sort: (typeof SORTS)[number]
  /** Part of a name; empty for all. */
  readonly q: string
  readonly onlyInterfered: boolean
  /** Pages of rows and of columns, from 1. */
  readonly page: number
  readonly columns: number
}

/** Reads the address. @returns `undefined` when a value is none. */
export function parseMatrixView(parameters: URLSearchParams): MatrixView | undefined {
  const number = (name: string): number | undefined => {
    const text = parameters.get(name) ?? '1'
    return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined
  }
  const sort = SORTS.find((each) => each === (parameters.get('sort') ?? 'interfered'))
  const [page, columns, q] = [number('page'), number('columns'), (parameters.get('q') ?? '').trim().toLowerCase()]
  const show = parameters.get('show') ?? ''
  if (sort === undefined || page === undefined || columns === undefined || q.length > 253) return undefined
  if (show !== '' && show !== 'interfered') return undefined
  const run = parameters.get('run') ?? ''
  return { run: run === '' ? undefined : run, sort, q, onlyInterfered: show === 'interfered', page, columns }
}

/** The names of a view, in its order. */
export function selectNames(domains: readonly SatelliteDomain[], view: MatrixView): readonly SatelliteDomain[] {
  const { q, sort, onlyInterfered } = view
  const valueOf = (each: SatelliteDomain): number =>
    sort === 'name' ? 0 : sort === 'share' ? (each.highestShare ?? -1) : each.interfered
  return domains
    .filter(({ domain, interfered }) => domain.toLowerCase().includes(q) && (!onlyInterfered || interfered > 0))
    .toSorted((a, b) => valueOf(b) - valueOf(a) || (a.domain < b.domain ? -1 : 1))
}

/** The columns in their order: most names with interference first. */
export function orderCountries(countries: readonly SatelliteCountry[]): readonly SatelliteCountry[] {
  return countries.toSorted((a, b) => b.interfered - a.interfered || (a.country < b.country ? -1 : 1))
}

/** What the page shows. */
export interface MatrixParts {
  readonly run: SatelliteRunSummary
  readonly runs: readonly SatelliteRunSummary[]
  readonly view: MatrixView
  /** All names of the view; those of the page have cells. */
  readonly names: readonly SatelliteDomain[]
  readonly countries: readonly SatelliteCountry[]
  readonly cells: readonly SatelliteAggregate[]
}

/** Renders the page. */
export function renderMatrixPage({ run, runs, view, names, countries, cells }: MatrixParts): Html {
  const rows = names.slice((view.page - 1) * MATRIX_ROWS, view.page * MATRIX_ROWS)
  const columns = countries.slice((view.columns - 1) * MATRIX_COLUMNS, view.columns * MATRIX_COLUMNS)
  const byKey = new Map(cells.map((cell) => [`${cell.group} ${cell.domain}`, cell]))
  return renderLayout({
    title: 'Countries × names',
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
        ${renderRunLine(run)}
        <h1>
          ${formatCount(run.interfered)} of ${formatCount(run.tested)} tested pairs of a country and a name show
          interference.
        </h1>
      </section>
      <div class="section-bar" id="views">
        ${renderSatelliteViews('matrix', view.run)}${renderSatelliteRuns(runs, run, view.run, '/satellite/matrix')}
      </div>
      <section id="matrix" aria-label="Matrix">
        ${renderFilters(view)}
        <p class="shown">
          ${formatCounted(names.length, 'name', 'names')}, ${formatCounted(countries.length, 'country', 'countries')}.
          Each cell: the share of resolvers that show interference, its 95 % interval, and how many resolvers.
        </p>
        ${rows.length === 0 || columns.length === 0 ? html`<p class="empty">Nothing matches.</p>` : renderTable(rows, columns, byKey, view)}
        ${renderPaging(view, names.length, countries.length)}
      </section>`,
  })
}

function renderFilters(view: MatrixView): Html {
  const chip = (label: string, changes: Partial<MatrixView>, isCurrent: boolean): Html =>
    html`<a
      class="chip"
      href="${linkMatrix({ ...view, page: 1, ...changes })}"
      ${isCurrent ? raw('aria-current="true"') : ''}
      >${label}</a
    >`
  return html`<div class="filters">
    <form class="search" action="/satellite/matrix" method="get" role="search">
      ${view.run === undefined ? '' : html`<input type="hidden" name="run" value="${view.run}" />`}
      ${view.sort === 'interfered' ? '' : html`<input type="hidden" name="sort" value="${view.sort}" />`}
      ${view.onlyInterfered ? html`<input type="hidden" name="show" value="interfered" />` : ''}
      <input type="search" name="q" value="${view.q}" aria-label="Part of a name" placeholder="part of a name" />
      <button type="submit">Find</button>
    </form>
    <nav class="chips" aria-label="Order">
      ${SORTS.map((sort) => chip(SORT_WORDS[sort], { sort }, view.sort === sort))}
    </nav>
    <nav class="chips" aria-label="Names">
      ${chip('all names', { onlyInterfered: false }, !view.onlyInterfered)}${chip('names with interference', { onlyInterfered: true }, view.onlyInterfered)}
    </nav>
  </div>`
}

function renderTable(
  rows: readonly SatelliteDomain[],
  columns: readonly SatelliteCountry[],
  cells: ReadonlyMap<string, SatelliteAggregate>,
  view: MatrixView,
): Html {
  return html`<div class="scroll framed" role="region" aria-label="Countries and names, table" tabindex="0">
    <table class="grid-table">
      <thead>
        <tr>
          <th scope="col">name</th>
          ${columns.map(({ country }) => html`<th scope="col"><a href="${linkGroup('country', country, view.run)}" title="${nameCountry(country)}">${country}</a></th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ domain }) =>
            html`<tr>
              <th scope="row"><bdi>${domain}</bdi></th>
              ${columns.map(({ country }) => renderCell(cells.get(`${country} ${domain}`), view.run))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function renderCell(cell: SatelliteAggregate | undefined, run: string | undefined): Html {
  if (cell === undefined)
    return html`<td class="g-absent"><span aria-hidden="true">·</span><span class="sr">not measured</span></td>`
  const { group, domain, resolvers, interference, low, high, verdict } = cell
  const mark = verdict === 'interference' ? html`<span aria-hidden="true">✕ </span>` : ''
  const words = { interference: 'interference shown', not_shown: 'not shown', too_few: 'too few resolvers' }[verdict]
  const interval = low === null || high === null ? '' : `${Math.round(100 * low)}–${Math.round(100 * high)} %, `
  const share = verdict === 'too_few' ? 'too few' : formatShare(interference, resolvers)
  const size = `n = ${formatCount(resolvers)}`
  const label = ` ${domain} in ${nameCountry(group)}: ${words}`
  return html`<td>
    <a class="g-${verdict}" href="${linkPairs(group, domain, run)}">
      ${mark}${share}<span class="sub">${interval}${size}</span><span class="sr">${label}</span>
    </a>
  </td>`
}

/** Address of the pairs of a country and a name. */
export function linkPairs(country: string, domain: string, run: string | undefined): string {
  const parameters = new URLSearchParams({ country, domain, ...(run === undefined ? {} : { run }) })
  return `/satellite/pairs?${parameters.toString()}`
}

function linkMatrix({ run, sort, q, onlyInterfered, page, columns }: MatrixView): string {
  const parameters = new URLSearchParams()
  if (run !== undefined) parameters.set('run', run)
  if (sort !== 'interfered') parameters.set('sort', sort)
  if (q !== '') parameters.set('q', q)
  if (onlyInterfered) parameters.set('show', 'interfered')
  if (page > 1) parameters.set('page', String(page))
  if (columns > 1) parameters.set('columns', String(columns))
  const text = parameters.toString()
  return `/satellite/matrix${text === '' ? '' : `?${text}`}`
}

function renderPaging(view: MatrixView, names: number, countries: number): Html | string {
  const links: Html[] = []
  const add = (isThere: boolean, label: string, changes: Partial<MatrixView>): void => {
    if (isThere) links.push(html`<a href="${linkMatrix({ ...view, ...changes })}">${label}</a>`)
  }
  add(view.page > 1, 'Names before', { page: view.page - 1 })
  add(view.page * MATRIX_ROWS < names, 'More names', { page: view.page + 1 })
  add(view.columns > 1, 'Countries before', { columns: view.columns - 1 })
  add(view.columns * MATRIX_COLUMNS < countries, 'More countries', { columns: view.columns + 1 })
  return links.length === 0 ? '' : html`<nav class="pages" aria-label="More of the matrix">${links}</nav>`
}
