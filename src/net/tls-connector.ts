/**
 * Opens TLS connections to one server, resuming the session of the one before.
 *
 * Invariant: a ticket is used once (RFC 8446 appendix C.4) and for this server and these options alone, so what an
 * unverified connection gave never opens a strict one.
 */
import type { Operation } from '../model/failure.ts'
import type { Endpoint, Net, TlsConnection, TlsFacts, TlsOptions } from './net.ts'

/** A server that is spoken to over TLS. */
export interface TlsTarget extends Pick<TlsOptions, 'serverName' | 'mode' | 'authorities'> {
  readonly endpoint: Endpoint
}

/** Opens connections to one server. */
export interface TlsConnector {
  /** @throws {NetError} With the step that failed. */
  connect(timeoutMs: number, onStep: (operation: Operation) => void): Promise<TlsConnection>
  /** What was agreed on last; `undefined` before. */
  facts(): TlsFacts | undefined
}

/** Servers give two or so at once; the newest lives longest. */
const TICKETS_MAX = 4

/** Prepares to connect. @param alpn - The protocol that is spoken inside. */
export function createTlsConnector(net: Net, target: TlsTarget, alpn: string): TlsConnector {
  const tickets: Uint8Array[] = []
  let facts: TlsFacts | undefined
  return {
    facts: () => facts,
    connect: async (timeoutMs, onStep) => {
      const ticket = tickets.pop()
      const { endpoint, ...options } = target
      const connection = await net.connectTls(
        endpoint,
        {
          ...options,
          alpn: [alpn],
          ...(ticket === undefined ? {} : { ticket }),
          onTicket: (given) => {
            tickets.push(given)
            if (tickets.length > TICKETS_MAX) tickets.shift()
          },
          onHandshake: () => {
            onStep('tls_handshake')
          },
        },
        timeoutMs,
      )
      facts = connection.tls
      return connection
    },
  }
}
