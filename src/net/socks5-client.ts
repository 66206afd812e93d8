/**
 * SOCKS5, the side that asks: connects to a host, or resolves a name, through a proxy.
 *
 * Invariant: the host name goes to the proxy as it is and is resolved nowhere else. A reply code is data: which of them
 * tells what about an exit is for the caller to say. Never retries.
 *
 * Sources: RFC 1928, RFC 1929; Tor's socks-extensions (RESOLVE).
 */
import type { Clock } from '../core/clock.ts'
import type { Failure, Operation } from '../model/failure.ts'
import { NetError, type Connection, type Endpoint, type Net } from './net.ts'
import { createOctetReader, type OctetReader } from './octet-reader.ts'
import { encodeSocksMessage, readSocksMessage, SOCKS5, type SocksMessage, type SocksTarget } from './socks5.ts'

/** User name and password for the proxy, 1 to 255 octets of UTF-8 each. Tor separates circuits by them. */
export interface SocksCredentials {
  readonly username: string
  readonly password: string
}

/** A request to a proxy. */
export interface SocksRequest {
  readonly proxy: Endpoint
  /** A host name or an address; the proxy resolves it. */
  readonly host: string
  /** 0 to 65535; of no meaning when resolving. */
  readonly port: number
  readonly credentials?: SocksCredentials
  /** How long everything up to the reply may take, in milliseconds. */
  readonly timeoutMs: number
}

/** How a request ended when the proxy did not say yes. */
export type SocksRefusal =
  /** The proxy answered with a code other than 0; `formatSocksReply` names it. */
  | { readonly kind: 'refused'; readonly reply: number; readonly elapsedMs: number }
  | { readonly kind: 'failure'; readonly operation: Operation; readonly failure: Failure; readonly elapsedMs: number }

/** The outcome of {@link connectSocks5}. */
export type SocksConnectOutcome =
  | { readonly kind: 'connected'; readonly connection: Connection; readonly elapsedMs: number }
  | SocksRefusal

/** The outcome of {@link resolveSocks5}. */
export type SocksResolveOutcome =
  /** `address` is IPv4 or IPv6, canonical: which of the two is up to the proxy. */
  { readonly kind: 'resolved'; readonly address: string; readonly elapsedMs: number } | SocksRefusal

/** Connects to a host through a proxy. @returns Always, at the latest after `timeoutMs`. */
export async function connectSocks5(net: Net, clock: Clock, request: SocksRequest): Promise<SocksConnectOutcome> {
  const outcome = await performRequest(net, clock, request, SOCKS5.connect)
  if (outcome.kind !== 'accepted') return outcome
  return { kind: 'connected', connection: outcome.reader.release(), elapsedMs: outcome.elapsedMs }
}

/** Resolves a host name through Tor (command 0xF0). @returns Always, at the latest after `timeoutMs`. */
export async function resolveSocks5(net: Net, clock: Clock, request: SocksRequest): Promise<SocksResolveOutcome> {
  const outcome = await performRequest(net, clock, request, SOCKS5.resolve)
  if (outcome.kind !== 'accepted') return outcome
  outcome.reader.release().close()
  return { kind: 'resolved', address: outcome.bound.host, elapsedMs: outcome.elapsedMs }
}

interface Accepted {
  readonly kind: 'accepted'
  readonly reader: OctetReader
  readonly bound: SocksTarget
  readonly elapsedMs: number
}

async function performRequest(
  net: Net,
  clock: Clock,
  request: SocksRequest,
  command: number,
): Promise<Accepted | SocksRefusal> {
  const startedAtMs = clock.nowMs()
  const elapsedMs = (): number => clock.nowMs() - startedAtMs
  let connection: Connection
  try {
    connection = await net.connectTcp(request.proxy, request.timeoutMs)
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return { kind: 'failure', operation: 'connect', failure: error.failure, elapsedMs: elapsedMs() }
  }
  let timedOut = false
  const timer = clock.setTimer(request.timeoutMs - elapsedMs(), () => {
    timedOut = true
    connection.close() // whatever waits for the proxy ends
  })
  const reader = createOctetReader(connection)
  try {
    const reply = await converse(connection, reader, request, command)
    if (reply.code === SOCKS5.succeeded && !timedOut) {
      return { kind: 'accepted', reader, bound: reply.target, elapsedMs: elapsedMs() }
    }
    connection.close()
    if (!timedOut) return { kind: 'refused', reply: reply.code, elapsedMs: elapsedMs() }
    throw new NetError('generic_timeout_error')
  } catch (error) {
    connection.close()
    if (!(error instanceof NetError)) throw error
    const failure = timedOut ? 'generic_timeout_error' : error.failure
    return { kind: 'failure', operation: 'socks_handshake', failure, elapsedMs: elapsedMs() }
  } finally {
    timer.cancel()
  }
}

/** @throws {NetError} When the proxy finishes early or speaks something else. */
async function converse(
  connection: Connection,
  reader: OctetReader,
  { host, port, credentials }: SocksRequest,
  command: number,
): Promise<Extract<SocksMessage, { kind: 'message' }>> {
  const message = encodeSocksMessage(command, { host, port })
  if (message === undefined) throw new NetError('unknown_failure: host name that SOCKS cannot carry')
  const wanted = credentials === undefined ? SOCKS5.noAuthentication : SOCKS5.userPassword
  await connection.write(Uint8Array.of(SOCKS5.version, 1, wanted))
  const [version, method] = await takeOrThrow(reader, 2)
  if (version !== SOCKS5.version) throw malformedReply()
  if (method === SOCKS5.noAcceptableMethod) throw new NetError('permission_denied')
  if (method !== wanted) throw malformedReply()
  if (credentials !== undefined) {
    await connection.write(encodeCredentials(credentials))
    const [, status] = await takeOrThrow(reader, 2)
    if (status !== 0) throw new NetError('permission_denied')
  }
  await connection.write(message)
  const reply = await readSocksMessage(reader)
  if (reply.kind === 'eof') throw new NetError('eof_error')
  if (reply.kind === 'malformed') throw malformedReply()
  return reply
}

function encodeCredentials({ username, password }: SocksCredentials): Uint8Array {
  const [user, secret] = [username, password].map((text) => new TextEncoder().encode(text))
  const fits = [user, secret].every((octets) => octets !== undefined && octets.length > 0 && octets.length <= 255)
  if (!fits || user === undefined || secret === undefined) {
    throw new NetError('unknown_failure: credentials that SOCKS cannot carry')
  }
  return Uint8Array.of(SOCKS5.userPasswordVersion, user.length, ...user, secret.length, ...secret)
}

async function takeOrThrow(reader: OctetReader, count: number): Promise<Uint8Array> {
  const octets = await reader.take(count)
  if (octets === undefined) throw new NetError('eof_error')
  return octets
}

function malformedReply(): NetError {
  return new NetError('unknown_failure: malformed SOCKS reply')
}
