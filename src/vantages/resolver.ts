/**
 * A resolver as the place that is asked: one question is one exchange, over the transport that was chosen.
 *
 * Invariant: never retries and never falls back to another transport. But for UDP all questions share one connection.
 */
import { assertNever } from '../core/assert.ts'
import type { Clock } from '../core/clock.ts'
import type { Exchange } from '../model/observation.ts'
import { createDo53Tcp } from '../net/do53-tcp.ts'
import { exchangeDo53Udp } from '../net/do53-udp.ts'
import { createDoh, type DohOptions } from '../net/doh.ts'
import { createDot } from '../net/dot.ts'
import type { Endpoint, Net, TlsFacts } from '../net/net.ts'
import type { ExchangeRequest } from '../net/pending-exchange.ts'
import type { TlsTarget } from '../net/tls-connector.ts'

/** Where a resolver is, and how it is spoken to. */
export type ResolverTarget =
  | { readonly transport: 'udp' | 'tcp'; readonly endpoint: Endpoint }
  | ({ readonly transport: 'tls' } & TlsTarget)
  | ({ readonly transport: 'https' | 'https_json' } & TlsTarget &
      Pick<DohOptions, 'authority' | 'path' | 'form' | 'isFresh'>)

/** A resolver that can be asked. */
export interface ResolverVantage {
  /** Performs one exchange. @returns Always; rejects only on a bug. */
  exchange(request: ExchangeRequest): Promise<Exchange>
  /** What the newest TLS handshake agreed on; `undefined` without one. */
  facts(): TlsFacts | undefined
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
  const idleTimeoutMs = IDLE_TIMEOUT_MS
  switch (target.transport) {
    case 'udp':
      return {
        exchange: (request) => exchangeDo53Udp(net, clock, { ...request, endpoint }),
        facts: () => undefined,
        close: () => {},
      }
    case 'tcp': {
      const connect = (timeoutMs: number): ReturnType<Net['connectTcp']> => net.connectTcp(endpoint, timeoutMs)
      return { ...createDo53Tcp(clock, { connect, connectTimeoutMs, idleTimeoutMs }), facts: () => undefined }
    }
    case 'tls': {
      const { transport: _transport, ...tls } = target
      return createDot(net, clock, { ...tls, connectTimeoutMs, idleTimeoutMs })
    }
    case 'https':
    case 'https_json': {
      const { transport: _transport, ...https } = target
      return createDoh(net, clock, { ...https, connectTimeoutMs, idleTimeoutMs })
    }
    default:
      return assertNever(target)
  }
}
