/**
 * What a session with our own Tor and one with a shared Tor have in common: streams through circuits.
 *
 * Invariant: a TCP stream is announced by the address that we connect from, after connecting and before the first octet
 * of the request; so Tor cannot ask about it before we know it.
 */
import { withTimeout, type Clock } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { Failure } from '../model/failure.ts'
import { formatEndpoint, NetError, type Connection, type Endpoint, type Net } from '../net/net.ts'
import { pipeConnections } from '../net/pipe-connections.ts'
import { connectSocks5, resolveSocks5, type SocksRefusal } from '../net/socks5-client.ts'
import { acceptSocks5, type AcceptedSocksRequest } from '../net/socks5-server.ts'
import type { CircuitTable } from './circuits.ts'
import type { ControlClient } from './control-client.ts'
import { startHeartbeat } from './control-heartbeat.ts'
import type { NetworkWatch } from './network-view.ts'
import type { AnnouncedStream, StreamTable } from './streams.ts'
import type { Circuit, TorSession } from './tor-session.ts'

/** Connections at once on one SOCKS port that we open. */
const PORT_CONNECTIONS_MAX = 256
/** How long an external program may take to say what it wants. */
const PORT_REQUEST_TIMEOUT_MS = 10_000
/** How long a stream for an external program may take to connect: longer than the exit's own connect time-out. */
const PORT_CONNECT_TIMEOUT_MS = 60_000

/** How much later than the SOCKS reply the event may be read. */
const EVENT_DELAY_MS_MAX = 1_000

/** The parts of a session. */
export interface SessionParts {
  readonly net: Net
  readonly clock: Clock
  readonly client: ControlClient
  readonly version: string
  readonly owned: boolean
  readonly circuits: CircuitTable
  readonly streams: StreamTable
  readonly network: NetworkWatch
  /** Ends whatever the session began. */
  readonly end: () => Promise<void>
}

/** Puts a session together. @throws {RunError} When Tor has no DNSPort or SocksPort. @throws {ControlError} */
export async function createTorSession(parts: SessionParts): Promise<TorSession> {
  const { client, circuits, streams, network } = parts
  const dnsPort = await readListener(client, 'dns')
  const socksPort = await readListener(client, 'socks')
  startHeartbeat(client, parts.clock)
  if (dnsPort === undefined) throw new RunError('Tor has no DNSPort on a loopback address', 'set DNSPort auto')
  return {
    version: parts.version,
    owned: parts.owned,
    dnsPort,
    gone: client.gone,
    network: () => network.current(),
    buildCircuit: (path, timeoutMs, signal) => circuits.build(path, timeoutMs, signal),
    closeCircuit: (circuit) => circuits.close(circuit),
    expectStream: (target, circuit, timeoutMs) => streams.expect({ kind: 'name', target }, circuit, timeoutMs),
    connectThrough: (circuit, host, port, timeoutMs) =>
      connectThrough(parts, requireSocksPort(socksPort), circuit, { host, port, timeoutMs }),
    openSocksPort: (circuit) => openSocksPort(parts, requireSocksPort(socksPort), circuit),
    [Symbol.asyncDispose]: async () => {
      network.stop()
      await parts.end()
    },
  }
}

/** The first TCP listener of a kind. @throws {ControlError} */
export async function readListener(client: ControlClient, kind: 'dns' | 'socks'): Promise<Endpoint | undefined> {
  const reply = await client.expectOk(`GETINFO net/listeners/${kind}`)
  const match = /"(\d+\.\d+\.\d+\.\d+):(\d{1,5})"/.exec(reply.lines[0]?.text ?? '')
  if (match === null) return undefined
  const address = match[1] === '0.0.0.0' ? '127.0.0.1' : (match[1] ?? '')
  return { address, port: Number(match[2]) }
}

function requireSocksPort(socksPort: Endpoint | undefined): Endpoint {
  if (socksPort !== undefined) return socksPort
  throw new RunError(
    'Tor has no SocksPort over TCP',
    'set SocksPort 9050, or run without modules that open connections',
  )
}

interface Destination {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}

/** Announces the stream of the one connection that is opened through the returned network. */
function announcingNet(
  { net, streams }: SessionParts,
  circuit: Circuit,
  timeoutMs: number,
): { readonly net: Net; readonly stream: () => AnnouncedStream | undefined } {
  let stream: AnnouncedStream | undefined
  return {
    stream: () => stream,
    net: {
      ...net,
      connectTcp: async (to, connectTimeoutMs) => {
        const connection = await net.connectTcp(to, connectTimeoutMs)
        stream = await streams.expect({ kind: 'source', source: formatEndpoint(connection.local) }, circuit, timeoutMs)
        // What ends the stream ends the wait for Tor's reply as well.
        void stream.attached.then((outcome) => {
          if (outcome.kind === 'failed' && outcome.reason !== 'RELEASED') connection.finish()
        })
        return connection
      },
    },
  }
}

async function connectThrough(
  parts: SessionParts,
  proxy: Endpoint,
  circuit: Circuit,
  { host, port, timeoutMs }: Destination,
): Promise<Connection> {
  if (circuit.closed.aborted) throw new NetError('unknown_failure: tor CIRCUIT_CLOSED')
  const { net, stream } = announcingNet(parts, circuit, timeoutMs)
  const outcome = await connectSocks5(net, parts.clock, { proxy, host, port, timeoutMs })
  if (outcome.kind === 'connected') {
    stream()?.letGo()
    return outcome.connection
  }
  throw new NetError(await explainRefusal(parts.clock, outcome, stream()))
}

/** Tor's stream event says more than its SOCKS reply. The two come over different sockets. */
async function explainRefusal(
  clock: Clock,
  outcome: SocksRefusal,
  stream: AnnouncedStream | undefined,
): Promise<Failure> {
  const isTold = outcome.kind === 'refused' && stream !== undefined
  const reason = isTold ? await withTimeout(clock, stream.ended, EVENT_DELAY_MS_MAX) : await released(stream)
  stream?.release()
  switch (reason) {
    case 'CONNECTREFUSED':
      return 'connection_refused'
    case 'CONNRESET':
      return 'connection_reset'
    case 'TIMEOUT':
    case 'DETACHED_TIMEOUT':
      return 'generic_timeout_error'
    case 'NOROUTE':
    case 'DETACHED_NOROUTE':
      return 'host_unreachable'
    case undefined:
    case 'RELEASED':
      return outcome.kind === 'failure' ? outcome.failure : `unknown_failure: tor SOCKS_${outcome.reply}`
    default:
      return `unknown_failure: tor ${reason}`
  }
}

/** Without a reply from Tor the event may never come. */
function released(stream: AnnouncedStream | undefined): Promise<string> | undefined {
  stream?.release()
  return stream?.ended
}

async function openSocksPort(
  parts: SessionParts,
  proxy: Endpoint,
  circuit: Circuit,
): Promise<{ readonly endpoint: Endpoint; close(): Promise<void> }> {
  const open = new Set<Connection>()
  let closed = false
  const listener = await parts.net.listenTcp({ address: '127.0.0.1', port: 0 }, (connection) => {
    if (closed || circuit.closed.aborted || open.size >= PORT_CONNECTIONS_MAX) {
      connection.close()
      return
    }
    open.add(connection)
    void serveSocks(parts, proxy, circuit, connection).finally(() => {
      open.delete(connection)
      connection.close()
    })
  })
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    circuit.closed.removeEventListener('abort', onClosed)
    for (const connection of open) connection.close()
    await listener.close()
  }
  const onClosed = (): void => {
    void close()
  }
  circuit.closed.addEventListener('abort', onClosed)
  if (circuit.closed.aborted) onClosed()
  return { endpoint: listener.local, close }
}

async function serveSocks(
  parts: SessionParts,
  proxy: Endpoint,
  circuit: Circuit,
  connection: Connection,
): Promise<void> {
  const request = await acceptSocks5(connection, parts.clock, PORT_REQUEST_TIMEOUT_MS)
  if (request === undefined) return
  try {
    if (request.command === 'resolve') await serveResolve(parts, proxy, circuit, request)
    else {
      const destination = { host: request.host, port: request.port, timeoutMs: PORT_CONNECT_TIMEOUT_MS }
      const far = await connectThrough(parts, proxy, circuit, destination)
      await pipeConnections(await request.succeed(), far)
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    await request.refuse(replyCodeOf(error.failure))
  }
}

async function serveResolve(
  parts: SessionParts,
  proxy: Endpoint,
  circuit: Circuit,
  request: AcceptedSocksRequest,
): Promise<void> {
  if (circuit.closed.aborted) throw new NetError('unknown_failure: tor CIRCUIT_CLOSED')
  const timeoutMs = PORT_CONNECT_TIMEOUT_MS
  const { net, stream } = announcingNet(parts, circuit, timeoutMs)
  const outcome = await resolveSocks5(net, parts.clock, { proxy, host: request.host, port: 0, timeoutMs })
  stream()?.release()
  if (outcome.kind === 'resolved') (await request.succeed(outcome.address)).close()
  else await request.refuse(outcome.kind === 'refused' ? outcome.reply : replyCodeOf(outcome.failure))
}

/** Reply codes of RFC 1928 section 6; anything else is a general failure. */
const REPLY_CODES: Readonly<Partial<Record<Failure, number>>> = {
  permission_denied: 2,
  host_unreachable: 4,
  connection_refused: 5,
  generic_timeout_error: 6,
}

function replyCodeOf(failure: Failure): number {
  return REPLY_CODES[failure] ?? 1
}
