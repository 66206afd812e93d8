/**
 * Health over time: of all exits from run to run, and of one exit from day to day.
 */
import { z } from 'zod'
import { formatIsoTime, type Clock } from '../core/clock.ts'
import type { ExitArchive, ExitTrendPoint } from '../model/exit-archive.ts'
import { COUNT, FINGERPRINT, RUN_ID, STATUS } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'

const DAY_MS = 86_400_000
const DAYS_DEFAULT = 30
const DAYS_MAX = 3_660
const POINTS_DEFAULT = 500
const POINTS_MAX = 5_000

const COUNTS = z.partialRecord(STATUS, COUNT).describe('Status → relays.')

const POINT = z
  .strictObject({
    run_id: RUN_ID,
    timestamp: z.string(),
    invalid: z.string().nullable().describe('Why the run is invalid; such a run is a gap.'),
    candidates: COUNT,
    counts: COUNTS,
    dns_tested: COUNT.describe('success + wrong_ip + dns_fail + timeout'),
    success_rate: z.number().min(0).max(1).nullable().describe('success / dns_tested'),
  })
  .meta({ id: 'HealthPoint' })

const days = integerParameter(1, DAYS_MAX).optional().describe('How far back, in days; 30 without it.')

/** Makes the operations. */
export function createHealthResource(archive: ExitArchive, clock: Clock): readonly Operation[] {
  const since = (span: number): string => formatIsoTime(clock.wallNowMs() - span * DAY_MS)
  return [
    defineOperation({
      id: 'getHealth',
      method: 'GET',
      path: '/api/v1/health',
      summary: 'What each run found, earliest first, evenly thinned beyond the limit',
      status: 200,
      queryParameters: z.strictObject({
        days,
        limit: integerParameter(1, POINTS_MAX).optional().describe('Runs at most; 500 without it.'),
      }),
      answer: z.strictObject({ campaign: z.literal('exits'), since: z.string(), points: z.array(POINT) }),
      handle: async ({ query }) => {
        const from = since(query.days ?? DAYS_DEFAULT)
        const points = await archive.trend(from, query.limit ?? POINTS_DEFAULT)
        return { body: { campaign: 'exits' as const, since: from, points: points.map(formatPoint) } }
      },
    }),
    defineOperation({
      id: 'getExitHealth',
      method: 'GET',
      path: '/api/v1/health/{fingerprint}',
      summary: 'How often one exit had which verdict, from day to day',
      status: 200,
      pathParameters: z.strictObject({ fingerprint: FINGERPRINT }),
      queryParameters: z.strictObject({ days }),
      answer: z.strictObject({
        exit_fingerprint: z.string(),
        since: z.string(),
        days: z.array(z.strictObject({ day: z.string(), counts: COUNTS })),
      }),
      handle: async ({ path: { fingerprint }, query }) => {
        const from = since(query.days ?? DAYS_DEFAULT)
        const found = await archive.relayDays(fingerprint, from)
        if (found.length === 0 && (await archive.newest(fingerprint)) === undefined) {
          return refuse('not-found', 'No run had such a relay.')
        }
        return { body: { exit_fingerprint: fingerprint, since: from, days: found } }
      },
    }),
  ]
}

function formatPoint(point: ExitTrendPoint): DeepReadonly<z.output<typeof POINT>> {
  const { runId, timestamp, invalid, candidates, counts } = point
  const tested = counts.success + counts.wrong_ip + counts.dns_fail + counts.timeout
  return {
    run_id: runId,
    timestamp,
    invalid,
    candidates,
    counts,
    dns_tested: tested,
    success_rate: tested === 0 ? null : counts.success / tested,
  }
}
