/**
 * The Worker over HTTP: `/` (page or JSON), `/status`, `/check`, `/ack`.
 *
 * **Invariant**: orders need a token in `Authorization`, and none is taken where none is configured. `/check` runs at most once in
 * half a minute, and tells no more than the cron would have told: incidents are told once.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { formatIsoTime } from '../core/clock.ts'
import { parseDuration } from '../core/duration.ts'
import { formatMonitorKey } from '../model/monitor-name.ts'
import { acknowledgeWorkerIncidents } from './acknowledge-incidents.ts'
import { hasToken } from './check-token.ts'
import type { InvocationParts } from './invocation-parts.ts'
import { runInvocation, type InvocationResult } from './run-invocation.ts'
import type { WorkerConfig, WorkerEnvironment } from './worker-config.ts'
import { renderWorkerError, renderWorkerPage, WORKER_STYLE } from './worker-page.ts'
import { composeHealth, readNameRows } from './worker-view.ts'
import type { Html } from '../web/html-value.ts'

/** Between two rounds that somebody asked for. */
const CHECK_PAUSE_MS = 30_000
const ACK_MS_MAX = 90 * 86_400_000
const TEXT_CHARS_MAX = 200
const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
}

/** What answering needs. */
export interface RequestParts extends InvocationParts {
  readonly config: WorkerConfig
  readonly environment: WorkerEnvironment
  readonly nowMs: number
}

/** Answers a request. Never rejects but on a bug. `open` gives what is needed, or says what is wrong with the configuration. */
export async function answerRequest(
  request: Request,
  environment: WorkerEnvironment,
  open: () => Promise<RequestParts>,
): Promise<Response> {
  const url = new URL(request.url)
  if (url.pathname === '/worker.css')
    return new Response(WORKER_STYLE, {
      headers: { ...SECURITY_HEADERS, 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'max-age=3600' },
    })
  const methods = METHODS[url.pathname]
  if (methods === undefined) return json(404, { error: 'there is nothing here' })
  if (!methods.includes(request.method))
    return json(405, { error: `${url.pathname} takes ${methods.join(' and ')}` }, { Allow: methods.join(', ') })
  const refused = await refuse(url.pathname, request, environment)
  if (refused !== undefined) return refused
  try {
    return await route(url, request, await open())
  } catch (error) {
    if (error instanceof ConfigError) return answerConfigError(url.pathname, request, error)
    if (error instanceof RunError) return json(503, { status: 'failed', error: error.message, hint: error.hint })
    throw error
  }
}

const METHODS: Readonly<Record<string, readonly string[]>> = {
  '/': ['GET', 'HEAD'],
  '/status': ['GET', 'HEAD'],
  '/check': ['GET', 'POST'],
  '/ack': ['POST'],
}

async function refuse(path: string, request: Request, environment: WorkerEnvironment): Promise<Response | undefined> {
  const authorization = request.headers.get('Authorization')
  if (path === '/' && (environment.CANDOR_READ_TOKEN ?? '').trim() !== '') {
    if (await hasToken(authorization, environment.CANDOR_READ_TOKEN, true)) return undefined
    return json(
      401,
      { error: 'reading needs a token' },
      { 'WWW-Authenticate': 'Basic realm="candor", charset="UTF-8"' },
    )
  }
  if (path !== '/check' && path !== '/ack') return undefined
  if ((environment.CANDOR_API_TOKEN ?? '').trim() === '')
    return json(403, { error: 'no token is configured', hint: 'npx wrangler secret put CANDOR_API_TOKEN' })
  if (await hasToken(authorization, environment.CANDOR_API_TOKEN, false)) return undefined
  return json(401, { error: `${path} needs "Authorization: Bearer TOKEN"` }, { 'WWW-Authenticate': 'Bearer' })
}

async function route(url: URL, request: Request, parts: RequestParts): Promise<Response> {
  const { config, memory, subrequests, nowMs, channel } = parts
  if (url.pathname === '/check') return check(url, parts)
  if (url.pathname === '/ack') return acknowledge(url, parts)
  const index = await memory.loadIndex(subrequests.kv)
  // What can wait is written with its batch and not with the index; one batch says that the cron runs.
  const first = index.batches.length === 0 ? undefined : await memory.loadBatch(subrequests.kv, 0)
  const lastWriteMs = Math.max(index.writtenAtMs, first?.writtenAtMs ?? 0)
  const health = composeHealth(config, index, lastWriteMs, channel !== null, nowMs)
  const isWell = health.status === 'ok' || health.status === 'waiting'
  if (url.pathname === '/status') return json(isWell ? 200 : 503, health)
  const rows = await readNameRows(config, memory, subrequests.kv, index, nowMs)
  if (!wantsPage(request)) return json(200, { ...health, monitors: rows }, { Vary: 'Accept' })
  return page(200, await renderWorkerPage(health, rows))
}

async function check(url: URL, parts: RequestParts): Promise<Response> {
  const { config, memory, subrequests, nowMs } = parts
  const domain = url.searchParams.get('domain')?.toLowerCase().replace(/\.$/, '') ?? null
  const type = url.searchParams.get('type')?.toUpperCase() ?? null
  const wanted = config.plan.names.filter(
    (name) => (domain === null || name.domain === domain) && (type === null || name.type === type),
  )
  if (wanted.length === 0) return json(404, { error: 'no such name is watched' })
  const { checkedAtMs } = await memory.loadIndex(subrequests.kv)
  const waitMs = checkedAtMs === null ? 0 : checkedAtMs + CHECK_PAUSE_MS - nowMs
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1_000)
    return json(429, { error: `the next check can be made in ${seconds} s` }, { 'Retry-After': String(seconds) })
  }
  const keys = domain === null && type === null ? [] : wanted.map(formatMonitorKey)
  return json(200, formatCheck(await runInvocation(parts, { atMs: nowMs, wanted: keys }), nowMs))
}

function formatCheck(
  { judged, asked, isDown, messages, subrequests, writes }: InvocationResult,
  nowMs: number,
): object {
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

function answerConfigError(
  path: string,
  request: Request,
  { path: place, message, hint }: ConfigError,
): Response | Promise<Response> {
  if (path === '/' && wantsPage(request))
    return Promise.resolve(
      renderWorkerError('The configuration cannot be used', [`${place}: ${message}`, `right: ${hint}`]),
    ).then((body) => page(500, body))
  return json(path === '/status' ? 503 : 500, { status: 'misconfigured', error: { place, message, hint } })
}

function wantsPage(request: Request): boolean {
  const accept = request.headers.get('Accept') ?? ''
  const [pageAt, jsonAt] = [accept.indexOf('text/html'), accept.indexOf('application/json')]
  return pageAt >= 0 && (jsonAt < 0 || pageAt < jsonAt)
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(body, null, 2)}\n`, {
    status,
    headers: { ...SECURITY_HEADERS, 'Content-Type': 'application/json; charset=utf-8', ...headers },
  })
}

function page(status: number, body: Awaited<Html>): Response {
  return new Response(String(body), {
    status,
    headers: { ...SECURITY_HEADERS, 'Content-Type': 'text/html; charset=utf-8', Vary: 'Accept' },
  })
}
