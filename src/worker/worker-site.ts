/**
 * The pages and the API of the Worker: those of the daemon, as far as KV can serve them, in a frame that leads to nothing else.
 *
 * **Invariant**: what a page brings is escaped already, so that the frame's own marks occur in it once; a test looks.
 */
import { Hono } from 'hono'
import { createAccessGuard, digest, type ApiToken } from '../api/access.ts'
import { createReadGuard, createRequestGuard } from '../api/guard-requests.ts'
import { formatMonitorRow } from '../api/monitor-schemas.ts'
import { createMonitorsResource } from '../api/monitors-resource.ts'
import { createOwnerReach } from '../api/owner-reach.ts'
import { mountOperations } from '../api/mount-operations.ts'
import { createProblemResponse } from '../api/problem.ts'
import { assert } from '../core/assert.ts'
import type { Clock } from '../core/clock.ts'
import type { DocumentSource } from '../model/document-source.ts'
import { addAssets } from '../web/add-assets.ts'
import { addMonitorPages } from '../web/add-monitor-pages.ts'
import { createPage } from '../web/create-page.ts'
import { renderHowPage } from '../web/how-pages.ts'
import { renderProblemPage } from '../web/message-page.ts'
import { parseOwnerTokens, type WorkerEnvironment } from './worker-config.ts'
import { composeHealth } from './worker-health.ts'
import type { RequestParts } from './worker-request.ts'
import { createWorkerSource, type WorkerOrders, type WorkerSnapshot } from './worker-source.ts'

/** What one request is answered from. */
export interface SiteState {
  readonly parts: RequestParts
  readonly snapshot: WorkerSnapshot
  readonly orders: WorkerOrders
}

/** Answers requests about names. */
export interface WorkerSite {
  fetch(request: Request, environment: WorkerEnvironment, load: () => Promise<SiteState>): Promise<Response>
}

const NAVIGATION = '<nav aria-label="Pages"><a href="/monitor">Names</a><a href="/status">Status</a></nav>'
const FOOT = '<p>For programs: <a href="/api/v1/monitors">/api/v1/monitors</a>, <a href="/status">/status</a></p>'

/** Makes the site of one instance. `documents`: those that pages lead to, by name. */
export function createWorkerSite(clock: Clock, documents: Readonly<Record<string, string>>): WorkerSite {
  let held: { environment: WorkerEnvironment; host: string; load: () => Promise<SiteState> } | undefined
  let state: SiteState | undefined
  const current = (): SiteState => {
    assert(state !== undefined, 'a request is answered after it was read for')
    return state
  }
  const source = createWorkerSource(
    clock,
    () => current().snapshot,
    () => current().orders,
  )
  const access = createAccessGuard(
    {
      tokens: () => listTokens(held?.environment),
      isReadProtected: () =>
        hasText(held?.environment.CANDOR_READ_TOKEN) || hasText(held?.environment.CANDOR_OWNER_TOKENS),
    },
    clock,
  )
  const read = async (): Promise<void> => {
    state = (await held?.load()) ?? state
  }
  const reach = createOwnerReach(source)
  const app = new Hono()
  // Whatever name Cloudflare brings requests under is ours.
  app.use(
    createRequestGuard(() => (held === undefined ? [] : [held.host])),
    createReadGuard(access, async (url, owner) => {
      await read()
      return reach(url, owner)
    }),
  )
  addAssets(app)
  app.use(async (_context, next) => {
    await read()
    await next()
  })
  app.get('/', () => {
    const { parts, snapshot } = current()
    const health = composeHealth(
      parts,
      snapshot.index,
      Math.max(snapshot.index.writtenAtMs, source.summary().lastRoundMs ?? 0) || null,
    )
    return Response.json({ ...health, monitors: source.names().map(formatMonitorRow) })
  })
  mountOperations(app, createMonitorsResource(source, clock), { access, clock })
  app.all('/api/:rest{.+}', () => createProblemResponse('not-found', 'The API has no such resource.'))
  app.get('/how/:name{monitor-[a-z]{1,40}}', async (context) => {
    const page = await renderHowPage(toSource(documents), context.req.param('name'))
    return page === undefined ? createPage(renderProblemPage('not-found', ''), 404) : createPage(page)
  })
  app.get('/incidents', (context) => context.redirect('/monitor?standing=incident'))
  addMonitorPages(app, { monitor: source, clock, access })
  // What is wrong with the configuration is told by whoever called.
  app.onError((error) => {
    throw error
  })
  app.notFound(() => createPage(renderProblemPage('not-found', ''), 404))
  return {
    fetch: async (request, environment, load) => {
      const url = new URL(request.url)
      const origin = { isOwner: false, address: request.headers.get('CF-Connecting-IP') ?? undefined }
      const isPage = url.pathname === '/' && wantsPage(request)
      if (isPage) url.pathname = '/monitor'
      held = { environment, host: url.hostname, load }
      const response = await app.fetch(isPage ? new Request(url, request) : request, origin)
      return response.headers.get('content-type')?.startsWith('text/html') === true ? frame(response) : response
    },
  }
}

/** Whether a browser asks, and not a program. */
export function wantsPage(request: Request): boolean {
  const accept = request.headers.get('Accept') ?? ''
  const [pageAt, jsonAt] = [accept.indexOf('text/html'), accept.indexOf('application/json')]
  return pageAt >= 0 && (jsonAt < 0 || pageAt < jsonAt)
}

/** Puts the navigation of the Worker in the place of the daemon's. */
export async function frame(response: Response): Promise<Response> {
  const text = await response.text()
  const framed = text
    .replace(/<nav aria-label="Pages">[\s\S]*?<\/nav>/, NAVIGATION)
    .replace(/<p>For programs: [\s\S]*?<\/p>/, FOOT)
    // The script listens for events of runs, which there are none of.
    .replace('<script src="/assets/candor.js" defer></script>', '')
    .replace('Whoever runs the daemon makes one with candor tokens add NAME --write.', 'It is CANDOR_API_TOKEN.')
    .replaceAll('<a href="/how">', '<a href="/monitor">')
  const headers = new Headers(response.headers)
  headers.set('vary', 'Accept')
  return new Response(framed, { status: response.status, headers })
}

function toSource(documents: Readonly<Record<string, string>>): DocumentSource {
  return {
    names: () => Promise.resolve(Object.keys(documents).toSorted()),
    read: (name) => {
      const text = Object.hasOwn(documents, name) ? documents[name] : undefined
      return Promise.resolve(text === undefined ? undefined : new TextEncoder().encode(text))
    },
  }
}

async function listTokens(environment: WorkerEnvironment | undefined): Promise<readonly ApiToken[]> {
  const owners = parseOwnerTokens(environment?.CANDOR_OWNER_TOKENS)
  const tokens = [
    { name: 'api', scopes: ['read', 'write'] as const, text: environment?.CANDOR_API_TOKEN, owner: undefined },
    { name: 'read', scopes: ['read'] as const, text: environment?.CANDOR_READ_TOKEN, owner: undefined },
    ...owners.map(([owner, text]) => ({ name: owner, scopes: ['read'] as const, text, owner })),
  ].filter(({ text }) => hasText(text))
  return Promise.all(
    tokens.map(async ({ name, scopes, text, owner }) => ({
      name,
      scopes,
      sha256: await digest((text ?? '').trim()),
      created_at: '',
      owner,
    })),
  )
}

function hasText(text: string | undefined): boolean {
  return (text ?? '').trim() !== ''
}
