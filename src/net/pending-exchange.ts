/**
 * One query on its way: collects responses and oddities until its time is over.
 *
 * Invariant: always ends. Every response that matches is kept until the late window closes, because an injector on the
 * path answers faster than the resolver: the first response proves nothing.
 *
 * Sources: OONI ts-035-dnsping (delayed responses).
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Failure, Operation, Side } from '../model/failure.ts'
import type { Exchange, Oddities, TimedResponse } from '../model/observation.ts'
import { matchResponse, type ResponseMatch } from './match-response.ts'

/** No query is worth more responses than this; a flood ends the window early. */
const RESPONSES_MAX = 16

/** What is asked, and how long is waited. */
export interface ExchangeRequest {
  /** The query message in wire format, header included, with one question. The id is the caller's to choose at random. */
  readonly query: Uint8Array
  /** How long to wait for the first response, from the start of the exchange, in milliseconds. */
  readonly timeoutMs: number
  /** How long to go on listening after the first response, in milliseconds; 0 for not at all. */
  readonly lateWindowMs: number
  /** Tells whether octets answer the query, where responses are no messages in wire format. */
  readonly match?: (query: Uint8Array, octets: Uint8Array) => ResponseMatch
  /** Ends the exchange early, with the responses so far or as `interrupted`. */
  readonly signal?: AbortSignal
}

/** The oddities that a transport can count; the record has the same names. */
export type Oddity = keyof Oddities

/** A query on its way. */
export interface PendingExchange {
  readonly query: Uint8Array
  /** The outcome. Never rejects. */
  readonly outcome: Promise<Exchange>
  /** Whether the outcome is decided. */
  readonly ended: boolean
  /** Before it is sent: what fails from here on failed as that step. */
  enter(operation: Operation): void
  /** From here on times are counted; what fails afterwards failed as `exchange`. */
  markSent(): void
  /** Takes octets from the right source. Keeps them if they are a response, counts them otherwise. */
  accept(octets: Uint8Array): void
  count(oddity: Oddity): void
  /** Ends the exchange. Responses that arrived before are kept: then it is no failure. */
  fail(failure: Failure): void
}

/**
 * Starts the time of a query.
 *
 * @param operation - What is done before the query is sent: `connect`, or `exchange` where there is nothing to do.
 */
export function startExchange(clock: Clock, request: ExchangeRequest, operation: Operation): PendingExchange {
  const { query, lateWindowMs, signal } = request
  const startedAtMs = clock.nowMs()
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  const counts = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }
  const responses: TimedResponse[] = []
  let stage = operation
  let sentAtMs = startedAtMs
  let ended = false

  const end = (failure: Failure): void => {
    if (ended) return
    ended = true
    timer.cancel()
    signal?.removeEventListener('abort', interrupt)
    const [first, ...late] = responses
    const oddities = { ...counts }
    const elapsedMs = clock.nowMs() - startedAtMs
    resolve(
      first === undefined
        ? { kind: 'failure', operation: stage, failure, side: sideOf(failure), elapsedMs, oddities }
        : { kind: 'responses', responses: [first, ...late], oddities },
    )
  }
  const expire = (): void => {
    end('generic_timeout_error')
  }
  const interrupt = (): void => {
    end('interrupted')
  }
  const keep = (octets: Uint8Array): void => {
    responses.push({ octets, elapsedMs: clock.nowMs() - sentAtMs })
    if (lateWindowMs <= 0 || responses.length >= RESPONSES_MAX) {
      expire()
    } else if (responses.length === 1) {
      timer.cancel()
      timer = clock.setTimer(lateWindowMs, expire)
    }
  }
  let timer: Timer = clock.setTimer(request.timeoutMs, expire)
  if (signal?.aborted === true) interrupt()
  else signal?.addEventListener('abort', interrupt)
  return {
    query,
    outcome: promise,
    get ended() {
      return ended
    },
    enter: (next) => {
      if (stage !== 'exchange') stage = next
    },
    markSent: () => {
      stage = 'exchange'
      sentAtMs = clock.nowMs()
    },
    accept: (octets) => {
      if (ended) return
      const match = (request.match ?? matchResponse)(query, octets)
      if (match === 'response') keep(octets)
      else counts[ODDITY_OF[match]]++
    },
    count: (oddity) => {
      counts[oddity]++
    },
    fail: end,
  }
}

const ODDITY_OF = { wrong_id: 'wrongId', wrong_question: 'wrongQuestion', malformed: 'malformed' } as const

/** Failures of our own machine or network; everything else is the resolver's, or the way to it. */
const OUR_FAILURES: ReadonlySet<string> = new Set<Failure>([
  'address_in_use',
  'address_not_available',
  'interrupted',
  'message_size',
  'network_down',
  'network_unreachable',
  'permission_denied',
  'too_many_open_files',
])

function sideOf(failure: Failure): Side {
  return OUR_FAILURES.has(failure) || failure.startsWith('unknown_failure') ? 'us' : 'resolver'
}
