/**
 * A DNS server over UDP and TCP whose answers may take their time: the shell of every laboratory resolver.
 *
 * Invariant: queries that wait and octets of a TCP message are bounded; beyond that a query gets no answer.
 *
 * Sources: RFC 1035 section 4.2.
 */
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage } from '../dns/encode-message.ts'
import type { DnsMessage } from '../dns/message.ts'
import { type Connection, type Endpoint, type Listener, type Net, NetError, type UdpSocket } from '../net/net.ts'

/** Four times what 120 circuits at once can ask of one resolver, retries included. */
const PENDING_MAX = 2_048
const CONNECTIONS_MAX = 64
const BIND_TRIES_MAX = 20

/** How a query came. */
export type DnsTransport = 'udp' | 'tcp'

/** @returns The response; `undefined` for silence (over TCP the connection is closed). */
export type DnsHandler = (query: DnsMessage, transport: DnsTransport) => Promise<DnsMessage | undefined>

/** A server that serves. */
export interface DnsServer {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/** Starts serving on an address; with port 0 the system chooses one that is free for both transports. @throws {NetError} */
export async function serveDns(net: Net, listen: Endpoint, handler: DnsHandler): Promise<DnsServer> {
  for (let tries = 1; ; tries++) {
    const udp = await bindUdp(net, listen, handler)
    try {
      const tcp = await listenTcp(net, udp.local, handler)
      return {
        endpoint: udp.local,
        close: async () => {
          udp.close()
          await tcp.close()
        },
      }
    } catch (error) {
      udp.close()
      const isTaken = error instanceof NetError && error.failure === 'address_in_use'
      if (listen.port !== 0 || !isTaken || tries >= BIND_TRIES_MAX) throw error
    }
  }
}

async function bindUdp(net: Net, listen: Endpoint, handler: DnsHandler): Promise<UdpSocket> {
  let pending = 0
  const answer = async (octets: Uint8Array, from: Endpoint): Promise<void> => {
    const response = await handle(octets, 'udp', handler)
    if (response === undefined) return
    try {
      await socket.send(response, from)
    } catch (error) {
      // The one who asked is gone.
      if (!(error instanceof NetError)) throw error
    }
  }
  const socket = await net.bindUdp(listen, {
    onDatagram: (octets, from) => {
      if (pending >= PENDING_MAX) return
      pending += 1
      void answer(octets, from).finally(() => {
        pending -= 1
      })
    },
    onError: () => {},
  })
  return socket
}

async function listenTcp(net: Net, listen: Endpoint, handler: DnsHandler): Promise<Listener> {
  const open = new Set<Connection>()
  const listener = await net.listenTcp(listen, (connection) => {
    if (open.size >= CONNECTIONS_MAX) {
      connection.close()
      return
    }
    open.add(connection)
    void serveConnection(connection, handler).finally(() => {
      open.delete(connection)
      connection.close()
    })
  })
  return {
    local: listener.local,
    close: async () => {
      for (const connection of open) connection.close()
      await listener.close()
    },
  }
}

async function serveConnection(connection: Connection, handler: DnsHandler): Promise<void> {
  let held: Uint8Array = new Uint8Array()
  try {
    for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
      held = concatenate(held, octets)
      for (let size = messageSize(held); size !== undefined; size = messageSize(held)) {
        const response = await handle(held.slice(2, 2 + size), 'tcp', handler)
        held = held.slice(2 + size)
        if (response === undefined) return
        await connection.write(concatenate(Uint8Array.of(response.length >> 8, response.length & 0xff), response))
      }
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
  }
}

/** @returns The length of the first whole message behind its length field; `undefined` when it is not whole yet. */
function messageSize(held: Uint8Array): number | undefined {
  const size = ((held[0] ?? 0) << 8) | (held[1] ?? 0)
  return held.length >= 2 && held.length >= 2 + size ? size : undefined
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

async function handle(
  octets: Uint8Array,
  transport: DnsTransport,
  handler: DnsHandler,
): Promise<Uint8Array | undefined> {
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed' || decoded.message.header.response) return undefined
  const response = await handler(decoded.message, transport)
  return response && encodeMessage(response, { compress: true })
}
