/**
 * Incidents: trouble with a beginning and, later, an end.
 *
 * Format: docs/formats/alerts.md
 */
import { z } from 'zod'
import { parseTime } from '../core/clock.ts'
import type { ExitIncident, IncidentQuery, IncidentStore } from '../model/incident.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import { COUNT, FINGERPRINT, LINK, STATUS } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { formatMonitorIncident, MONITOR_INCIDENT } from './monitor-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'

const PATH = '/api/v1/incidents'
const LIMIT_DEFAULT = 100
const LIMIT_MAX = 10_000

const INCIDENT = z
  .strictObject({
    id: z.string(),
    campaign: z.literal('exits'),
    exit_fingerprint: z.string(),
    address_family: z.enum(['ipv4', 'ipv6']).describe('The verdict about A or about AAAA.'),
    status: z.enum(['open', 'recovered', 'lapsed']),
    severity: z.enum(ALERT_SEVERITIES),
    exit_nickname: z.string(),
    exit_address: z.string(),
    operator: z.string().nullable(),
    failure_type: STATUS,
    first_seen: z.string(),
    last_seen: z.string(),
    consecutive_count: COUNT,
    opened_at: z.string(),
    closed_at: z.string().nullable(),
    told_at: z.string().describe('When people were last told.'),
    reminders: COUNT,
    runs: z.array(z.string()).describe('Runs that saw it fail since it was opened: the first and the newest 49.'),
    evidence_urls: z.array(LINK),
    exit_url: LINK,
    url: LINK,
  })
  .meta({ id: 'Incident' })

/** What the operations read. */
export type IncidentSource = Pick<IncidentStore, 'list'>

const ANY_INCIDENT = z.union([INCIDENT, MONITOR_INCIDENT])

/** Makes the operations. `monitor`: whoever watches names; absent where nobody does. */
export function createIncidentsResource(
  incidents: IncidentSource,
  monitor: Pick<MonitorSource, 'incidents' | 'incident'> | undefined,
): readonly Operation[] {
  return [
    defineOperation({
      id: 'listIncidents',
      method: 'GET',
      path: PATH,
      summary: 'Incidents of exits and of watched names, newest first',
      status: 200,
      queryParameters: z.strictObject({
        campaign: z.enum(['exits', 'monitor']).optional().describe('Both without it.'),
        status: z.enum(['open', 'closed']).optional(),
        since: z.iso.datetime().optional().describe('Those that were open at or after this time.'),
        fingerprint: FINGERPRINT.optional(),
        limit: integerParameter(1, LIMIT_MAX).optional().describe('100 without it.'),
      }),
      answer: z.strictObject({ incidents: z.array(ANY_INCIDENT) }),
      handle: async ({ query: { campaign, status, since, fingerprint, limit = LIMIT_DEFAULT } }) => {
        const shared = { limit, ...(status === undefined ? {} : { status }) }
        const ofExits: IncidentQuery = {
          ...shared,
          ...(since === undefined ? {} : { since }),
          ...(fingerprint === undefined ? {} : { fingerprint }),
        }
        const ofNames = { ...shared, ...(since === undefined ? {} : { sinceMs: parseTime(since) }) }
        const wantsNames = campaign !== 'exits' && fingerprint === undefined
        const exits = campaign === 'monitor' ? [] : (await incidents.list(ofExits)).map(formatIncident)
        const names = wantsNames ? ((await monitor?.incidents(ofNames)) ?? []).map(formatMonitorIncident) : []
        const all = [...exits, ...names].toSorted((a, b) => (a.opened_at < b.opened_at ? 1 : -1))
        return { body: { incidents: all.slice(0, limit) } }
      },
    }),
    defineOperation({
      id: 'getIncident',
      method: 'GET',
      path: `${PATH}/{id}`,
      summary: 'One incident',
      status: 200,
      pathParameters: z.strictObject({
        id: z.string().regex(/^(?:exits-[0-9A-F]{40}-ipv[46]-\d{14}|monitor-[0-9a-f]{16}-\d{1,16})$/),
      }),
      answer: ANY_INCIDENT,
      handle: async ({ path: { id } }) => {
        const named = id.startsWith('monitor-') ? await monitor?.incident(id) : undefined
        if (named !== undefined) return { body: formatMonitorIncident(named) }
        const fingerprint = id.split('-')[1] ?? ''
        const found = await incidents.list({ fingerprint, limit: LIMIT_MAX })
        const incident = found.find((one) => one.id === id)
        return incident === undefined
          ? refuse('not-found', 'There is no such incident.')
          : { body: formatIncident(incident) }
      },
    }),
  ]
}

function formatIncident(incident: ExitIncident): DeepReadonly<z.output<typeof INCIDENT>> {
  const { id, fingerprint, runs } = incident
  return {
    id,
    campaign: incident.campaign,
    exit_fingerprint: fingerprint,
    address_family: incident.family,
    status: incident.status,
    severity: incident.severity,
    exit_nickname: incident.nickname,
    exit_address: incident.exitAddress,
    operator: incident.operator,
    failure_type: incident.failureType,
    first_seen: incident.firstSeen,
    last_seen: incident.lastSeen,
    consecutive_count: incident.consecutiveCount,
    opened_at: incident.openedAt,
    closed_at: incident.closedAt,
    told_at: incident.toldAt,
    reminders: incident.reminders,
    runs,
    evidence_urls: runs.map((runId) => `/api/v1/observations?run=${runId}&fingerprint=${fingerprint}`),
    exit_url: `/api/v1/exits/${fingerprint}`,
    url: `${PATH}/${id}`,
  }
}
