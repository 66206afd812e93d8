/**
 * The addresses that a small monitor has always had, for programs that know them: `/status`, `/check`, and `/` as JSON.
 *
 * Invariant: a check tells nobody anything that a round would not have told: it only makes rounds now, and those that
 * were made a moment ago are not made again. So it cannot be used to send messages in bulk.
 */
import type { Context, Hono } from 'hono'
import { formatIsoTime, type Clock } from '../core/clock.ts'
import type { MonitorSource, SeenRound } from '../model/monitor-view.ts'
import type { AccessGuard } from './access.ts'
import { createProblemResponse } from './problem.ts'
import { originOf } from './request-origin.ts'

/** Without a round for so long, in milliseconds, and for three intervals, something is wrong. */
const LATE_MS = 180_000
const LATE_INTERVALS = 3

/** What the addresses need. */
export interface MonitorEndpointParts {
  readonly monitor: MonitorSource
  readonly access: AccessGuard
  readonly clock: Clock
  readonly version: string
}

/** Adds them to `app`. */
export function addMonitorEndpoints(app: Hono, parts: MonitorEndpointParts): void {
  const { monitor, version } = parts
  app.get('/', async (context, next) => {
    const accept = context.req.header('accept') ?? ''
    if (!accept.includes('application/json') || accept.includes('text/html')) {
      await next()
      return undefined
    }
    const endpoints = {
      '/status': 'health',
      '/check': 'run now (token)',
      '/api/v1/monitors': 'names',
      '/openapi.json': 'all',
    }
    return answer({ service: 'candor', version, names: monitor.names().length, endpoints }, 200)
  })
  app.get('/status', () => answer(...describeHealth(parts)))
  app.on(['GET', 'POST'], '/check', (context) => check(context, parts))
}

function describeHealth({ monitor, clock, version }: MonitorEndpointParts): readonly [value: object, status: number] {
  const { names, standings, lastRoundMs, downSinceMs, startedMs, problems } = monitor.summary()
  const nowMs = clock.wallNowMs()
  const intervalMs = Math.min(...monitor.names().map(({ monitored }) => monitored.intervalMs))
  const lateMs = Math.max(LATE_MS, Number.isFinite(intervalMs) ? LATE_INTERVALS * intervalMs : 0)
  const isLate = names > 0 && nowMs - (lastRoundMs ?? startedMs) > lateMs
  const isWell = !isLate && downSinceMs === null && problems.length === 0
  return [
    {
      status: isWell ? 'ok' : 'degraded',
      service: 'candor',
      version,
      timestamp: formatIsoTime(nowMs),
      names,
      standings,
      last_round_at: lastRoundMs === null ? null : formatIsoTime(lastRoundMs),
      vantage_down_since: downSinceMs === null ? null : formatIsoTime(downSinceMs),
      problems,
    },
    isWell ? 200 : 503,
  ]
}

/** An order, also where it comes as a GET. */
async function check(context: Context, { monitor, access, clock }: MonitorEndpointParts): Promise<Response> {
  const decision = await access.check('write', originOf(context), context.req.header('authorization'))
  if (!decision.granted) return createProblemResponse(decision.problem, decision.detail, decision)
  const views = monitor.names()
  const checked = await monitor.check(views.map(({ key }) => key))
  const rounds = new Map(checked.map(({ key, round }) => [key, round]))
  return answer(
    {
      timestamp: formatIsoTime(clock.wallNowMs()),
      checked: checked.filter(({ round }) => round !== null).length,
      results: views.map(({ key, monitored }) => ({
        name: monitored.name,
        domain: monitored.domain,
        recordType: monitored.type,
        ...describeRound(rounds.get(key) ?? null),
        open_incidents: monitor.name(key)?.open.length ?? 0,
      })),
    },
    200,
  )
}

function describeRound(round: SeenRound | null): object {
  if (round === null) return { ips: [], class: null, resolvers: {} }
  return {
    ips: [...new Set(round.answers.flatMap(({ values }) => values))].toSorted(),
    class: round.class,
    resolvers: Object.fromEntries(
      round.answers.map(({ resolver, outcome, reason, values }) => [
        resolver,
        outcome === 'answer' ? values : (reason ?? outcome),
      ]),
    ),
  }
}

function answer(value: object, status: number): Response {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  return new Response(JSON.stringify(value), { status, headers })
}
