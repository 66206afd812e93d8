/**
 * Incidents: trouble with a beginning and, later, an end.
 *
 * Format: docs/formats/alerts.md
 */
import { z } from 'zod'
import type { ExitIncident, IncidentQuery, IncidentStore } from '../model/incident.ts'
import { ALERT_SEVERITIES } from '../model/alert.ts'
import { COUNT, FINGERPRINT, LINK, STATUS } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
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

/** Makes the operations. */
export function createIncidentsResource(incidents: IncidentSource): readonly Operation[] {
  return [
    defineOperation({
      id: 'listIncidents',
      method: 'GET',
      path: PATH,
      summary: 'Incidents, newest first',
      status: 200,
      queryParameters: z.strictObject({
        status: z.enum(['open', 'closed']).optional(),
        since: z.iso.datetime().optional().describe('Those that were open at or after this time.'),
        fingerprint: FINGERPRINT.optional(),
        limit: integerParameter(1, LIMIT_MAX).optional().describe('100 without it.'),
      }),
      answer: z.strictObject({ incidents: z.array(INCIDENT) }),
      handle: async ({ query: { status, since, fingerprint, limit = LIMIT_DEFAULT } }) => {
        const wanted: IncidentQuery = {
          limit,
          ...(status === undefined ? {} : { status }),
          ...(since === undefined ? {} : { since }),
          ...(fingerprint === undefined ? {} : { fingerprint }),
        }
        return { body: { incidents: (await incidents.list(wanted)).map(formatIncident) } }
      },
    }),
    defineOperation({
      id: 'getIncident',
      method: 'GET',
      path: `${PATH}/{id}`,
      summary: 'One incident, with the runs that saw it',
      status: 200,
      pathParameters: z.strictObject({ id: z.string().regex(/^exits-[0-9A-F]{40}-ipv[46]-\d{14}$/) }),
      answer: INCIDENT,
      handle: async ({ path: { id } }) => {
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
