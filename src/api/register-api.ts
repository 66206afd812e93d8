/**
 * What programs read: the run in progress, its exits, its events, and the published files.
 *
 * Invariant: reads only. Nothing here starts, changes or ends a run.
 *
 * Format: docs/formats/exits.md; errors are RFC 9457 problems.
 */
import type { Hono } from 'hono'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitResult } from '../model/exit-result.ts'
import type { PublishedSource } from '../model/published-source.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import type { EventStreams } from './event-stream.ts'
import { countExitFacets, EXIT_GROUP_KEYS, groupExits } from './exit-groups.ts'
import { EXIT_PARAMETERS, parseExitQuery } from './exit-query.ts'
import { createTruthLookup, pageExits, selectExits } from './select-exits.ts'
import { createProblemResponse } from './problem.ts'
import { PUBLISHED_PATH, readPublished } from './published-files.ts'
import { compareWithTruth, summarizeRun } from './run-summary.ts'

const RUNS_PER_PAGE = 100

/** What the routes read from. */
export interface ApiSources {
  readonly runs: RunViewSource
  /** Reports and manifests of finished runs. */
  readonly published: PublishedSource
  readonly events: EventStreams
  /** Runs that were kept; absent where nothing is. */
  readonly archive?: ExitArchive
}

/** Adds the routes to `app`. */
export function registerApi(app: Hono, { runs, published, events, archive }: ApiSources): void {
  app.get('/healthz', () => createJsonResponse({ status: 'ok' }))
  app.get('/api/v1/runs/current', () => createJsonResponse(formatRun(runs.view())))
  if (archive !== undefined) {
    app.get('/api/v1/runs', async (context) => listRuns(archive, context.req.query('before') ?? null))
  }
  app.get('/api/v1/exits', (context) => listExits(runs.view(), new URL(context.req.url).searchParams))
  app.get('/api/v1/exits/groups', (context) => listGroups(runs.view(), new URL(context.req.url).searchParams))
  app.get('/api/v1/exits/:fingerprint', (context) => {
    const fingerprint = context.req.param('fingerprint').toUpperCase()
    const view = runs.view()
    const result = view.results.find((candidate) => candidate.exit_fingerprint === fingerprint)
    if (result === undefined)
      return createProblemResponse('not-found', 'The run at hand has no result with this fingerprint (yet).')
    return createJsonResponse({ result, truth: formatTruth(view, result) })
  })
  app.get('/api/v1/events', (context) => {
    const lastEventId = context.req.header('last-event-id')
    const stream = events.open(lastEventId)
    if (stream === undefined) return createProblemResponse('too-many-streams', `${events.count()} streams are open.`)
    return new Response(stream, {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
    })
  })
  app.all('/api/*', () => createProblemResponse('not-found', 'The API has no such resource.'))
  app.get(PUBLISHED_PATH, (context) => readPublished(published, context.req.param('file') ?? '', context.req.raw))
}

async function listRuns(archive: ExitArchive, before: string | null): Promise<Response> {
  if (before !== null && !/^\d{14}$/.test(before)) return createProblemResponse('bad-parameter', 'before is no run id.')
  const runs = await archive.runs(before, RUNS_PER_PAGE)
  const last = runs.length < RUNS_PER_PAGE ? undefined : runs.at(-1)?.runId
  return createJsonResponse({
    runs: runs.map(({ runId, metadata, evidence, hasRows }) => ({ run_id: runId, metadata, evidence, rows: hasRows })),
    next: last === undefined ? null : `/api/v1/runs?before=${last}`,
  })
}

function listExits(view: ExitRunView, parameters: URLSearchParams): Response {
  const { query, ignored } = parseExitQuery(parameters)
  const unknown = [...parameters.keys()].filter((name) => !Object.hasOwn(EXIT_PARAMETERS, name))
  if (unknown.length > 0) return createProblemResponse('bad-parameter', `No such parameter: ${unknown.join(', ')}.`)
  if (ignored.length > 0) return createProblemResponse('bad-parameter', `No such value for ${ignored.join(', ')}.`)
  const truthOf = createTruthLookup(view)
  const page = pageExits(selectExits(view.results, query, truthOf), query)
  if (page.isCursorLost) return createProblemResponse('bad-parameter', 'The run has no such cursor.')
  const link = (target: string | null): string | null => (target === null ? null : `/api/v1/exits${target}`)
  return createJsonResponse({
    run_id: view.runId,
    total: page.total,
    exits: page.rows.map((result) => ({
      exit_fingerprint: result.exit_fingerprint,
      exit_nickname: result.exit_nickname,
      exit_address: result.exit_address,
      status: result.status,
      error_code: result.error_code,
      flags: result.flags,
      latency_ms: result.latency_ms,
      as: result.as,
      country: result.country,
      resolver: result.resolver,
      truth: formatTruth(view, result),
      url: `/api/v1/exits/${result.exit_fingerprint}`,
    })),
    facets: countExitFacets(view.results, query, truthOf),
    first: link(page.links.first),
    previous: link(page.links.previous),
    next: link(page.links.next),
    last: link(page.links.last),
  })
}

function listGroups(view: ExitRunView, parameters: URLSearchParams): Response {
  const { query, ignored } = parseExitQuery(parameters)
  const by = parameters.get('by') ?? 'address'
  const key = EXIT_GROUP_KEYS.find((candidate) => candidate === by)
  if (key === undefined || ignored.length > 0) {
    return createProblemResponse('bad-parameter', `No such value for ${[...ignored, 'by'].join(', ')}.`)
  }
  const groups = groupExits(selectExits(view.results, query, createTruthLookup(view)), key)
  return createJsonResponse({ run_id: view.runId, by: key, groups: groups.slice(0, 500) })
}

function formatRun(view: ExitRunView): unknown {
  const summary = summarizeRun(view)
  return {
    run_id: view.runId,
    phase: view.phase,
    message: view.message,
    started_at: view.startedAt,
    candidates: summary.candidates,
    finished: summary.finished,
    in_flight: view.inFlight,
    relays_per_second: view.relaysPerSecond,
    seconds_left: view.secondsLeft,
    counts: summary.counts,
    dns_tested: summary.measured,
    truth: summary.truth,
    metadata: view.metadata,
    exits_url: '/api/v1/exits',
  }
}

function formatTruth(view: ExitRunView, result: ExitResult): unknown {
  const truth = view.truth.get(result.exit_fingerprint)
  if (truth === undefined) return null
  return {
    fault: truth.fault,
    description: truth.description,
    expected: truth.expected.map(({ status, errorCode }) => ({ status, error_code: errorCode })),
    agreement: compareWithTruth(view, result, truth),
  }
}

function createJsonResponse(value: unknown): Response {
  return new Response(JSON.stringify(value), {
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  })
}
