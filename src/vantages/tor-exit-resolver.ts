/**
 * The resolver behind a Tor exit, and any resolver through that exit, as places that are asked.
 *
 * The first is asked through Tor's DNSPort, which makes an answer of what the exit found: A and AAAA, no EDNS. The second
 * is asked over TCP through the circuit, and answers in its own words.
 *
 * Invariant: as every vantage: one question is one exchange. Trouble with the circuit is on the vantage's side.
 */
import type { Clock } from '../core/clock.ts'
import { assert } from '../core/assert.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { formatName } from '../dns/name.ts'
import type { Exchange } from '../model/observation.ts'
import { createDo53Tcp } from '../net/do53-tcp.ts'
import { exchangeDo53Udp } from '../net/do53-udp.ts'
import type { Endpoint, Net } from '../net/net.ts'
import type { ExchangeRequest } from '../net/pending-exchange.ts'
import type { Circuit, TorSession } from '../tor/tor-session.ts'
import type { ResolverVantage } from './resolver.ts'

/** How long a connection through the circuit waits for the next question, in milliseconds. */
const IDLE_TIMEOUT_MS = 10_000

/** The exit's own resolver. Names have lower-case letters, digits, hyphens and underscores only; queries no EDNS. */
export function openExitResolver(
  machine: { readonly net: Net; readonly clock: Clock },
  session: TorSession,
  circuit: Circuit,
): ResolverVantage {
  return {
    exchange: (request) => askDnsPort(machine, session, circuit, request),
    facts: () => undefined,
    close: () => {},
  }
}

/** A resolver that is asked over TCP through the exit. */
export function openResolverThroughExit(
  clock: Clock,
  session: TorSession,
  circuit: Circuit,
  { address, port }: Endpoint,
  connectTimeoutMs: number,
): ResolverVantage {
  const server = createDo53Tcp(clock, {
    connect: (timeoutMs) => session.connectThrough(circuit, address, port, timeoutMs),
    connectTimeoutMs,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  })
  return {
    exchange: async (request) => {
      const exchange = await server.exchange(request)
      // Tor's own reasons are about the circuit and its exit.
      const isTor = exchange.kind === 'failure' && exchange.failure.startsWith('unknown_failure: tor ')
      return isTor ? { ...exchange, side: 'vantage' } : exchange
    },
    facts: () => undefined,
    close: () => {
      server.close()
    },
  }
}

async function askDnsPort(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  session: TorSession,
  circuit: Circuit,
  request: ExchangeRequest,
): Promise<Exchange> {
  const decoded = decodeMessage(request.query)
  const [question] = decoded.kind === 'message' ? decoded.message.questions : []
  assert(question !== undefined, 'a query has a question')
  const stream = await session.expectStream(formatName(question.name), circuit, request.timeoutMs)
  const stopped = new AbortController()
  let reason: string | undefined
  void stream.attached.then((outcome) => {
    if (outcome.kind === 'attached' || outcome.reason === 'RELEASED') return
    reason = outcome.reason
    stopped.abort()
  })
  const signals = [stopped.signal, circuit.closed, session.gone, ...(request.signal ? [request.signal] : [])]
  try {
    const signal = AbortSignal.any(signals)
    const exchange = await exchangeDo53Udp(net, clock, {
      ...request,
      signal,
      endpoint: session.dnsPort,
      localAddress: '127.0.0.1',
    })
    if (exchange.kind === 'responses' || request.signal?.aborted === true) return exchange
    if (session.gone.aborted) reason = 'TOR_GONE'
    else if (circuit.closed.aborted) reason = 'CIRCUIT_CLOSED'
    return reason === undefined
      ? { ...exchange, side: 'vantage' }
      : { ...exchange, operation: 'stream_attach', failure: `unknown_failure: tor ${reason}`, side: 'vantage' }
  } finally {
    stream.release()
  }
}
