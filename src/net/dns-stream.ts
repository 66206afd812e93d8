/**
 * DNS messages over one byte stream: many queries in flight, answers in any order, each behind its length in two octets.
 *
 * Invariant: when the stream breaks, everything in flight fails with the same failure. Without queries in flight the
 * stream ends after its idle time, whatever the peer sends.
 *
 * Sources: RFC 1035 section 4.2.2, RFC 7766 (sections 6.2.1.1 pipelining, 6.2.3 idle connections).
 */
import { assert } from '../core/assert.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Failure } from '../model/failure.ts'
import { NetError, type Connection } from './net.ts'
import { createOctetReader } from './octet-reader.ts'
import type { PendingExchange } from './pending-exchange.ts'
import { createQueriesInFlight } from './queries-in-flight.ts'

const LENGTH_OCTETS = 2
const MESSAGE_OCTETS_MAX = 65_535

/** A byte stream that carries DNS messages. */
export interface DnsStream {
  /** Whether the stream takes no more queries. */
  readonly ended: boolean
  /** How many messages have come. */
  readonly messagesReceived: number
  /** Sends a query, and hands it what comes back. @throws {NetError} When it could not be written. */
  send(pending: PendingExchange): Promise<void>
  /** Takes no more queries and ends when nothing is in flight. */
  retire(): void
  /** Ends at once. */
  end(failure: Failure): void
}

/** Begins to use `connection`, which belongs to the stream from here on. */
export function createDnsStream(connection: Connection, clock: Clock, idleTimeoutMs: number): DnsStream {
  const queries = createQueriesInFlight()
  let retired = false
  let ended = false
  let idleTimer: Timer | undefined
  let messagesReceived = 0

  const end = (failure: Failure): void => {
    if (ended) return
    ended = true
    idleTimer?.cancel()
    connection.close()
    queries.failAll(failure)
  }
  const endWhenIdle = (): void => {
    idleTimer?.cancel()
    if (ended || queries.size > 0) return
    if (retired || idleTimeoutMs <= 0) end('interrupted')
    else
      idleTimer = clock.setTimer(idleTimeoutMs, () => {
        end('interrupted')
      })
  }
  void readMessages(connection, (message) => {
    messagesReceived++
    queries.dispatch(message)
  }).then(end)
  return {
    get ended() {
      return ended || retired
    },
    get messagesReceived() {
      return messagesReceived
    },
    send: async (pending) => {
      if (ended) throw new NetError('interrupted')
      if (pending.ended) {
        endWhenIdle()
        return
      }
      idleTimer?.cancel()
      queries.add(pending, endWhenIdle)
      pending.markSent()
      await connection.write(frame(pending.query))
    },
    retire: () => {
      retired = true
      endWhenIdle()
    },
    end,
  }
}

/** @returns Why there is nothing more to read. */
async function readMessages(connection: Connection, onMessage: (message: Uint8Array) => void): Promise<Failure> {
  const reader = createOctetReader(connection)
  try {
    for (;;) {
      const [high, low] = (await reader.take(LENGTH_OCTETS)) ?? []
      if (high === undefined || low === undefined) return 'eof_error'
      const message = await reader.take((high << 8) | low)
      if (message === undefined) return 'eof_error'
      onMessage(message.slice()) // a copy, so that a short message does not keep a long read alive
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return error.failure
  }
}

function frame(message: Uint8Array): Uint8Array {
  assert(message.length <= MESSAGE_OCTETS_MAX, 'a message over TCP has at most 65,535 octets')
  const framed = new Uint8Array(LENGTH_OCTETS + message.length)
  framed[0] = message.length >> 8
  framed[1] = message.length & 0xff
  framed.set(message, LENGTH_OCTETS)
  return framed
}
