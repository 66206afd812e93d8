/**
 * A resolver as the place that is asked: one question is one exchange, over the transport that was chosen.
 *
 * Invariant: never retries and never falls back to another transport. Over TCP all questions share one connection.
 */
import type { Clock } from '../core/clock.ts'
import type { Exchange } from '../model/observation.ts'
import { createDo53Tcp } from '../net/do53-tcp.ts'
import { exchangeDo53Udp } from '../net/do53-udp.ts'
import type { Endpoint, Net } from '../net/net.ts'
import type { ExchangeRequest } from '../net/pending-exchange.ts'

/** Where a resolver is, and how it is spoken to. */
export interface ResolverTarget {
  readonly transport: 'udp' | 'tcp'
  readonly endpoint: Endpoint
}

/** A resolver that can be asked. */
export interface ResolverVantage {
  /** Performs one exchange. @returns Always; rejects only on a bug. */
  exchange(request: ExchangeRequest): Promise<Exchange>
  /** Closes what was opened; what is in flight ends as `interrupted`. */
  close(): void
}

/** How long a connection waits for the next question, in milliseconds. */
const IDLE_TIMEOUT_MS = 10_000

/** Prepares to ask; nothing is sent before the first question. */
export function openResolver(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  target: ResolverTarget,
  connectTimeoutMs: number,
): ResolverVantage {
  const { endpoint } = target
  if (target.transport === 'udp') {
    return { exchange: (request) => exchangeDo53Udp(net, clock, { ...request, endpoint }), close: () => {} }
  }
  return createDo53Tcp(clock, {
    connect: (timeoutMs) => net.connectTcp(endpoint, timeoutMs),
    connectTimeoutMs,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  })
}
