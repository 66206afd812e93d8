/**
 * The Worker over HTTP: `/status`, `/check` and `/ack` here; `/`, pages and API are the site's.
 *
 * **Invariant**: orders need a token in `Authorization`, and none is taken where none is configured. A configuration that cannot be
 * used answers everything but what pages load.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { formatIsoTime } from '../core/clock.ts'
import { parseDuration } from '../core/duration.ts'
import { formatMonitorKey } from '../model/monitor-name.ts'
import { createPage } from '../web/create-page.ts'
import { acknowledgeWorkerIncidents } from './acknowledge-incidents.ts'
import { hasToken } from './check-token.ts'
import { checkNow, createWorkerOrders } from './give-orders.ts'
import type { SnapshotLoader } from './load-snapshot.ts'
import { renderConfigError } from './render-config-error.ts'
import type { InvocationResult } from './run-invocation.ts'
import type { WorkerEnvironment } from './worker-config.ts'
import { composeHealth } from './worker-health.ts'
import type { RequestParts } from './worker-request.ts'
import { frame, wantsPage, type SiteState, type WorkerSite } from './worker-site.ts'

const ACK_MS_MAX = 90 * 86_400_000
const TEXT_CHARS_MAX = 200
const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
}

/** What requests are answered with; of one instance. */
export interface AnswerParts {
  readonly site: WorkerSite
  readonly snapshots: SnapshotLoader
}

const METHODS: Readonly<Record<string, readonly string[]>> = {
  '/status': ['GET', 'HEAD'],
  '/check': ['GET', 'POST'],
  '/ack': ['POST'],
}

/** Answers. Rejects only on a bug. `open` says what is wrong with the configuration. @throws {BugError} */
export async function answerRequest(
  { site, snapshots }: AnswerParts,
  request: Request,
  environment: WorkerEnvironment,
  open: () => Promise<RequestParts>,
): Promise<Response> {
  const url = new URL(request.url)
  const methods = METHODS[url.pathname]
  if (methods?.includes(request.method) === false)
    return json(405, { error: `${url.pathname} takes ${methods.join(' and ')}` }, { Allow: methods.join(', ') })
  try {
    if (methods === undefined) return await site.fetch(request, environment, () => load(snapshots, open))
    if (url.pathname === '/status') return await answerStatus(await open())
    const refused = await refuse(url.pathname, request, environment)
    if (refused !== undefined) return refused
    snapshots.forget()
    return await (url.pathname === '/check' ? check : acknowledge)(url, await open())
  } catch (error) {
    if (error instanceof ConfigError) return answerConfigError(url.pathname, request, error)
    if (error instanceof RunError) return json(503, { status: 'failed', error: error.message, hint: error.hint })
    throw error
  }
}

async function load(snapshots: SnapshotLoader, open: () => Promise<RequestParts>): Promise<SiteState> {
  const parts = await open()
  const snapshot = await snapshots.load(parts)
  const orders = createWorkerOrders(parts, snapshot, () => {
    snapshots.forget()
  })
  return { parts, snapshot, orders }
}

async function answerStatus(parts: RequestParts): Promise<Response> {
  const { memory, subrequests } = parts
  const index = await memory.loadIndex(subrequests.kv)
  // What can wait is written with its batch and not with the index; one batch says that the cron runs.
  const first = index.batches.length === 0 ? undefined : await memory.loadBatch(subrequests.kv, 0)
  const lastWriteMs = Math.max(index.writtenAtMs, first?.writtenAtMs ?? 0)
  const health = composeHealth(parts, index, lastWriteMs === 0 ? null : lastWriteMs)
  return json(health.status === 'ok' || health.status === 'waiting' ? 200 : 503, health)
}

async function refuse(path: string, request: Request, environment: WorkerEnvironment): Promise<Response | undefined> {
  if ((environment.CANDOR_API_TOKEN ?? '').trim() === '')
    return json(403, { error: 'no token is configured', hint: 'npx wrangler secret put CANDOR_API_TOKEN' })
  if (await hasToken(request.headers.get('Authorization'), environment.CANDOR_API_TOKEN)) return undefined
  return json(401, { error: `${path} needs "Authorization: Bearer TOKEN"` }, { 'WWW-Authenticate': 'Bearer' })
}

async function check(url: URL, parts: RequestParts): Promise<Response> {
  const domain = url.searchParams.get('domain')?.toLowerCase().replace(/\.$/, '') ?? null
  const type = url.searchParams.get('type')?.toUpperCase() ?? null
  const wanted = parts.plan.names.filter(
    (name) => (domain === null || name.domain === domain) && (type === null || name.type === type),
  )
  if (wanted.length === 0) return json(404, { error: 'no such name is watched' })
  const outcome = await checkNow(parts, domain === null && type === null ? [] : wanted.map(formatMonitorKey))
  if (outcome.kind === 'done') return json(200, formatCheck(outcome.result, parts.nowMs))
  const seconds = Math.ceil(outcome.waitMs / 1_000)
  return json(429, { error: `the next check can be made in ${seconds} s` }, { 'Retry-After': String(seconds) })
}

function formatCheck(result: InvocationResult, nowMs: number): object {
  const { judged, asked, isDown, messages, subrequests, writes } = result
  return {
    checked_at: formatIsoTime(nowMs),
    asked,
    is_vantage_down: isDown,
    messages,
    subrequests,
    writes,
    results: judged.map(({ due: { monitored }, judged: { class: roundClass, isBaseline }, after, notices }) => ({
      name: monitored.name,
      domain: monitored.domain,
      record_type: monitored.type,
      class: roundClass,
      is_baseline: isBaseline,
      answers: after.last?.answers ?? [],
      told: notices.map(({ title }) => title),
    })),
  }
}

async function acknowledge(url: URL, parts: RequestParts): Promise<Response> {
  const text = (name: string, without: string): string =>
    (url.searchParams.get(name) ?? without).slice(0, TEXT_CHARS_MAX)
  const keyStart = text('key', '').toLowerCase()
  if (!/^[\da-f]{8,64}$/.test(keyStart))
    return json(400, { error: 'key is the beginning of an incident, 8 digits or more' })
  const forMs = parseDuration(text('for', '24h'))
  if (!(forMs > 0 && forMs <= ACK_MS_MAX)) return json(400, { error: 'for is a duration up to 2160h', hint: 'for=24h' })
  const acknowledgement = { who: text('who', 'somebody'), note: text('note', ''), untilMs: parts.nowMs + forMs }
  const isAccepted = ['1', 'true', 'yes'].includes(text('accept', ''))
  const count = await acknowledgeWorkerIncidents(parts, keyStart, acknowledgement, isAccepted, parts.nowMs)
  if (count === 0) return json(404, { error: 'no open incident has this key' })
  return json(200, { acknowledged: count, accepted: isAccepted })
}

async function answerConfigError(path: string, request: Request, error: ConfigError): Promise<Response> {
  if (path !== '/status' && wantsPage(request)) return frame(await createPage(renderConfigError(error), 500))
  const { path: place, message, hint } = error
  return json(path === '/status' ? 503 : 500, { status: 'misconfigured', error: { place, message, hint } })
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(body, null, 2)}\n`, { status, headers: { ...HEADERS, ...headers } })
}
