/**
 * Monitors: names that are watched, what their answers were, and what is wrong with them; asking now, and acknowledging.
 *
 * Format: docs/formats/monitor.md
 */
import { z } from 'zod'
import { formatIsoTime, parseTime, type Clock } from '../core/clock.ts'
import { MONITOR_TYPES } from '../model/monitor-name.ts'
import { MONITOR_STANDINGS, type MonitorSource } from '../model/monitor-view.ts'
import { COUNT } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import * as schemas from './monitor-schemas.ts'
import { defineOperation, refuse, type Operation, type Refusal } from './operation.ts'

const PATH = schemas.MONITORS_PATH
const LIMIT_DEFAULT = 1_000
const LIMIT_MAX = 10_000
const ROUNDS_MAX = 10_000
const INCIDENTS_MAX = 100
/** Names that one order asks; a round of thousands is what the intervals are for. */
const CHECKED_MAX = 100
const DAY_MS = 86_400_000
const ACKNOWLEDGED_MAX_SECONDS = (90 * DAY_MS) / 1_000

const NAME = z.strictObject({
  domain: z
    .string()
    .regex(/^[\w*.-]{1,253}$/)
    .toLowerCase(),
  type: z.string().toUpperCase().pipe(z.enum(MONITOR_TYPES)),
})
const SINCE = z.iso.datetime().optional().describe('Those that reach to this time or beyond; a week ago without it.')
const LIMIT = integerParameter(1, ROUNDS_MAX).optional().describe('1,000 without it.')

/** Makes the operations. */
export function createMonitorsResource(source: MonitorSource, clock: Clock): readonly Operation[] {
  return [
    listMonitors(source),
    getMonitor(source),
    ...createHistoryOperations(source, clock),
    ...createOrders(source, clock),
  ]
}

function listMonitors(source: MonitorSource): Operation {
  return defineOperation({
    id: 'listMonitors',
    method: 'GET',
    path: PATH,
    summary: 'Names that are watched, in the order of the configuration',
    status: 200,
    queryParameters: z.strictObject({
      owner: z.string().max(200).optional(),
      category: z.string().max(200).optional(),
      standing: z.enum(MONITOR_STANDINGS).optional(),
      after: z.string().max(300).optional().describe('The key of the last name that is known already.'),
      limit: integerParameter(1, LIMIT_MAX).optional().describe('1,000 without it.'),
    }),
    answer: z.strictObject({
      summary: z.strictObject({
        names: COUNT,
        standings: z.record(z.string(), COUNT),
        vantage_down_since: z.string().nullable(),
        last_round_at: z.string().nullable(),
        rounds: COUNT.describe('Since the daemon began.'),
        used_octets: COUNT,
        budget_octets: COUNT,
        problems: z.array(z.string()),
      }),
      monitors: z.array(schemas.MONITOR_ROW),
      next_after: z.string().nullable().describe('What to ask for next; null when that was all.'),
    }),
    handle: ({ query: { owner, category, standing, after, limit = LIMIT_DEFAULT } }) => {
      const { lastRoundMs, downSinceMs, ...summary } = source.summary()
      const names = source.names().filter(({ monitored, standing: own }) => {
        const isWanted = (wanted: string | undefined, is: string | null): boolean =>
          wanted === undefined || wanted === is
        return isWanted(owner, monitored.owner) && isWanted(category, monitored.category) && isWanted(standing, own)
      })
      const from = after === undefined ? 0 : names.findIndex(({ key }) => key === after) + 1
      const page = names.slice(from, from + limit)
      return {
        body: {
          summary: {
            names: summary.names,
            standings: summary.standings,
            vantage_down_since: toTime(downSinceMs),
            last_round_at: toTime(lastRoundMs),
            rounds: summary.rounds,
            used_octets: summary.usedOctets,
            budget_octets: summary.budgetOctets,
            problems: summary.problems,
          },
          monitors: page.map(schemas.formatMonitorRow),
          next_after: from + limit < names.length ? (page.at(-1)?.key ?? null) : null,
        },
      }
    },
  })
}

function getMonitor(source: MonitorSource): Operation {
  return defineOperation({
    id: 'getMonitor',
    method: 'GET',
    path: `${PATH}/{domain}/{type}`,
    summary: 'One name with its profile and incidents',
    status: 200,
    pathParameters: NAME,
    answer: schemas.MONITOR_DETAIL,
    handle: async ({ path: { domain, type } }) => {
      const view = source.name(`${domain}/${type}`)
      if (view === undefined) return notWatched()
      const incidents = await source.incidents({ key: view.key, limit: INCIDENTS_MAX })
      return { body: schemas.formatMonitorDetail(view, incidents) }
    },
  })
}

function createHistoryOperations(source: MonitorSource, clock: Clock): readonly Operation[] {
  const sinceOf = (since: string | undefined): number =>
    since === undefined ? clock.wallNowMs() - 7 * DAY_MS : parseTime(since)
  const queryParameters = z.strictObject({ since: SINCE, limit: LIMIT })
  return [
    defineOperation({
      id: 'listMonitorRounds',
      method: 'GET',
      path: `${PATH}/{domain}/{type}/rounds`,
      summary: 'What was seen of a name, newest first; equal rounds in a row are one',
      status: 200,
      pathParameters: NAME,
      queryParameters,
      answer: z.strictObject({ rounds: z.array(schemas.SEEN_ROUND) }),
      handle: async ({ path: { domain, type }, query: { since, limit = LIMIT_DEFAULT } }) => {
        if (source.name(`${domain}/${type}`) === undefined) return notWatched()
        const rounds = await source.rounds(`${domain}/${type}`, sinceOf(since), limit)
        return { body: { rounds: rounds.map(schemas.formatSeenRound) } }
      },
    }),
    defineOperation({
      id: 'listMonitorHours',
      method: 'GET',
      path: `${PATH}/{domain}/{type}/hours`,
      summary: 'What was seen of a name before rounds are kept, by hours, newest first',
      status: 200,
      pathParameters: NAME,
      queryParameters,
      answer: z.strictObject({ hours: z.array(schemas.SEEN_HOUR) }),
      handle: async ({ path: { domain, type }, query: { since, limit = LIMIT_DEFAULT } }) => {
        if (source.name(`${domain}/${type}`) === undefined) return notWatched()
        const hours = await source.hours(`${domain}/${type}`, since === undefined ? 0 : sinceOf(since), limit)
        return { body: { hours: hours.map(schemas.formatSeenHour) } }
      },
    }),
    defineOperation({
      id: 'listMonitorChanges',
      method: 'GET',
      path: `${PATH}/{domain}/{type}/changes`,
      summary: 'What became known of a name and what people were told, newest first',
      status: 200,
      pathParameters: NAME,
      queryParameters: z.strictObject({ limit: LIMIT }),
      answer: z.strictObject({ changes: z.array(schemas.MONITOR_CHANGE) }),
      handle: async ({ path: { domain, type }, query: { limit = LIMIT_DEFAULT } }) => {
        if (source.name(`${domain}/${type}`) === undefined) return notWatched()
        const changes = await source.changes(`${domain}/${type}`, limit)
        return { body: { changes: changes.map(schemas.formatMonitorChange) } }
      },
    }),
  ]
}

function createOrders(source: MonitorSource, clock: Clock): readonly Operation[] {
  return [
    defineOperation({
      id: 'checkMonitors',
      method: 'POST',
      path: `${PATH}/check`,
      summary: 'Asks names now; what was asked a moment ago is not asked again',
      status: 200,
      body: z.strictObject({ keys: z.array(z.string().max(300)).min(1).max(CHECKED_MAX) }),
      answer: z.strictObject({
        checked: z.array(z.strictObject({ key: z.string(), round: schemas.SEEN_ROUND.nullable() })),
      }),
      handle: async ({ body: { keys } }) => {
        const unknown = keys.find((key) => source.name(key) === undefined)
        if (unknown !== undefined) return notWatched()
        const checked = await source.check([...new Set(keys)])
        return {
          body: {
            checked: checked.map(({ key, round }) => ({
              key,
              round: round === null ? null : schemas.formatSeenRound(round),
            })),
          },
        }
      },
    }),
    defineOperation({
      id: 'acknowledgeMonitorIncident',
      method: 'POST',
      path: `${PATH}/acknowledge`,
      summary: 'Says that somebody takes care of an incident, or that what is new is right',
      status: 200,
      body: z.strictObject({
        incident: z
          .string()
          .regex(/^[\da-f]{8,64}$/)
          .describe('The beginning of its key, at least 8 digits.'),
        who: z.string().min(1).max(100),
        note: z.string().max(1_000).default(''),
        seconds: z
          .int()
          .min(1)
          .max(ACKNOWLEDGED_MAX_SECONDS)
          .default(DAY_MS / 1_000)
          .describe('After which it clears itself.'),
        accept: z.boolean().default(false).describe('What is new is right: it is learned, and the incident closes.'),
      }),
      answer: z.strictObject({ acknowledged: COUNT, until: z.string() }),
      handle: async ({ body: { incident, who, note, seconds, accept } }) => {
        const untilMs = Math.round(clock.wallNowMs()) + seconds * 1_000
        const count = await source.acknowledge(incident, { who, note, untilMs }, accept)
        if (count === 0) return refuse('not-found', 'No open incident has a key that begins so.')
        return { body: { acknowledged: count, until: formatIsoTime(untilMs) } }
      },
    }),
  ]
}

function notWatched(): Refusal {
  return refuse('not-found', 'This name is not watched with this type.')
}

function toTime(atMs: number | null): string | null {
  return atMs === null ? null : formatIsoTime(atMs)
}
