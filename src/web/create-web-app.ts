/**
 * The whole site as one function from request to response: pages, API, events, assets.
 *
 * Invariant: knows no server, no file and no campaign; what it shows comes through the ports of `model/`.
 */
import { Hono } from 'hono'
import { createAccessGuard, OPEN_READING, type AccessRules } from '../api/access.ts'
import { createEventStreams } from '../api/event-stream.ts'
import { createCountingGuard, createReadGuard, createRequestGuard } from '../api/guard-requests.ts'
import { createOwnerReach } from '../api/owner-reach.ts'
import { createProblemResponse } from '../api/problem.ts'
import { registerApi } from '../api/register-api.ts'
import { createRequestCounter } from '../api/request-counter.ts'
import type { RequestOrigin } from '../api/request-origin.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { DaemonControl } from '../model/daemon-control.ts'
import type { DocumentSource } from '../model/document-source.ts'
import type { DomainSource } from '../model/domain-view.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { IncidentStore } from '../model/incident.ts'
import type { Machine } from '../model/machine.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import type { PublishedSource } from '../model/published-source.ts'
import type { RunViewSource } from '../model/run-view.ts'
import type { SatelliteArchive } from '../model/satellite-archive.ts'
import type { Sidecar } from '../model/sidecar.ts'
import { addAssets } from './add-assets.ts'
import { addMonitorPages } from './add-monitor-pages.ts'
import { addDomainPages } from './add-domain-pages.ts'
import { addSatellitePages } from './add-satellite-pages.ts'
import { addPages } from './add-pages.ts'
import { createPage } from './create-page.ts'
import type { KeepingSource } from './system-page.ts'
import { renderProblemPage } from './message-page.ts'

/** What the site shows, and to whom. */
export interface WebAppOptions {
  readonly runs: RunViewSource
  /** Reports and manifests of finished runs, `latest.json` and so on. */
  readonly published: PublishedSource
  /** The pages about detectors, `NAME.md`. */
  readonly detectors: DocumentSource
  readonly clock: Clock
  readonly log: Log
  /** Whether the exits are those of a laboratory. */
  readonly isLaboratory: boolean
  /** Host names that are answered besides the loopback ones, lower case, without port; asked at each request. */
  readonly hosts: () => readonly string[]
  /** Event streams that may be open at once. */
  readonly streamsMax: number
  /** Every run that was kept; absent where nothing is. */
  readonly archive?: ExitArchive | undefined
  /** Who takes orders; absent where there is no daemon. */
  readonly control?: DaemonControl | undefined
  /** Who may do what; without it anybody reads, and only the owner gives orders. */
  readonly access?: AccessRules | undefined
  /** Trouble that was noticed. */
  readonly incidents?: Pick<IncidentStore, 'list'> | undefined
  /** What was to be told, and how far it got. */
  readonly outbox?: Pick<AlertOutbox, 'status' | 'list'> | undefined
  /** What the archive holds and for how long; absent where nothing is kept. */
  readonly keeping?: KeepingSource | undefined
  /** Memory and disk, for metrics and readiness. */
  readonly machine?: Machine | undefined
  /** Relays of an ended run in order of finishing, so that readers of events go on where they were. */
  readonly finishOrder?: ((runId: string) => Promise<readonly string[] | undefined>) | undefined
  /** Names that are watched; absent where nothing can be. */
  readonly monitor?: MonitorSource | undefined
  /** The domains campaign; absent where there is none. */
  readonly domains?: DomainSource | undefined
  /** Runs over resolvers; absent where none are kept. */
  readonly satellite?: SatelliteArchive | undefined
  /** Child processes that the daemon supervises. */
  readonly sidecars?: readonly Sidecar[] | undefined
  /** Version of Candor. */
  readonly version: string
}

/** The site. */
export interface WebApp {
  /** @param origin - Who sent the request, as the server knows it. */
  fetch(request: Request, origin?: RequestOrigin): Response | Promise<Response>
}

/** Makes the site. */
export function createWebApp(options: WebAppOptions): WebApp {
  const app = new Hono()
  const requests = createRequestCounter()
  const access = createAccessGuard(options.access ?? OPEN_READING, options.clock)
  app.use(
    createCountingGuard(requests),
    createRequestGuard(options.hosts),
    createReadGuard(access, createOwnerReach(options.monitor)),
  )
  addAssets(app)
  const events = createEventStreams(options, options.streamsMax)
  const operations = registerApi(app, { ...options, access, requests, events })
  addMonitorPages(app, { ...options, access })
  addDomainPages(app, options)
  addSatellitePages(app, options)
  addPages(app, { ...options, operations })
  app.notFound(() => createPage(renderProblemPage('not-found', ''), 404))
  app.onError((error, context) => {
    options.log.error('web.request.failed', {
      path: context.req.path.slice(0, 200),
      error: error.stack ?? String(error),
    })
    return context.req.path.startsWith('/api/')
      ? createProblemResponse('internal', 'The request was understood, but answering it failed.')
      : createPage(renderProblemPage('internal', ''), 500)
  })
  return { fetch: (request, origin) => app.fetch(request, origin) }
}
