/** Watched names: how each stands, how its answers move, and what was seen last; of all, or of one owner. */
import { html, raw } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import { MONITOR_STANDINGS, type MonitorStanding, type MonitorSummary, type NameView } from '../model/monitor-view.ts'
import { formatCount, formatCounted, formatMinute, formatOctets, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { formatValue } from './monitor-lanes.ts'
import { MODE_LABELS, STANDING_LABELS } from './monitor-words.ts'

/** Names on one page; the API gives all. */
const NAMES_MAX = 500
/** Values of an answer that stand in the table. */
const VALUES_MAX = 3

/** Which names are shown. */
export interface MonitorList {
  readonly standing: MonitorStanding | undefined
  readonly category: string | undefined
  /** `undefined` for all owners. */
  readonly owner: string | undefined
  /** A part of a name or domain. */
  readonly search: string
}

/** Reads the parameters. @returns `undefined` when one of them is not understood. */
export function parseMonitorList(parameters: URLSearchParams, owner: string | undefined): MonitorList | undefined {
  const word = parameters.get('standing') ?? undefined
  const standing = MONITOR_STANDINGS.find((each) => each === word)
  if (word !== undefined && standing === undefined) return undefined
  return {
    standing,
    category: parameters.get('category') ?? undefined,
    owner: owner ?? parameters.get('owner') ?? undefined,
    search: (parameters.get('search') ?? '').trim().toLowerCase().slice(0, 253),
  }
}

/** Renders the page. `path`: its own address, without its query. */
export function renderMonitorPage(
  names: readonly NameView[],
  summary: MonitorSummary,
  list: MonitorList,
  path: string,
  nowMs: number,
): Html {
  const own = names.filter(({ monitored }) => list.owner === undefined || monitored.owner === list.owner)
  const ofCategory = own.filter(({ monitored }) => list.category === undefined || monitored.category === list.category)
  const found = ofCategory.filter(
    ({ standing, monitored }) =>
      (list.standing === undefined || standing === list.standing) &&
      `${monitored.name} ${monitored.domain}`.toLowerCase().includes(list.search),
  )
  return renderLayout({
    title: list.owner === undefined ? 'Monitor' : `Names of ${list.owner}`,
    section: 'monitor',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          ${list.owner === undefined ? 'Watched names' : html`<a href="/monitor">Watched names</a> · owner <bdi>${list.owner}</bdi>`}
        </p>
        <h1>${formatMonitorSentence(own)}</h1>
        ${own.length === 0 ? renderNothing() : renderSecond(summary, list.owner === undefined, nowMs)}
        ${summary.problems.map((problem) => html`<p class="alert" role="alert">${problem}</p>`)}
      </section>
      ${
        own.length === 0
          ? ''
          : html`<section id="names" aria-label="Names">
              <div class="filters">
                ${renderStandings(ofCategory, list, path)} ${renderCategories(own, list, path)}
                ${renderSearch(list, path)}
              </div>
              <p class="shown">
                ${formatCount(found.length)} of
                ${formatCounted(own.length, 'name and type', 'names and types')}${found.length > NAMES_MAX ? `, the first ${formatCount(NAMES_MAX)} are shown` : ''}
              </p>
              ${found.length === 0 ? html`<p class="empty">No name is like that.</p>` : renderTable(found.slice(0, NAMES_MAX), list.owner === undefined)}
            </section>`
      }`,
  })
}

/** One sentence about names: how many are as usual, and what is wrong. */
export function formatMonitorSentence(names: readonly Pick<NameView, 'standing'>[]): string {
  const count = (standing: MonitorStanding): number => names.filter((each) => each.standing === standing).length
  if (names.length === 0) return 'No name is watched.'
  const parts = [
    `${formatCount(count('steady'))} as usual`,
    ...(count('incident') === 0 ? [] : [`${formatCount(count('incident'))} with an incident`]),
    ...(count('unanswered') === 0 ? [] : [`${formatCount(count('unanswered'))} without an answer`]),
    ...(count('learning') === 0 ? [] : [`${formatCount(count('learning'))} still being learned`]),
    ...(count('waiting') === 0 ? [] : [`${formatCount(count('waiting'))} not asked yet`]),
  ]
  return `${formatCounted(names.length, 'name is', 'names are')} watched: ${parts.join(', ')}.`
}

function renderNothing(): Html {
  return html`<p class="second">
    A table <code>[monitor]</code> in the configuration of the daemon, with <code>include = "dns-monitor.toml"</code>,
    says which names are watched.
  </p>`
}

function renderSecond(
  { lastRoundMs, downSinceMs, usedOctets, budgetOctets }: MonitorSummary,
  isAll: boolean,
  nowMs: number,
): Html {
  if (downSinceMs !== null)
    return html`<p class="alert" role="alert">
      Most names get no answer since ${formatMinute(formatIsoTime(downSinceMs))}: the trouble is here, and nothing is
      judged until it is over.
    </p>`
  const when =
    lastRoundMs === null
      ? 'No round was made yet.'
      : `The last round was ${formatSpan(Math.max(0, nowMs - lastRoundMs))} ago.`
  return html`<p class="second">
    ${when} ${isAll ? `What was seen takes ${formatOctets(usedOctets)} of ${formatOctets(budgetOctets)}.` : ''}
    <a href="/how/monitor-classes">How a change is judged</a>
  </p>`
}

function linkOf(
  path: string,
  list: MonitorList,
  change: Partial<Record<'standing' | 'category', string | undefined>>,
): string {
  const parameters = new URLSearchParams()
  const merged = { standing: list.standing, category: list.category, ...change }
  for (const [name, value] of Object.entries(merged)) if (value !== undefined) parameters.set(name, value)
  if (list.search !== '') parameters.set('search', list.search)
  if (list.owner !== undefined && path === '/monitor') parameters.set('owner', list.owner)
  const query = parameters.toString()
  return query === '' ? path : `${path}?${query}`
}

function renderStandings(names: readonly NameView[], list: MonitorList, path: string): Html {
  const chip = (standing: MonitorStanding | undefined, label: string, count: number): Html =>
    html`<a
      class="chip"
      href="${linkOf(path, list, { standing })}"
      ${standing === list.standing ? raw('aria-current="true"') : ''}
      >${label} <span>${formatCount(count)}</span></a
    >`
  return html`<nav class="chips" aria-label="How they stand">
    ${chip(undefined, 'all', names.length)}
    ${MONITOR_STANDINGS.flatMap((standing) => {
      const count = names.filter((each) => each.standing === standing).length
      return count === 0 ? [] : [chip(standing, STANDING_LABELS[standing].label, count)]
    })}
  </nav>`
}

function renderCategories(names: readonly NameView[], list: MonitorList, path: string): Html | string {
  const groups = Map.groupBy(names, ({ monitored }) => monitored.category)
  if (groups.size < 2) return ''
  const categories = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return html`<nav class="chips" aria-label="Category">
    ${categories.map(([category, { length }]) => {
      const isChosen = category === list.category
      const target = linkOf(path, list, { category: isChosen ? undefined : category })
      return html`<a class="chip" href="${target}" ${isChosen ? raw('aria-current="true"') : ''}
        >${category === '' ? 'no category' : category} <span>${formatCount(length)}</span></a
      >`
    })}
  </nav>`
}

function renderSearch(list: MonitorList, path: string): Html {
  return html`<form class="search" action="${path}" role="search">
    ${list.standing === undefined ? '' : html`<input type="hidden" name="standing" value="${list.standing}" />`}
    ${list.category === undefined ? '' : html`<input type="hidden" name="category" value="${list.category}" />`}
    ${list.owner === undefined || path !== '/monitor' ? '' : html`<input type="hidden" name="owner" value="${list.owner}" />`}
    <input
      type="search"
      name="search"
      value="${list.search}"
      placeholder="name or domain"
      aria-label="Name or domain"
    />
    <button>Search</button>
  </form>`
}

function renderTable(names: readonly NameView[], hasOwners: boolean): Html {
  return html`<div class="scroll framed" role="region" aria-label="Names, table" tabindex="0">
    <table class="names">
      <thead>
        <tr>
          <th scope="col">name</th>
          <th scope="col">stands</th>
          <th scope="col">answers are</th>
          <th scope="col" class="wide">last answer</th>
          <th scope="col" class="wide">unchanged since</th>
          ${hasOwners ? html`<th scope="col" class="wide">owner</th>` : ''}
        </tr>
      </thead>
      <tbody>
        ${names.map((view) => renderRow(view, hasOwners))}
      </tbody>
    </table>
  </div>`
}

function renderRow({ key, monitored, standing, observedMode, last, open }: NameView, hasOwners: boolean): Html {
  const { owner } = monitored
  const values = [...new Set(last?.answers.flatMap((answer) => answer.values) ?? [])]
  const more = values.length > VALUES_MAX ? ` and ${values.length - VALUES_MAX} more` : ''
  return html`<tr>
    <th scope="row">
      <a href="/monitor/names/${key}"><bdi>${monitored.name}</bdi></a>
      <span class="sub mono">${monitored.domain} ${monitored.type}</span>
    </th>
    <td>
      ${renderStanding(standing)}${open.length === 0 ? '' : html`<span class="sub">${open[0]?.severity}, since ${formatMinute(formatIsoTime(open[0]?.openedAtMs ?? 0))}</span>`}
    </td>
    <td>
      ${monitored.mode === 'pin' ? html`<span class="flag">pinned</span> ` : ''}${MODE_LABELS[observedMode].label}
    </td>
    <td class="wide answer mono">
      ${values.length === 0 ? (last?.answers[0]?.reason ?? '–') : `${values.slice(0, VALUES_MAX).map(formatValue).join(', ')}${more}`}
    </td>
    <td class="wide moment">${last === null ? '–' : formatMinute(formatIsoTime(last.atMs))}</td>
    ${hasOwners ? html`<td class="wide">${owner === null ? '–' : html`<a href="/monitor/owners/${encodeURIComponent(owner)}"><bdi>${owner}</bdi></a>`}</td>` : ''}
  </tr>`
}

/** How a name stands, as a badge. */
export function renderStanding(standing: MonitorStanding): Html {
  const { label, mark, style } = STANDING_LABELS[standing]
  return html`<span class="badge ${style}"><span aria-hidden="true">${mark}</span> ${label}</span>`
}
