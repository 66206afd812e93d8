/**
 * Something that takes webhooks and believes none without a right signature: what a receiver has to do, in 50 lines.
 *
 * Invariant: a message is taken once; one that comes again with its id is acknowledged and dropped.
 *
 * Sources: https://www.standardwebhooks.com
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { serveHttp, type ServedRequest, type ServedResponse } from './http-server.ts'

const KEPT_MAX = 10_000
/** How far the sender's clock may be from ours, in seconds: an old message cannot be played again. */
const SKEW_SECONDS = 300

/** A webhook that was believed. */
export interface ReceivedWebhook {
  readonly id: string
  readonly body: string
}

/** How the receiver behaves. */
export interface WebhookReceiverOptions {
  /** Text, or `whsec_` and base64. */
  readonly secret: string
  readonly clock: Clock
  /** Told of each webhook that is taken. */
  readonly onWebhook?: (webhook: ReceivedWebhook) => void
  /** What is done with a right one in place of taking it: a status, or `hang` for no answer at all. */
  readonly behave?: (webhook: ReceivedWebhook) => number | 'hang' | undefined
}

/** The running receiver. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string
  /** What was taken, in order, each id once. */
  readonly webhooks: readonly ReceivedWebhook[]
  /** How often each id arrived with a right signature. */
  readonly arrivals: ReadonlyMap<string, number>
  /** How many had a wrong signature. */
  refused(): number
}

/** Starts the receiver on a port of 127.0.0.1 that the system chooses. */
export async function startWebhookReceiver(options: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const { secret, clock, behave, onWebhook } = options
  const webhooks: ReceivedWebhook[] = []
  const arrivals = new Map<string, number>()
  const known = new Set<string>()
  let refused = 0
  const answer = (request: ServedRequest): ServedResponse | undefined => {
    const { body } = request
    const id = request.headers['webhook-id'] ?? ''
    if (!isRight(secret, clock.wallNowMs(), request)) {
      refused += 1
      return { status: 401, body: '' }
    }
    if (arrivals.size < KEPT_MAX) arrivals.set(id, (arrivals.get(id) ?? 0) + 1)
    const behaviour = behave?.({ id, body })
    if (behaviour === 'hang') return undefined
    if (behaviour !== undefined) return { status: behaviour, body: '' }
    if (!known.has(id) && webhooks.length < KEPT_MAX) {
      known.add(id)
      webhooks.push({ id, body })
      onWebhook?.({ id, body })
    }
    return { status: 204, body: '' }
  }
  const server = await serveHttp(answer)
  return { url: server.url, webhooks, arrivals, refused: () => refused, [Symbol.asyncDispose]: () => server.close() }
}

function isRight(secret: string, nowMs: number, { headers, body }: ServedRequest): boolean {
  const id = headers['webhook-id'] ?? ''
  const time = headers['webhook-timestamp'] ?? ''
  if (!/^\d+$/.test(time) || Math.abs(nowMs / 1000 - Number(time)) > SKEW_SECONDS) return false
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  const expected = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest()
  return (headers['webhook-signature'] ?? '').split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64')
    return signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected)
  })
}
