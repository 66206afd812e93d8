/**
 * The authoritative server of `candor authority` and of the laboratory: wildcard zones over UDP and TCP.
 *
 * Invariant: everything a stranger can make it hold is bounded: connections, their buffers and lives, datagrams that
 * wait to be sent, prefixes and names remembered.
 *
 * Format of its log: docs/formats/authority-log.md
 */
import type { Clock } from '../core/clock.ts'
import type { Limit } from '../core/limit.ts'
import { NetError, type Connection, type Endpoint, type Listener, type Net, type UdpSocket } from '../net/net.ts'
import { answerQuery, type AnswerState, type ReceivedQuery } from './answer-query.ts'
import type { AuthoritySink } from './authority-sink.ts'
import { nodeKey } from './node-key.ts'
import { createRateLimiter, RESPONSE_RATE_LIMIT } from './rate-limiter.ts'
import { createRunNameGate, EXEMPT_RATE_LIMIT } from './run-name-gate.ts'
import { serveTcp, TCP_IDLE_LIMIT, TCP_MESSAGE_LIMIT } from './serve-tcp.ts'
import { createZone, type ZoneConfig } from './zone.ts'

/** TCP connections at once. */
export const TCP_CONNECTIONS_LIMIT: Limit = {
  default: 512,
  min: 1,
  max: 10_000,
  unit: 'connections',
  why: 'resolvers that are limited come back over TCP; half of the file descriptors that a process usually has',
}

/** No address may take all connections. */
const CONNECTIONS_PER_ADDRESS_SHARE = 0.25
const SENDS_PENDING_MAX = 8_192
const BIND_TRIES_MAX = 20
const RUNS_REMEMBERED_MAX = 256

/** How to start an authority. */
export interface AuthorityOptions {
  readonly net: Net
  readonly clock: Clock
  readonly zones: readonly ZoneConfig[]
  /** Addresses to listen on, each over UDP and TCP; port 0 lets the system choose one that is free for both. */
  readonly listen: readonly Endpoint[]
  readonly log: AuthoritySink
  /** UDP answers per second to one prefix ({@link RESPONSE_RATE_LIMIT}). */
  readonly responsesPerSecond?: number
  /** Exempt answers per second to names of runs ({@link EXEMPT_RATE_LIMIT}). */
  readonly exemptPerSecond?: number
  readonly tcpConnectionsMax?: number
  readonly tcpIdleMs?: number
  readonly tcpMessageMs?: number
}

/** What an authority has done since it started. */
export interface AuthorityCounters {
  /** Queries with a question, limited ones included. */
  readonly queries: number
  /** Answers that were TC = 1 because of rate limiting. */
  readonly limited: number
  /** Messages that were no query, or could not be understood. */
  readonly malformed: number
  /** Answers that the system did not take. */
  readonly unsent: number
  /** TCP connections that were closed because there were too many. */
  readonly connectionsRefused: number
}

/** An authority that serves. */
export interface RunningAuthority {
  /** Where it listens, in the order of `listen`, with the ports that the system chose. */
  readonly endpoints: readonly Endpoint[]
  counters(): AuthorityCounters
  /** Answers to names of a run that were limited. The last 256 runs are remembered. */
  limitedCount(runId: string): number
  /** Stops listening and ends all connections. */
  close(): Promise<void>
}

/**
 * Starts serving.
 *
 * @throws {NetError} When an address or a port cannot be had.
 * @throws {ConfigError} When a zone cannot be served.
 */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  const { net, clock } = options
  const state = createState(options)
  const counters = { queries: 0, limited: 0, malformed: 0, unsent: 0, connectionsRefused: 0 }
  const limitedByRun = new Map<string, number>()
  const answer = (received: Omit<ReceivedQuery, 'receivedAtMs'>): Uint8Array | undefined => {
    const { response, record, runName } = answerQuery(state, { ...received, receivedAtMs: clock.wallNowMs() })
    if (record === undefined) counters.malformed += 1
    else {
      counters.queries += 1
      if (record.outcome === 'truncated') {
        counters.limited += 1
        if (runName?.runId !== undefined) countLimited(limitedByRun, runName.runId)
      }
      options.log.record(record, runName !== undefined)
    }
    return response
  }
  const tcp = createTcpServer(options, answer, () => {
    counters.connectionsRefused += 1
  })
  const listeners: { udp: UdpSocket; tcp: Listener }[] = []
  const close = async (): Promise<void> => {
    for (const { udp } of listeners) udp.close()
    await Promise.all(listeners.map((listener) => listener.tcp.close()))
    await tcp.close()
  }
  let sendsPending = 0
  const onDatagram = (socket: UdpSocket, octets: Uint8Array, source: Endpoint): void => {
    const response = answer({ octets, source, transport: 'udp' })
    // No resolver asks from port 0; answers to it cannot be sent.
    if (response === undefined || source.port === 0) return
    if (sendsPending >= SENDS_PENDING_MAX) {
      counters.unsent += 1
      return
    }
    sendsPending += 1
    void send(socket, response, source).then((sent) => {
      sendsPending -= 1
      if (!sent) counters.unsent += 1
    })
  }
  try {
    for (const endpoint of options.listen) {
      listeners.push(await listen(net, endpoint, { onDatagram, onConnection: tcp.accept }))
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    endpoints: listeners.map(({ udp }) => udp.local),
    counters: () => ({ ...counters }),
    limitedCount: (runId) => limitedByRun.get(runId) ?? 0,
    close,
  }
}

function createState(options: AuthorityOptions): AnswerState {
  const zones = options.zones.map((config) => createZone(config))
  return {
    zones: new Map(zones.map((zone) => [nodeKey(zone.apex), zone])),
    cookieSecret: crypto.getRandomValues(new Uint8Array(16)),
    limiter: createRateLimiter(options.clock, options.responsesPerSecond ?? RESPONSE_RATE_LIMIT.default),
    gate: createRunNameGate(options.clock, options.exemptPerSecond ?? EXEMPT_RATE_LIMIT.default),
  }
}

function countLimited(limitedByRun: Map<string, number>, runId: string): void {
  limitedByRun.set(runId, (limitedByRun.get(runId) ?? 0) + 1)
  const oldest = limitedByRun.keys().next()
  if (limitedByRun.size > RUNS_REMEMBERED_MAX && oldest.done !== true) limitedByRun.delete(oldest.value)
}

async function send(socket: UdpSocket, response: Uint8Array, to: Endpoint): Promise<boolean> {
  try {
    await socket.send(response, to)
    return true
  } catch (error) {
    if (error instanceof NetError) return false
    throw error
  }
}

interface Handlers {
  readonly onDatagram: (socket: UdpSocket, octets: Uint8Array, source: Endpoint) => void
  readonly onConnection: (connection: Connection) => void
}

/** Binds UDP and TCP to the same port. With port 0 the one that UDP got may be taken for TCP: then another is tried. */
async function listen(net: Net, endpoint: Endpoint, handlers: Handlers): Promise<{ udp: UdpSocket; tcp: Listener }> {
  for (let tries = 1; ; tries++) {
    const udp = await net.bindUdp(endpoint, {
      onDatagram: (octets, source) => {
        handlers.onDatagram(udp, octets, source)
      },
      onError: () => {},
    })
    try {
      return { udp, tcp: await net.listenTcp(udp.local, handlers.onConnection) }
    } catch (error) {
      udp.close()
      const isTaken = error instanceof NetError && error.failure === 'address_in_use'
      if (endpoint.port !== 0 || !isTaken || tries >= BIND_TRIES_MAX) throw error
    }
  }
}

/** Accepts connections up to the limits; a newcomer beyond the total takes the place of the oldest one. */
function createTcpServer(
  options: AuthorityOptions,
  answer: (received: Omit<ReceivedQuery, 'receivedAtMs'>) => Uint8Array | undefined,
  onRefused: () => void,
): { accept: (connection: Connection) => void; close: () => Promise<void> } {
  const connectionsMax = options.tcpConnectionsMax ?? TCP_CONNECTIONS_LIMIT.default
  const perAddressMax = Math.max(1, Math.floor(connectionsMax * CONNECTIONS_PER_ADDRESS_SHARE))
  const open = new Map<Connection, Promise<void>>()
  const perAddress = new Map<string, number>()
  const accept = (connection: Connection): void => {
    const { address } = connection.remote
    const count = perAddress.get(address) ?? 0
    if (count >= perAddressMax) {
      onRefused()
      connection.close()
      return
    }
    const oldest = open.keys().next()
    if (open.size >= connectionsMax && oldest.done !== true) {
      onRefused()
      oldest.value.close()
    }
    perAddress.set(address, count + 1)
    const served = serveTcp(connection, {
      clock: options.clock,
      idleMs: options.tcpIdleMs ?? TCP_IDLE_LIMIT.default,
      messageMs: options.tcpMessageMs ?? TCP_MESSAGE_LIMIT.default,
      answer: (octets) => answer({ octets, source: connection.remote, transport: 'tcp' }),
    }).finally(() => {
      open.delete(connection)
      const left = (perAddress.get(address) ?? 1) - 1
      if (left > 0) perAddress.set(address, left)
      else perAddress.delete(address)
    })
    open.set(connection, served)
  }
  const close = async (): Promise<void> => {
    for (const connection of open.keys()) connection.close()
    await Promise.all(open.values())
  }
  return { accept, close }
}
