/**
 * The addresses of the monitor's pages, and the form that acknowledges an incident.
 *
 * Invariant: what a browser sends by itself gives no order: the form carries a token that its reader typed.
 */
import type { Context, Hono } from 'hono'
import type { AccessGuard } from '../api/access.ts'
import { PROBLEMS, type ProblemName } from '../api/problem.ts'
import { readBodyOctets } from '../api/read-json-body.ts'
import { originOf } from '../api/request-origin.ts'
import type { Clock } from '../core/clock.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { MonitorSource, NamedIncident } from '../model/monitor-view.ts'
import { createPage } from './create-page.ts'
import { renderProblemPage } from './message-page.ts'
import { renderMonitorIncidentPage } from './monitor-incidents.ts'
import { parseLaneSpan, renderMonitorNamePage } from './monitor-name-page.ts'
import { parseMonitorList, renderMonitorPage } from './monitor-page.ts'

/** A week of a name that rotates each minute. */
const ROUNDS_MAX = 11_000
const HOURS_MAX = 10_000
const CHANGES_MAX = 100
const INCIDENTS_MAX = 100
/** Rounds of an incident that its page shows, and how far around its beginning they are looked for. */
const EVIDENCE_ROUNDS = 6
const EVIDENCE_MS = 120_000
const DELIVERIES_SEARCHED_MAX = 2_000
const DELIVERIES_MAX = 50
const HOUR_MS = 3_600_000
/** What the form can ask for. */
const SPANS: Readonly<Record<string, number>> = { '4h': 4 * HOUR_MS, '24h': 24 * HOUR_MS, '168h': 168 * HOUR_MS }
const INCIDENT = '/incidents/:id{monitor-[0-9a-f]{16}-[0-9]+}'

/** What these pages read from. */
export interface MonitorPageSources {
  readonly monitor?: MonitorSource | undefined
  readonly outbox?: Pick<AlertOutbox, 'list'> | undefined
  readonly clock: Clock
  readonly access: AccessGuard
}

/** Adds the pages to `app`; none where nothing can be watched. */
export function addMonitorPages(app: Hono, sources: MonitorPageSources): void {
  const { monitor, clock } = sources
  if (monitor === undefined) return
  const showList = (context: Context, owner: string | undefined, path: string): Promise<Response> => {
    const list = parseMonitorList(new URL(context.req.url).searchParams, owner)
    if (list === undefined) return problem('bad-parameter', 'No such value for standing.')
    return createPage(renderMonitorPage(monitor.names(), monitor.summary(), list, path, clock.wallNowMs()))
  }
  app.get('/monitor', (context) => showList(context, undefined, '/monitor'))
  app.get('/monitor/owners/:owner', (context) => {
    const owner = context.req.param('owner')
    if (!monitor.names().some(({ monitored }) => monitored.owner === owner))
      return problem('not-found', 'No name of this owner is watched.')
    return showList(context, owner, `/monitor/owners/${encodeURIComponent(owner)}`)
  })
  app.get('/monitor/names/:domain/:type', (context) => showName(context, monitor, clock))
  app.get(INCIDENT, async (context) => {
    const found = await monitor.incident(context.req.param('id'))
    return found === undefined ? noSuchIncident() : showIncident(sources, monitor, found, null)
  })
  app.post(`${INCIDENT}/acknowledge`, (context) => acknowledge(context, sources, monitor))
}

async function showName(context: Context, monitor: MonitorSource, clock: Clock): Promise<Response> {
  const key = `${(context.req.param('domain') ?? '').toLowerCase()}/${(context.req.param('type') ?? '').toUpperCase()}`
  const view = monitor.name(key)
  if (view === undefined) return problem('not-found', 'This name is not watched with this type.')
  const span = parseLaneSpan(context.req.query('span') ?? null)
  if (span === undefined) return problem('bad-parameter', 'No such value for span.')
  const toMs = clock.wallNowMs()
  const fromMs = toMs - span.ms
  return createPage(
    renderMonitorNamePage({
      view,
      span: span.span,
      fromMs,
      toMs,
      rounds: await monitor.rounds(key, fromMs, ROUNDS_MAX),
      hours: await monitor.hours(key, fromMs, HOURS_MAX),
      incidents: await monitor.incidents({ key, limit: INCIDENTS_MAX }),
      changes: await monitor.changes(key, CHANGES_MAX),
    }),
  )
}

async function showIncident(
  { outbox, access }: MonitorPageSources,
  monitor: MonitorSource,
  named: NamedIncident,
  notice: string | null,
): Promise<Response> {
  const { openedAtMs, key } = named.incident
  const all = await monitor.rounds(named.key, openedAtMs - EVIDENCE_MS, ROUNDS_MAX)
  const near = all.filter(({ atMs }) => atMs <= openedAtMs + EVIDENCE_MS).slice(-EVIDENCE_ROUNDS)
  const deliveries = await outbox?.list(['waiting', 'sending', 'sent', 'dead'], DELIVERIES_SEARCHED_MAX)
  const own = deliveries?.filter(({ messageId }) => messageId.endsWith(key.slice(0, 16)))
  return createPage(
    renderMonitorIncidentPage({
      named,
      rounds: near,
      deliveries: own?.slice(0, DELIVERIES_MAX),
      takesOrders: access.takesOrders(),
      notice,
    }),
  )
}

async function acknowledge(context: Context, sources: MonitorPageSources, monitor: MonitorSource): Promise<Response> {
  const { clock, access } = sources
  const form = await readForm(context.req.raw, clock)
  if (form === undefined) return problem('bad-body', 'The form was not understood.')
  const origin = context.req.header('origin')
  if (origin !== undefined && origin !== 'null' && new URL(origin).host !== context.req.header('host'))
    return problem('not-allowed', 'The form was sent by another site.')
  const token = form.get('token') ?? ''
  const decision = await access.check('write', originOf(context), token === '' ? undefined : `Bearer ${token}`)
  if (!decision.granted) return problem(decision.problem, decision.detail)
  const found = await monitor.incident(context.req.param('id') ?? '')
  if (found === undefined) return noSuchIncident()
  const who = (form.get('who') ?? '').trim().slice(0, 100)
  const spanMs = SPANS[form.get('for') ?? '24h']
  if (who === '' || spanMs === undefined) return problem('bad-body', 'The form needs a name and one of the spans.')
  const isAccepted = form.get('accept') === 'yes'
  const note = (form.get('note') ?? '').slice(0, 1_000)
  const untilMs = Math.round(clock.wallNowMs()) + spanMs
  const count = await monitor.acknowledge(found.incident.key, { who, note, untilMs }, isAccepted)
  const after = (await monitor.incident(found.id)) ?? found
  const done = isAccepted
    ? 'It is accepted: what was new is known now.'
    : 'It is acknowledged; no reminders until then.'
  return showIncident(sources, monitor, after, count === 0 ? 'It was over already.' : done)
}

async function readForm(request: Request, clock: Clock): Promise<URLSearchParams | undefined> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined
  const octets = await readBodyOctets(request, clock)
  return typeof octets === 'string' ? undefined : new URLSearchParams(new TextDecoder().decode(octets))
}

function noSuchIncident(): Promise<Response> {
  return problem('not-found', 'No incident with this id is kept.')
}

function problem(name: ProblemName, detail: string): Promise<Response> {
  return createPage(renderProblemPage(name, detail), PROBLEMS[name].status)
}
