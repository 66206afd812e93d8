/** Incidents: the open ones with their evidence, and those that ended. */
import { html, raw } from 'hono/html'
import { formatIsoTime, parseTime } from '../core/clock.ts'
import type { ExitIncident, IncidentQuery } from '../model/incident.ts'
import type { MonitorSource, NamedIncident } from '../model/monitor-view.ts'
import { renderStatusBadge } from './badges.ts'
import { formatCount, formatCounted, formatMinute } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { formatIncidentEvidence } from './incident-words.ts'
import { renderLayout } from './layout.ts'
import { renderMonitorIncidents } from './monitor-incidents.ts'

const DAY_MS = 86_400_000
/** Days that a link can ask for at once. */
const DAYS_MAX = 62
/** Incidents on one page; the API gives all. */
const INCIDENTS_MAX = 200

/** Reads incidents: what these pages need of the store. */
export interface IncidentReader {
  list(query: IncidentQuery): Promise<readonly ExitIncident[]>
}

/** Which incidents are shown. */
export interface IncidentsView {
  readonly status: 'open' | 'closed'
  /** Only those that began on this day, `2026-01-31`. */
  readonly day: string | undefined
  /** How many days from that one on. */
  readonly days: number
}

/** Reads the parameters. @returns `undefined` when one of them is not understood. */
export function parseIncidentsView(parameters: URLSearchParams): IncidentsView | undefined {
  const status = parameters.get('status') ?? 'open'
  const day = parameters.get('day') ?? undefined
  if (status !== 'open' && status !== 'closed') return undefined
  if (day !== undefined && !(/^\d{4}-\d\d-\d\d$/.test(day) && parseTime(`${day}T00:00:00.000Z`) > 0)) return undefined
  const days = parameters.get('days') ?? '1'
  if (!/^\d{1,2}$/.test(days) || Number(days) < 1 || Number(days) > DAYS_MAX) return undefined
  return { status, day, days: Number(days) }
}

/** Renders the page. Without `incidents` nothing is kept, which the page says. */
export async function renderIncidentsPage(
  incidents: IncidentReader | undefined,
  view: IncidentsView,
  monitor?: MonitorSource,
): Promise<Html> {
  const { status, day } = view
  const found =
    incidents === undefined
      ? []
      : day === undefined
        ? await incidents.list({ status, limit: INCIDENTS_MAX })
        : await listOfDays(incidents, day, view.days)
  return renderLayout({
    title: 'Incidents',
    section: 'incidents',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">DNS at Tor exits</p>
        <h1>${formatSentence(incidents, found, view)}</h1>
        <p class="second">
          An incident begins when an exit has failed often enough in a row, and ends when it has answered right twice.
          Runs that did not reach it change nothing. Each verdict was confirmed over other first hops where that was
          possible.
        </p>
      </section>
      <div class="section-bar" id="views">
        <nav class="views" aria-label="Which incidents">
          <a href="/incidents" ${status === 'open' && day === undefined ? raw('aria-current="page"') : ''}>Open</a
          ><a
            href="/incidents?status=closed"
            ${status === 'closed' && day === undefined ? raw('aria-current="page"') : ''}
            >Ended</a
          >${day === undefined ? '' : html`<a href="/incidents?day=${day}" aria-current="page">Begun on ${day}</a>`}
        </nav>
      </div>
      ${found.length === 0 ? html`<p class="empty" id="incidents">${formatNothing(incidents, view)}</p>` : html`<div id="incidents">${renderIncidentTable(found)}</div>`}
      ${found.length < INCIDENTS_MAX ? '' : html`<p class="shown" id="more">Only the newest ${formatCount(INCIDENTS_MAX)} are shown.</p>`}
      ${monitor === undefined || monitor.names().length === 0 ? '' : renderOfNames(await listOfNames(monitor, view), status)}`,
  })
}

async function listOfNames(
  monitor: MonitorSource,
  { status, day, days }: IncidentsView,
): Promise<readonly NamedIncident[]> {
  if (day === undefined) return monitor.incidents({ status, limit: INCIDENTS_MAX })
  const fromMs = parseTime(`${day}T00:00:00.000Z`)
  const found = await monitor.incidents({ sinceMs: fromMs, limit: 10_000 })
  const isOfDays = ({ incident: { openedAtMs } }: NamedIncident): boolean =>
    openedAtMs >= fromMs && openedAtMs < fromMs + days * DAY_MS
  return found.filter(isOfDays).slice(0, INCIDENTS_MAX)
}

function renderOfNames(found: readonly NamedIncident[], status: IncidentsView['status']): Html {
  const none = status === 'open' ? 'No incident of a watched name is open.' : 'No incident of a watched name has ended.'
  return html`<section id="names" aria-labelledby="names-title">
    <h2 id="names-title">Watched names</h2>
    ${found.length === 0 ? html`<p class="empty">${none}</p>` : renderMonitorIncidents(found)}
  </section>`
}

async function listOfDays(incidents: IncidentReader, day: string, days: number): Promise<readonly ExitIncident[]> {
  const found = await incidents.list({ since: `${day}T00:00:00.000Z`, limit: 10_000 })
  const end = formatIsoTime(parseTime(`${day}T00:00:00.000Z`) + days * DAY_MS)
  return found.filter(({ openedAt }) => openedAt >= day && openedAt < end).slice(0, INCIDENTS_MAX)
}

function formatSentence(
  incidents: IncidentReader | undefined,
  found: readonly ExitIncident[],
  { status, day, days }: IncidentsView,
): string {
  if (incidents === undefined) return 'Incidents are not kept here.'
  const count = formatCounted(found.length, 'incident', 'incidents')
  if (day !== undefined) return `${count} began on ${day}${days === 1 ? '' : ` or in the ${days - 1} days after it`}.`
  if (status === 'closed') return found.length === 0 ? 'No incident has ended yet.' : `${count} ended.`
  if (found.length === 0) return 'No incident is open.'
  return `${count} ${found.length === 1 ? 'is' : 'are'} open.`
}

function formatNothing(incidents: IncidentReader | undefined, { day }: IncidentsView): string {
  if (incidents === undefined)
    return 'Only the daemon follows exits from run to run. Here there is none, so nothing can be said about incidents.'
  return day === undefined ? 'Nothing to list.' : 'No incident began on that day.'
}

/** Renders incidents as a table, in their order. */
export function renderIncidentTable(incidents: readonly ExitIncident[]): Html {
  return html`<div class="scroll framed" role="region" aria-label="Incidents, table" tabindex="0">
    <table class="incidents">
      <thead>
        <tr>
          <th scope="col">exit</th>
          <th scope="col">what</th>
          <th scope="col" class="wide">evidence</th>
          <th scope="col">since</th>
          <th scope="col" class="wide">last failure</th>
          <th scope="col" class="wide">operator</th>
        </tr>
      </thead>
      <tbody>
        ${incidents.map(renderRow)}
      </tbody>
    </table>
  </div>`
}

function renderRow(incident: ExitIncident): Html {
  return html`<tr>
    <th scope="row">
      <a href="/incidents/${incident.id}"><bdi>${incident.nickname}</bdi></a>
      <span class="sub">${incident.exitAddress}</span>
    </th>
    <td>
      ${renderStatusBadge(incident.failureType)}${incident.family === 'ipv6' ? html` <span class="flag">IPv6</span>` : ''}
      ${renderState(incident)}
    </td>
    <td class="wide evidence">${formatIncidentEvidence(incident)}</td>
    <td class="moment">${formatMinute(incident.firstSeen)}</td>
    <td class="moment wide">${formatMinute(incident.lastSeen)}</td>
    <td class="wide"><bdi>${incident.operator ?? 'not known'}</bdi></td>
  </tr>`
}

/** What became of it, in words. */
function renderState({ status, closedAt }: ExitIncident): Html | string {
  if (status === 'open') return ''
  const when = closedAt === null ? '' : ` ${formatMinute(closedAt)}`
  return html`<span class="sub"
    >${status === 'recovered' ? `recovered${when}` : `lapsed${when}: not heard of any more`}</span
  >`
}
