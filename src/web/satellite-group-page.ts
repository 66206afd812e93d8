/** One country, or one autonomous system: what it shows of each name. */
import { html } from 'hono/html'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type { SatelliteRunSummary } from '../model/satellite-archive.ts'
import { formatCount, formatCounted, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { linkPairs } from './satellite-matrix-page.ts'
import { linkGroup, renderRunLine, renderSatelliteViews } from './satellite-page.ts'
import { formatProbability, nameCountry, renderVerdict } from './satellite-words.ts'
import { renderSortHead, type SortColumn } from './sort-head.ts'

const SORTS = ['share', 'name', 'resolvers'] as const
/** Orders of the table. */
export type GroupSort = (typeof SORTS)[number]

/** Names on the page. */
const NAMES_MAX = 500

/** What the page shows. */
export interface GroupPageParts {
  readonly run: SatelliteRunSummary
  readonly chosen: string | undefined
  readonly kind: SatelliteAggregate['kind']
  readonly group: string
  /** Its names; at least one. */
  readonly cells: readonly SatelliteAggregate[]
  readonly sort: GroupSort
}

/** Reads the parameter `sort`. @returns `undefined` when it is no order. */
export function parseGroupSort(text: string | undefined): GroupSort | undefined {
  return text === undefined || text === '' ? 'share' : SORTS.find((sort) => sort === text)
}

/** Renders the page. */
export function renderGroupPage({ run, chosen, kind, group, cells, sort }: GroupPageParts): Html {
  const title = kind === 'country' ? nameCountry(group) : `AS${group}`
  const shown = cells.filter(({ verdict }) => verdict === 'interference').length
  const tested = cells.filter(({ verdict }) => verdict !== 'too_few').length
  const sorted = sortCells(cells, sort)
  return renderLayout({
    title,
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
        ${renderRunLine(run)}
        <h1>
          ${tested === 0 ? `${title}: no name was asked of five resolvers with a vote, so there is no verdict.` : `${title}: interference is shown for ${formatCount(shown)} of ${formatCounted(tested, 'tested name', 'tested names')}.`}
        </h1>
      </section>
      <div class="section-bar" id="views">${renderSatelliteViews('none', chosen)}</div>
      <section id="names" aria-label="Names">
        ${renderTable(sorted.slice(0, NAMES_MAX), { kind, group, chosen, sort })}
        ${sorted.length > NAMES_MAX ? html`<p class="shown">The first ${formatCount(NAMES_MAX)} of ${formatCount(sorted.length)} names; all of them: <a href="/api/v1/satellite/cells?run=${run.runId}&kind=${kind}&group=${group}">JSON</a>.</p>` : ''}
        <p class="small">
          q is the probability of so many by chance, corrected for all pairs of the run; chance is held to the share
          beside it. <a href="/how/satellite-aggregates">How</a>
        </p>
      </section>`,
  })
}

const COLUMNS: readonly SortColumn<GroupSort>[] = [
  { sort: 'name', label: 'name', isNumber: false, direction: 'ascending' },
  { sort: null, label: 'verdict', isNumber: false, direction: 'ascending' },
  { sort: 'share', label: 'share with interference, 95 % interval', isNumber: false, direction: 'descending' },
  { sort: 'resolvers', label: 'resolvers', isNumber: true, direction: 'descending' },
  { sort: null, label: 'genuine · out of order · unconfirmed', isNumber: true, direction: 'ascending' },
  { sort: null, label: 'q', isNumber: true, direction: 'ascending' },
  { sort: null, label: 'chance', isNumber: true, direction: 'ascending' },
]

function renderTable(
  cells: readonly SatelliteAggregate[],
  { kind, group, chosen, sort }: Pick<GroupPageParts, 'kind' | 'group' | 'chosen' | 'sort'>,
): Html {
  const base = linkGroup(kind, group, chosen)
  const href = (each: string): string => `${base}${base.includes('?') ? '&' : '?'}sort=${each}`
  return html`<div class="scroll framed" role="region" aria-label="Names, table" tabindex="0">
    <table>
      ${renderSortHead(COLUMNS, sort, href)}
      <tbody>
        ${cells.map(
          (cell) =>
            html`<tr>
              <th scope="row">
                ${kind === 'country' ? html`<a href="${linkPairs(group, cell.domain, chosen)}"><bdi>${cell.domain}</bdi></a>` : html`<bdi>${cell.domain}</bdi>`}
              </th>
              <td>${renderVerdict(cell.verdict)}</td>
              <td>${renderInterval(cell)}</td>
              <td class="n">${formatCount(cell.resolvers)}</td>
              <td class="n">${formatCount(cell.ok)} · ${formatCount(cell.down)} · ${formatCount(cell.unconfirmed)}</td>
              <td class="n">${formatProbability(cell.qValue)}</td>
              <td class="n">${cell.nullShare === null ? '–' : formatShare(cell.nullShare, 1)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function renderInterval({ interference, resolvers, low, high }: SatelliteAggregate): Html {
  if (low === null || high === null)
    return html`<span class="dim">${formatCount(interference)} of ${formatCount(resolvers)}: too few for a share</span>`
  const width = Math.max(1, 100 * (high - low))
  return html`<span class="interval">
    <svg width="110" height="12" aria-hidden="true">
      <rect class="f-track" y="5" width="100%" height="2"></rect>
      <rect class="f-range" x="${(100 * low).toFixed(1)}%" y="3" width="${width.toFixed(1)}%" height="6" rx="2"></rect>
      <circle class="f-point" cx="${((100 * interference) / resolvers).toFixed(1)}%" cy="6" r="3"></circle>
    </svg>
    <span>${formatShare(interference, resolvers)}</span>
    <span class="dim">${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)} %</span>
  </span>`
}

function sortCells(cells: readonly SatelliteAggregate[], sort: GroupSort): readonly SatelliteAggregate[] {
  const valueOf = (cell: SatelliteAggregate): number =>
    sort === 'name' ? 0 : sort === 'resolvers' ? cell.resolvers : (cell.share ?? -1)
  return cells.toSorted((a, b) => valueOf(b) - valueOf(a) || (a.domain < b.domain ? -1 : 1))
}
