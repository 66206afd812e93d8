/** What an HTTP exchange means for a delivery: the same for every channel that speaks HTTP. */
import type { HttpFailure, HttpResponse } from '../net/http-client.ts'
import type { DeliveryOutcome } from './channel.ts'

/** Statuses that say that this very message will never be taken. Others may be mended on the other side. */
const NEVER = new Set([400, 413, 415, 422])
/** No service is believed when it wants a longer pause. */
const RETRY_AFTER_MS_MAX = 3_600_000

/** A response of these is read at most so far: nobody needs their text. */
export const RESPONSE_OCTETS_MAX = 65_536

/** Judges an exchange. The text of the response is not looked at: it may hold anything. */
export function judgeExchange(exchange: HttpResponse | HttpFailure): DeliveryOutcome {
  if (exchange.kind === 'failure') return { kind: 'retry', error: exchange.failure }
  const { status, headers } = exchange
  if (status >= 200 && status < 300) return { kind: 'sent' }
  const error = `http_unexpected_status_code: ${status}`
  if (NEVER.has(status)) return { kind: 'refused', error }
  return { kind: 'retry', error, ...retryAfter(headers['retry-after']) }
}

/** Reads a pause in seconds. @returns Nothing for anything else, a date included. */
export function retryAfter(seconds: string | number | undefined): { readonly afterMs?: number } {
  const text = String(seconds ?? '')
  return /^\d{1,9}$/.test(text) ? { afterMs: Math.min(Number(text) * 1000, RETRY_AFTER_MS_MAX) } : {}
}
