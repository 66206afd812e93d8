/** Which exits are shown: chips, counted values to narrow down by, and a search. Every choice is a link or a plain form. */
import { html, raw } from 'hono/html'
import { countExitFacets, EXIT_GROUP_KEYS, type ExitFacet, type ExitFacetName } from '../api/exit-groups.ts'
import { DEFAULT_EXIT_QUERY, EXIT_STANDINGS, formatExitQuery, type ExitQuery } from '../api/exit-query.ts'
import { createTruthLookup, type ListedExit } from '../api/select-exits.ts'
import { formatCount, shortenFingerprint } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { ShownRun } from './run-shelf.ts'
import { FLAG_MEANINGS, STANDING_WORDS, STATUS_WORDS } from './verdict-words.ts'

/** Values of one filter that are listed; the search finds the others. */
const VALUES_MAX = 7

/** Filters in the order in which they are offered: what they are called, and where the selection keeps them. */
const FILTERS = [
  { name: 'status', key: 'status', title: 'Verdict' },
  { name: 'error_code', key: 'errorCode', title: 'Failure type' },
  { name: 'flag', key: 'flag', title: 'Mark' },
  { name: 'as', key: 'as', title: 'Network' },
  { name: 'country', key: 'country', title: 'Country' },
  { name: 'operator', key: 'operator', title: 'Operator' },
  { name: 'family', key: 'family', title: 'Family' },
  { name: 'first_hop', key: 'firstHop', title: 'First hop' },
  { name: 'status_ipv6', key: 'statusIpv6', title: 'Verdict about IPv6' },
  { name: 'truth', key: 'truth', title: 'Against the truth' },
  { name: 'fault', key: 'fault', title: 'Fault' },
] as const satisfies readonly { name: ExitFacetName; key: keyof ExitQuery; title: string }[]

type Filter = (typeof FILTERS)[number]

/** Parameters of a form that searches: everything but the text itself and the place in the list. */
const HIDDEN = ['run', 'standing', 'sort', 'order', ...FILTERS.map(({ name }) => name), 'address', 'failing_at_least']

/** Renders chips, lists and search for `path`, the address of the list without its query. */
export function renderFilters(run: ShownRun, rows: readonly ListedExit[], query: ExitQuery, path: string): Html {
  const facets = new Map(countExitFacets(rows, query, createTruthLookup(run.view)).map((facet) => [facet.name, facet]))
  const link = (change: Partial<ExitQuery>): string =>
    `${path}${formatExitQuery({ ...query, cursor: undefined, ...change })}`
  const lists = FILTERS.map((filter) => renderList(filter, facets.get(filter.name), query, link)).filter(
    (list) => list !== '',
  )
  return html`<div class="filters">
    ${renderStandings(facets.get('standing'), query, link)} ${renderActive(query, link, facets)}
    ${renderSearch(query, path)}
    ${
      lists.length === 0
        ? ''
        : html`<details class="facets" ${hasFacet(query) ? raw('open') : ''}>
            <summary>Narrow down by failure type, network, country, operator …</summary>
            <div class="facet-lists">${lists}</div>
          </details>`
    }
  </div>`
}

function renderStandings(
  facet: ExitFacet | undefined,
  query: ExitQuery,
  link: (change: Partial<ExitQuery>) => string,
): Html {
  const counts = new Map(facet?.values.map(({ value, count }) => [value, count]))
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const chip = (label: string, count: number, target: string, isOn: boolean, title: string): Html =>
    html`<a class="chip" href="${target}" title="${title}" ${isOn ? raw(' aria-current="true"') : ''}
      >${label} <span>${formatCount(count)}</span></a
    >`
  return html`<nav class="chips" aria-label="Filter by what the verdict amounts to">
    ${chip('all', all, link({ standing: undefined }), query.standing === undefined, 'every exit of the run')}
    ${EXIT_STANDINGS.filter((standing) => (counts.get(standing) ?? 0) > 0 || query.standing === standing).map(
      (standing) =>
        chip(
          STANDING_WORDS[standing].label,
          counts.get(standing) ?? 0,
          link({ standing: query.standing === standing ? undefined : standing }),
          query.standing === standing,
          STANDING_WORDS[standing].meaning,
        ),
    )}
  </nav>`
}

/** What is set besides the standing, each with a link that takes it away. */
function renderActive(
  query: ExitQuery,
  link: (change: Partial<ExitQuery>) => string,
  facets: ReadonlyMap<ExitFacetName, ExitFacet>,
): Html | string {
  const chip = (title: string, value: string, change: Partial<ExitQuery>): Html =>
    html`<a class="chip" aria-current="true" href="${link(change)}"
      >${title}: <bdi>${value}</bdi> <span aria-hidden="true">✕</span><span class="sr">, remove</span></a
    >`
  const active = FILTERS.flatMap((filter) => {
    const value = query[filter.key]
    if (value === undefined) return []
    const label = facets.get(filter.name)?.values.find((known) => known.value === value)?.label ?? value
    return [chip(filter.title, formatValue(filter.name, value, label), { [filter.key]: undefined })]
  })
  if (query.address !== undefined) active.push(chip('Address', query.address, { address: undefined }))
  if (query.failingAtLeast !== undefined)
    active.push(chip('Failing in a row', `≥ ${query.failingAtLeast}`, { failingAtLeast: undefined }))
  if (query.search !== undefined) active.push(chip('Search', query.search, { search: undefined }))
  if (active.length === 0) return ''
  const reset = { ...DEFAULT_EXIT_QUERY, run: query.run, sort: query.sort, order: query.order }
  return html`<nav class="chips" aria-label="Filters that are set">
    ${active} ${active.length > 1 ? html`<a class="reset" href="${link(reset)}">Remove all</a>` : ''}
  </nav>`
}

function hasFacet(query: ExitQuery): boolean {
  return FILTERS.some(({ key }) => query[key] !== undefined)
}

function renderList(
  { name, key, title }: Filter,
  facet: ExitFacet | undefined,
  query: ExitQuery,
  link: (change: Partial<ExitQuery>) => string,
): Html | string {
  const values = (facet?.values ?? []).filter(
    ({ value }) => !(value === 'none' && (name === 'error_code' || name === 'status_ipv6')),
  )
  if (values.length === 0 || (values.length === 1 && query[key] === undefined && name !== 'error_code')) return ''
  const shown = values.slice(0, VALUES_MAX)
  const more = values.length - shown.length + (facet?.more ?? 0)
  return html`<section class="facet">
    <h3>${title}</h3>
    <ul>
      ${shown.map(({ value, label, count }) => {
        const isOn = query[key] === value
        return html`<li>
          <a href="${link({ [key]: isOn ? undefined : value })}" ${isOn ? raw(' aria-current="true"') : ''}
            ><bdi>${formatValue(name, value, label)}</bdi></a
          ><span class="count">${formatCount(count)}</span>
        </li>`
      })}
      ${more > 0 ? renderMore(name, more, query.run) : ''}
    </ul>
  </section>`
}

/** What the list has no room for; as groups where exits can be grouped by it. */
function renderMore(name: ExitFacetName, more: number, run: string | undefined): Html {
  const text = `and ${formatCount(more)} more`
  if (!EXIT_GROUP_KEYS.some((key) => key === name)) return html`<li class="dim">${text}</li>`
  return html`<li><a href="/exits/groups?by=${name}${run === undefined ? '' : `&run=${run}`}">${text}</a></li>`
}

function formatValue(name: ExitFacetName, value: string, label: string): string {
  if (value === 'none') return 'not known'
  if (name === 'status' || name === 'status_ipv6') return isStatus(value) ? STATUS_WORDS[value].label : value
  if (name === 'flag') return isFlag(value) ? value.replaceAll('_', ' ') : value
  return name === 'family' || name === 'first_hop' ? shortenFingerprint(value) : label
}

function isStatus(value: string): value is keyof typeof STATUS_WORDS {
  return Object.hasOwn(STATUS_WORDS, value)
}

function isFlag(value: string): value is keyof typeof FLAG_MEANINGS {
  return Object.hasOwn(FLAG_MEANINGS, value)
}

function renderSearch(query: ExitQuery, path: string): Html {
  const parameters = new URLSearchParams(formatExitQuery(query))
  return html`<form class="search" action="${path}" method="get" role="search">
    ${HIDDEN.map((name) => {
      const value = parameters.get(name)
      return value === null ? '' : html`<input type="hidden" name="${name}" value="${value}" />`
    })}
    <label for="q" class="sr">Nickname, AS or operator, or the beginning of a fingerprint or address</label>
    <input
      id="q"
      name="q"
      type="search"
      maxlength="100"
      value="${query.search ?? ''}"
      placeholder="nickname, address, AS …"
    />
    <button type="submit">Search</button>
  </form>`
}
