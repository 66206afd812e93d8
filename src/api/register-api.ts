/**
 * What programs are given: `/api/v1`, its document, events, and the published files.
 *
 * Invariant: an address that is not on a list is not found; a method that an address does not take is refused.
 */
import type { Hono } from 'hono'
import type { DomainSource } from '../model/domain-view.ts'
import type { SatelliteArchive } from '../model/satellite-archive.ts'
import type { Sidecar } from '../model/sidecar.ts'
import type { AccessGuard } from './access.ts'
import { createAlertsResource } from './alerts-resource.ts'
import { createCampaignsResource } from './campaigns-resource.ts'
import { createCompatibleResource } from './compatible-resource.ts'
import { createDaemonResource } from './daemon-resource.ts'
import type { EventStreams } from './event-stream.ts'
import { createDomainsResource } from './domains-resource.ts'
import { createExitRuns } from './exit-runs.ts'
import { createExitsResource } from './exits-resource.ts'
import { createFindingsResource } from './findings-resource.ts'
import { createHealthResource } from './health-resource.ts'
import { createIncidentsResource } from './incidents-resource.ts'
import { createMeasurementsResource } from './measurements-resource.ts'
import { addMonitorEndpoints } from './monitor-endpoints.ts'
import { createMonitorsResource } from './monitors-resource.ts'
import { formatMetrics, type MetricsSources } from './metrics.ts'
import { allowReading, answerOtherMethod, mountOperations } from './mount-operations.ts'
import { createObservationsResource } from './observations-resource.ts'
import { createOpenApiDocument } from './openapi.ts'
import type { Operation, OperationFacts } from './operation.ts'
import { createProblemResponse } from './problem.ts'
import { PUBLISHED_PATH, readPublished } from './published-files.ts'
import { checkReadiness } from './readiness.ts'
import { createResolversResource } from './resolvers-resource.ts'
import { createRunsResource } from './runs-resource.ts'
import { createSatelliteResource } from './satellite-resource.ts'
import { createSidecarsResource } from './sidecars-resource.ts'
import { createVantagesResource } from './vantages-resource.ts'

const EVENTS_PATH = '/api/v1/events'

/** What the routes read from, and whom they ask. What is absent has no address. */
export interface ApiSources extends MetricsSources {
  /** Who may give orders; who may read was asked before. */
  readonly access: AccessGuard
  readonly domains?: DomainSource | undefined
  /** Child processes; empty where there are none. */
  readonly sidecars?: readonly Sidecar[] | undefined
  /** Runs over resolvers. */
  readonly satellite?: SatelliteArchive | undefined
}

/** Adds the routes to `app`. @returns What the API can be asked. */
export function registerApi(app: Hono, sources: ApiSources): readonly OperationFacts[] {
  const { published, clock, version, access, monitor } = sources
  const operations = createOperations(sources)
  mountOperations(app, operations, { access, clock })
  addChecks(app, sources)
  if (monitor !== undefined) addMonitorEndpoints(app, { monitor, access, clock, version })
  const document = JSON.stringify(createOpenApiDocument(operations, version))
  app.get('/openapi.json', () => {
    const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' })
    allowReading(headers)
    return new Response(document, { headers })
  })
  app.get(EVENTS_PATH, (context) => openEvents(sources.events, context.req.raw))
  app.all(EVENTS_PATH, (context) => answerOtherMethod(context, ['GET', 'HEAD']))
  app.all('/api/:rest{.+}', () => createProblemResponse('not-found', 'The API has no such resource.'))
  app.get(PUBLISHED_PATH, (context) => readPublished(published, context.req.param('file') ?? '', context.req.raw))
  return operations
}

function createOperations(sources: ApiSources): readonly Operation[] {
  const { runs: atHand, archive, control, clock, incidents, outbox, monitor, domains } = sources
  const runs = createExitRuns(atHand, archive)
  return [
    ...createCampaignsResource(atHand, control),
    ...createRunsResource({ atHand, runs, archive, control }),
    ...createVantagesResource(runs),
    ...createObservationsResource(runs),
    ...createFindingsResource(runs),
    ...(incidents === undefined ? [] : createIncidentsResource(incidents, monitor)),
    ...(archive === undefined ? [] : createHealthResource(archive, clock)),
    ...createExitsResource(runs, archive),
    ...(control === undefined ? [] : createMeasurementsResource(control)),
    ...(outbox === undefined ? [] : createAlertsResource(outbox)),
    ...(control === undefined ? [] : createDaemonResource(control)),
    ...(monitor === undefined ? [] : createMonitorsResource(monitor, clock)),
    ...(domains === undefined ? [] : createDomainsResource(domains)),
    ...(domains === undefined ? [] : createResolversResource(domains, clock)),
    ...(sources.satellite === undefined ? [] : createSatelliteResource(sources.satellite)),
    ...(sources.sidecars === undefined ? [] : createSidecarsResource(sources.sidecars)),
    ...createCompatibleResource(atHand, runs),
  ]
}

/** `/healthz` says that the process answers, `/readyz` whether it can do its work, `/metrics` how it does. */
function addChecks(app: Hono, sources: ApiSources): void {
  app.get('/healthz', () => createJsonAnswer({ status: 'ok' }, 200))
  app.get('/readyz', async () => {
    const checks = await checkReadiness(sources)
    const isReady = checks.every(({ ok }) => ok)
    return createJsonAnswer({ status: isReady ? 'ready' : 'not_ready', checks }, isReady ? 200 : 503)
  })
  app.get('/metrics', async () => {
    const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }
    return new Response(await formatMetrics(sources), { headers })
  })
}

function createJsonAnswer(value: unknown, status: number): Response {
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  if (status === 503) headers.set('retry-after', '60')
  return new Response(JSON.stringify(value), { status, headers })
}

function openEvents(events: EventStreams, request: Request): Response {
  const headers = new Headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
  allowReading(headers)
  // A stream without a reader would never end.
  if (request.method === 'HEAD') return new Response(null, { headers })
  const stream = events.open(request.headers.get('last-event-id') ?? undefined)
  if (stream === undefined) return createProblemResponse('too-many-streams', `${events.count()} streams are open.`)
  return new Response(stream, { headers })
}
