/** Where interference is shown: one sentence, the map, the table of countries, the autonomous systems. */
import { html, raw } from 'hono/html'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type { SatelliteCountry, SatelliteRunSummary } from '../model/satellite-archive.ts'
import { formatCount, formatRunTime, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderSatelliteMap } from './satellite-map.ts'
import { formatSatelliteSentence, nameCountry } from './satellite-words.ts'
import { renderSortHead, type SortColumn } from './sort-head.ts'

/** Systems on the page. */
const SYSTEMS_MAX = 25
/** Orders of the table. */
const SORTS = ['interfered', 'country', 'resolvers', 'tested', 'share'] as const
/** One of them. */
export type CountrySort = (typeof SORTS)[number]

/** What the page shows. */
export interface SatellitePageParts {
  readonly run: SatelliteRunSummary
  /** The `run` parameter; `undefined` when none was given. */
  readonly chosen: string | undefined
  readonly runs: readonly SatelliteRunSummary[]
  readonly countries: readonly SatelliteCountry[]
  /** Systems and names with interference. */
  readonly systems: readonly SatelliteAggregate[]
  readonly sort: CountrySort
}

/** Reads the parameter `sort`. @returns `undefined` when it is no order. */
export function parseCountrySort(text: string | undefined): CountrySort | undefined {
  return text === undefined || text === '' ? 'interfered' : SORTS.find((sort) => sort === text)
}

/** Renders the page. */
export function renderSatellitePage(parts: SatellitePageParts): Html {
  const { run, chosen, runs, countries, systems, sort } = parts
  const link = (country: string): string => linkGroup('country', country, chosen)
  return renderLayout({
    title: 'Satellite',
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
        ${renderRunLine(run)}
        <h1>${formatSatelliteSentence(run, countries.length)}</h1>
        <p class="second">
          A verdict needs five resolvers that say the same beyond chance, corrected for all pairs of the run.
          <a href="/how/satellite-aggregates">How</a>
        </p>
      </section>
      <div class="section-bar" id="views">
        ${renderSatelliteViews('countries', chosen)}${renderSatelliteRuns(runs, run, chosen, '/satellite')}
      </div>
      <section class="card" id="map" aria-label="Map">${renderSatelliteMap(countries, link)}</section>
      <section id="countries" aria-labelledby="countries-title">
        <div class="card-head"><h2 id="countries-title">Countries</h2></div>
        ${countries.length === 0 ? html`<p class="empty">The run has no resolver whose country is known.</p>` : renderTable(sortCountries(countries, sort), sort, chosen, link)}
      </section>
      ${systems.length === 0 ? '' : renderSystems(systems, chosen)}`,
  })
}

/** Says what there is when no run is kept. */
export function renderNoSatellitePage(): Html {
  return renderLayout({
    title: 'Satellite',
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
      <h1>No run over resolvers is kept yet.</h1>
      <p class="second">
        A run asks open resolvers in many countries for the same names and compares what they say with control
        resolvers. It begins on the schedule <code>schedule.satellite</code>, which is “never” until somebody sets it,
        or when it is asked for over the <a href="/api">API</a>.
      </p>
    </section>`,
  })
}

/** When the run was, and what it is called. */
export function renderRunLine(run: SatelliteRunSummary): Html {
  return html`<p class="eyebrow">Resolvers in many countries · run ${formatRunTime(run.runId)} · ${run.name}</p>`
}

/** Links between the two views of a run. */
export function renderSatelliteViews(current: 'countries' | 'matrix' | 'none', chosen: string | undefined): Html {
  const query = chosen === undefined ? '' : `?run=${chosen}`
  const link = (name: string, path: string, label: string): Html =>
    html`<a href="${path}${query}" ${name === current ? raw('aria-current="page"') : ''}>${label}</a>`
  return html`<nav class="views" aria-label="Views">
    ${link('countries', '/satellite', 'Countries')}${link('matrix', '/satellite/matrix', 'Countries × names')}
  </nav>`
}

/** Which run is shown: a plain form. */
export function renderSatelliteRuns(
  runs: readonly SatelliteRunSummary[],
  run: SatelliteRunSummary,
  chosen: string | undefined,
  path: string,
): Html {
  const isOffered = runs.some(({ runId }) => runId === run.runId)
  const option = (value: string, label: string): Html =>
    html`<option value="${value}" ${value === (chosen ?? '') ? raw('selected') : ''}>${label}</option>`
  return html`<form class="run-selector" action="${path}" method="get">
    <label for="run">Run</label>
    <select id="run" name="run">
      ${option('', 'newest run')}${isOffered || chosen === undefined ? '' : option(run.runId, formatRunTime(run.runId))}
      ${runs.map(({ runId }) => option(runId, formatRunTime(runId)))}
    </select>
    <button type="submit">Show</button>
  </form>`
}

/** Address of the page of a country or a system. */
export function linkGroup(kind: SatelliteAggregate['kind'], group: string, chosen: string | undefined): string {
  const place = kind === 'country' ? 'countries' : 'systems'
  return `/satellite/${place}/${encodeURIComponent(group)}${chosen === undefined ? '' : `?run=${chosen}`}`
}

function sortCountries(countries: readonly SatelliteCountry[], sort: CountrySort): readonly SatelliteCountry[] {
  const byName = (a: SatelliteCountry, b: SatelliteCountry): number =>
    nameCountry(a.country).localeCompare(nameCountry(b.country), 'en')
  const valueOf = (country: SatelliteCountry): number =>
    sort === 'share' ? (country.highestShare ?? -1) : sort === 'country' ? 0 : country[sort]
  return countries.toSorted((a, b) => valueOf(b) - valueOf(a) || byName(a, b))
}

const COLUMNS: readonly SortColumn<CountrySort>[] = [
  { sort: 'country', label: 'country', isNumber: false, direction: 'ascending' },
  { sort: 'interfered', label: 'names with interference', isNumber: true, direction: 'descending' },
  { sort: 'tested', label: 'names tested', isNumber: true, direction: 'descending' },
  { sort: 'resolvers', label: 'resolvers', isNumber: true, direction: 'descending' },
  { sort: 'share', label: 'highest share', isNumber: true, direction: 'descending' },
]

function renderTable(
  countries: readonly SatelliteCountry[],
  sort: CountrySort,
  chosen: string | undefined,
  link: (country: string) => string,
): Html {
  const run: Readonly<Record<string, string>> = chosen === undefined ? {} : { run: chosen }
  const href = (each: string): string =>
    `/satellite?${new URLSearchParams({ ...run, sort: each }).toString()}#countries`
  return html`<div class="scroll framed" role="region" aria-label="Countries, table" tabindex="0">
      <table>
        ${renderSortHead(COLUMNS, sort, href)}
        <tbody>
          ${countries.map(
            (each) =>
              html`<tr>
                <th scope="row">
                  <a href="${link(each.country)}"><bdi>${nameCountry(each.country)}</bdi></a>
                </th>
                <td class="n">
                  ${each.tested === 0 ? html`<span class="dim">not known</span>` : formatCount(each.interfered)}
                </td>
                <td class="n">${formatCount(each.tested)} of ${formatCount(each.domains)}</td>
                <td class="n">${formatCount(each.resolvers)}</td>
                <td class="n">
                  ${each.highestShare === null ? html`<span class="dim">–</span>` : formatShare(each.highestShare, 1)}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="small">
      A name counts as tested where five resolvers with a vote were asked for it. “Highest share” is that of the
      resolvers of the country that show interference for one name.
    </p>`
}

interface SystemRow {
  readonly group: string
  readonly names: number
  readonly resolvers: number
}

/** Systems with most names first. */
function countSystems(cells: readonly SatelliteAggregate[]): readonly SystemRow[] {
  const systems = new Map<string, SystemRow>()
  for (const { group, resolvers } of cells) {
    const known = systems.get(group) ?? { group, names: 0, resolvers: 0 }
    systems.set(group, { group, names: known.names + 1, resolvers: Math.max(known.resolvers, resolvers) })
  }
  return [...systems.values()].toSorted((a, b) => b.names - a.names || (a.group < b.group ? -1 : 1))
}

function renderSystems(cells: readonly SatelliteAggregate[], chosen: string | undefined): Html {
  const systems = countSystems(cells)
  return html`<section id="systems" aria-labelledby="systems-title">
    <div class="card-head"><h2 id="systems-title">Autonomous systems with interference</h2></div>
    <div class="scroll framed" role="region" aria-label="Autonomous systems, table" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">system</th>
            <th scope="col" class="n">names with interference</th>
            <th scope="col" class="n">resolvers that count</th>
          </tr>
        </thead>
        <tbody>
          ${systems.slice(0, SYSTEMS_MAX).map(
            ({ group, names, resolvers }) =>
              html`<tr>
                <th scope="row"><a href="${linkGroup('as', group, chosen)}">AS${group}</a></th>
                <td class="n">${formatCount(names)}</td>
                <td class="n">${formatCount(resolvers)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${systems.length > SYSTEMS_MAX ? html`<p class="shown">The first ${SYSTEMS_MAX} of ${formatCount(systems.length)} systems.</p>` : ''}
  </section>`
}
