/**
 * DNS over TLS: one server, many queries over one connection, sessions resumed.
 *
 * Invariant: never retries, and never falls back to plain text. Padding is the business of whoever makes the query.
 *
 * Sources: RFC 7858, RFC 8310 (strict and opportunistic profile), RFC 7766.
 */
import type { Clock } from '../core/clock.ts'
import { createDo53Tcp, type Do53Tcp } from './do53-tcp.ts'
import type { Net, TlsFacts } from './net.ts'
import { createTlsConnector, type TlsTarget } from './tls-connector.ts'

/** RFC 7858 section 3.1: registered for ALPN. */
const ALPN = 'dot'

/** How to reach a server. */
export interface DotOptions extends TlsTarget {
  /** For TCP and TLS together, in milliseconds. */
  readonly connectTimeoutMs: number
  /** How long a connection without queries is kept, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** A server that is asked over TLS. */
export interface Dot extends Do53Tcp {
  /** What the newest handshake agreed on; `undefined` before the first. */
  facts(): TlsFacts | undefined
}

/** Prepares to ask one server; connects when the first query comes. */
export function createDot(net: Net, clock: Clock, options: DotOptions): Dot {
  const { connectTimeoutMs, idleTimeoutMs, ...target } = options
  const connector = createTlsConnector(net, target, ALPN)
  const connect = connector.connect.bind(connector)
  return { ...createDo53Tcp(clock, { connect, connectTimeoutMs, idleTimeoutMs }), facts: () => connector.facts() }
}
