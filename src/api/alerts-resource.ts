/**
 * Alerts: what was to be told, to whom, and how far it got.
 */
import { z } from 'zod'
import { formatIsoTime } from '../core/clock.ts'
import type { AlertDelivery, AlertOutbox, ChannelOutboxStatus } from '../model/alert.ts'
import { COUNT } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, type DeepReadonly, type Operation } from './operation.ts'

const PATH = '/api/v1/alerts'
const LIMIT_MAX = 1_000
const STATES = ['waiting', 'sending', 'sent', 'dead'] as const

const CHANNEL = z
  .strictObject({
    channel: z.string(),
    waiting: COUNT,
    sent: COUNT,
    dead: COUNT.describe('Given up, kept for another try.'),
    oldest_waiting_at: z.string().nullable(),
    last_error: z.string().nullable(),
    last_error_at: z.string().nullable(),
    last_sent_at: z.string().nullable(),
  })
  .meta({ id: 'AlertChannel' })

const DELIVERY = z
  .strictObject({
    sequence: COUNT,
    message_id: z.string(),
    title: z.string(),
    channel: z.string(),
    state: z.enum(STATES),
    attempts: COUNT,
    created_at: z.string(),
    due_at: z.string(),
    settled_at: z.string().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'AlertDelivery' })

/** What the operations read. */
export type OutboxSource = Pick<AlertOutbox, 'status' | 'list'>

/** Makes the operations. Recipients are people's addresses and are not given out. */
export function createAlertsResource(outbox: OutboxSource): readonly Operation[] {
  return [
    defineOperation({
      id: 'listAlertChannels',
      method: 'GET',
      path: PATH,
      summary: 'The channels that alerts go to, and what waits for each',
      status: 200,
      answer: z.strictObject({ channels: z.array(CHANNEL) }),
      handle: async () => ({ body: { channels: (await outbox.status()).map(formatChannel) } }),
    }),
    defineOperation({
      id: 'listAlertDeliveries',
      method: 'GET',
      path: `${PATH}/deliveries`,
      summary: 'Single deliveries, newest first',
      status: 200,
      queryParameters: z.strictObject({
        state: z.enum(STATES).optional(),
        limit: integerParameter(1, LIMIT_MAX).optional().describe('100 without it.'),
      }),
      answer: z.strictObject({ deliveries: z.array(DELIVERY) }),
      handle: async ({ query: { state, limit = 100 } }) => {
        const deliveries = await outbox.list(state === undefined ? STATES : [state], limit)
        return { body: { deliveries: deliveries.map(formatDelivery) } }
      },
    }),
  ]
}

function formatChannel(status: ChannelOutboxStatus): DeepReadonly<z.output<typeof CHANNEL>> {
  return {
    channel: status.channel,
    waiting: status.waiting,
    sent: status.sent,
    dead: status.dead,
    oldest_waiting_at: formatTime(status.oldestWaitingAtMs),
    last_error: status.lastError,
    last_error_at: formatTime(status.lastErrorAtMs),
    last_sent_at: formatTime(status.lastSentAtMs),
  }
}

function formatDelivery(delivery: AlertDelivery & { readonly title: string }): DeepReadonly<z.output<typeof DELIVERY>> {
  return {
    sequence: delivery.sequence,
    message_id: delivery.messageId,
    title: delivery.title,
    channel: delivery.channel,
    state: delivery.state,
    attempts: delivery.attempts,
    created_at: formatIsoTime(delivery.createdAtMs),
    due_at: formatIsoTime(delivery.dueAtMs),
    settled_at: formatTime(delivery.settledAtMs),
    error: delivery.error,
  }
}

function formatTime(wallMs: number | null): string | null {
  return wallMs === null ? null : formatIsoTime(wallMs)
}
