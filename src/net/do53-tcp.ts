/**
 * Do53 over TCP: one server, many queries over one connection.
 *
 * Invariant: never retries and never asks elsewhere. A connection that breaks fails everything in flight on it; the next
 * query opens a new one. A connection on which a query ran out of time while nothing came at all takes no new ones, so that
 * a frozen server costs one connection and not all that follows.
 *
 * Sources: RFC 7766.
 */
import { assert } from '../core/assert.ts'
import type { Clock } from '../core/clock.ts'
import type { Operation } from '../model/failure.ts'
import type { Exchange } from '../model/observation.ts'
import { createDnsStream, type DnsStream } from './dns-stream.ts'
import { NetError, type Connection, type Endpoint, type Net } from './net.ts'
import { startExchange, type ExchangeRequest, type PendingExchange } from './pending-exchange.ts'

/** How to reach a server. */
export interface Do53TcpOptions {
  /**
   * Opens a connection: to an endpoint, over TLS, or through a circuit.
   *
   * @param onStep - To be called when a step after connecting begins.
   * @throws {NetError}
   */
  readonly connect: (timeoutMs: number, onStep: (operation: Operation) => void) => Promise<Connection>
  readonly connectTimeoutMs: number
  /** How long a connection without queries is kept, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** A server that is asked over TCP. */
export interface Do53Tcp {
  /** Performs one exchange. @returns Always; rejects only on a bug. The time-out includes connecting. */
  exchange(request: ExchangeRequest): Promise<Exchange>
  /** Closes everything; what is in flight ends as `interrupted`. */
  close(): void
}

/** One exchange over a connection of its own, which is closed afterwards. */
export async function exchangeDo53Tcp(
  net: Net,
  clock: Clock,
  request: ExchangeRequest & { readonly endpoint: Endpoint },
): Promise<Exchange> {
  const server = createDo53Tcp(clock, {
    connect: (timeoutMs) => net.connectTcp(request.endpoint, timeoutMs),
    connectTimeoutMs: request.timeoutMs,
    idleTimeoutMs: 0,
  })
  try {
    return await server.exchange(request)
  } finally {
    server.close()
  }
}

/** Prepares to ask one server; connects when the first query comes. */
export function createDo53Tcp(clock: Clock, options: Do53TcpOptions): Do53Tcp {
  const inFlight = new Set<PendingExchange>()
  /** Those of `inFlight` that wait for a connection. */
  const waiting = new Set<PendingExchange>()
  let opening: Promise<DnsStream> | undefined
  let stream: DnsStream | undefined
  let closed = false
  let step: Operation = 'connect'

  const open = async (): Promise<DnsStream> => {
    step = 'connect'
    try {
      const connection = await options.connect(options.connectTimeoutMs, (next) => {
        step = next
        for (const pending of waiting) pending.enter(next)
      })
      stream = createDnsStream(connection, clock, options.idleTimeoutMs)
      if (closed) stream.end('interrupted')
      return stream
    } finally {
      opening = undefined
    }
  }
  const waitForStream = async (pending: PendingExchange): Promise<DnsStream> => {
    waiting.add(pending)
    try {
      const opened = (opening ??= open())
      pending.enter(step)
      return await opened
    } finally {
      waiting.delete(pending)
    }
  }
  const send = async (pending: PendingExchange): Promise<void> => {
    try {
      const used = stream === undefined || stream.ended ? await waitForStream(pending) : stream
      const before = used.messagesReceived
      await used.send(pending)
      const outcome = await pending.outcome
      const isFrozen = outcome.kind === 'failure' && outcome.failure !== 'interrupted'
      if (isFrozen && used.messagesReceived === before) used.retire()
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      pending.fail(error.failure)
    }
  }
  return {
    exchange: async (request) => {
      assert(!closed, 'nothing is asked of a server that was closed')
      const pending = startExchange(clock, request, 'connect')
      inFlight.add(pending)
      void send(pending)
      const outcome = await pending.outcome
      inFlight.delete(pending)
      return outcome
    },
    close: () => {
      closed = true
      for (const pending of inFlight) pending.fail('interrupted')
      stream?.end('interrupted')
    },
  }
}
