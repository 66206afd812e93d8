/**
 * What programs are given: `/api/v1`, its document, events, and the published files.
 *
 * Invariant: an address that is not on a list is not found; a method that an address does not take is refused.
 */
import type { Hono } from 'hono'
import type { Clock } from '../core/clock.ts'
import type { DaemonControl } from '../model/daemon-control.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { PublishedSource } from '../model/published-source.ts'
import type { RunViewSource } from '../model/run-view.ts'
import { createAccessGuard, OPEN_READING, type AccessRules } from './access.ts'
import { createCampaignsResource } from './campaigns-resource.ts'
import type { EventStreams } from './event-stream.ts'
import { createExitRuns } from './exit-runs.ts'
import { createExitsResource } from './exits-resource.ts'
import { createFindingsResource } from './findings-resource.ts'
import { createHealthResource } from './health-resource.ts'
import { createMeasurementsResource } from './measurements-resource.ts'
import { allowReading, answerOtherMethod, checkAccess, mountOperations } from './mount-operations.ts'
import { createObservationsResource } from './observations-resource.ts'
import { createOpenApiDocument } from './openapi.ts'
import type { Operation } from './operation.ts'
import { createProblemResponse } from './problem.ts'
import { PUBLISHED_PATH, readPublished } from './published-files.ts'
import { createRunsResource } from './runs-resource.ts'
import { createVantagesResource } from './vantages-resource.ts'

const EVENTS_PATH = '/api/v1/events'

/** What the routes read from, and whom they ask. What is absent has no address. */
export interface ApiSources {
  readonly runs: RunViewSource
  /** Reports and manifests of finished runs. */
  readonly published: PublishedSource
  readonly events: EventStreams
  readonly clock: Clock
  /** Version of Candor. */
  readonly version: string
  /** Runs that were kept. */
  readonly archive?: ExitArchive | undefined
  /** Who takes orders. */
  readonly control?: DaemonControl | undefined
  /** Who may do what; without it anybody reads, and only the owner gives orders. */
  readonly access?: AccessRules | undefined
}

/** Adds the routes to `app`. */
export function registerApi(app: Hono, sources: ApiSources): void {
  const { published, clock, version } = sources
  const access = createAccessGuard(sources.access ?? OPEN_READING, clock)
  const operations = createOperations(sources)
  mountOperations(app, operations, { access, clock })
  app.get('/healthz', () => createAliveAnswer())
  const document = JSON.stringify(createOpenApiDocument(operations, version))
  app.get('/openapi.json', () => {
    const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' })
    allowReading(headers)
    return new Response(document, { headers })
  })
  app.get(EVENTS_PATH, async (context) => {
    const refused = await checkAccess(access, 'read', context)
    if (refused !== undefined) return refused
    return openEvents(sources.events, context.req.raw)
  })
  app.all(EVENTS_PATH, (context) => answerOtherMethod(context, ['GET', 'HEAD']))
  app.all('/api/*', () => createProblemResponse('not-found', 'The API has no such resource.'))
  app.get(PUBLISHED_PATH, (context) => readPublished(published, context.req.param('file') ?? '', context.req.raw))
}

function createOperations({ runs: atHand, archive, control, clock }: ApiSources): readonly Operation[] {
  const runs = createExitRuns(atHand, archive)
  return [
    ...createCampaignsResource(atHand, control),
    ...createRunsResource({ atHand, runs, archive, control }),
    ...createVantagesResource(runs),
    ...createObservationsResource(runs),
    ...createFindingsResource(runs),
    ...(archive === undefined ? [] : createHealthResource(archive, clock)),
    ...createExitsResource(runs, archive),
    ...(control === undefined ? [] : createMeasurementsResource(control)),
  ]
}

/** Says that the process answers. Needs no right, tells nothing else. */
function createAliveAnswer(): Response {
  return new Response('{"status":"ok"}', {
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  })
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
