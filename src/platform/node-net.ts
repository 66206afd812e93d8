/**
 * The network of the machine: UDP, TCP, TLS and Unix sockets.
 *
 * Invariant: no name is ever resolved here, and octets that leave this room are plain `Uint8Array`, never `Buffer`.
 */
import { createSocket } from 'node:dgram'
import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, createServer, isIP, type NetConnectOpts, type Server } from 'node:net'
import { assert } from '../core/assert.ts'
import {
  NetError,
  type Connection,
  type Endpoint,
  type Listener,
  type Net,
  type UdpHandlers,
  type UdpSocket,
  type UnixEndpoint,
} from '../net/net.ts'
import { makePrivately } from './make-privately.ts'
import { endpointOf, wrapSocket } from './node-connection.ts'
import { errorCode, failureOf } from './node-failure.ts'
import { connectTls } from './node-tls.ts'

/** Room for a burst of answers while the event loop is busy; the system may give less (`net.core.rmem_max`). */
const UDP_BUFFER_OCTETS = 1_048_576
/** How long a Unix socket that exists may take to answer before we call it alive. */
const PROBE_TIMEOUT_MS = 1_000
const SOCKET_MODE = 0o600

/** The network of the machine. */
export const nodeNet: Net = {
  bindUdp,
  connectTcp: ({ address, port }, timeoutMs) => {
    assertAddress(address)
    return openConnection({ host: address, port, noDelay: true }, timeoutMs)
  },
  connectTls: (to, options, timeoutMs) => {
    assertAddress(to.address)
    return connectTls(to, options, timeoutMs)
  },
  connectUnix: ({ path }, timeoutMs) => openConnection({ path }, timeoutMs),
  listenTcp: ({ address, port }, onConnection) => {
    assertAddress(address)
    return listen(onConnection, (server) => {
      server.listen({ host: address, port, ipv6Only: isIP(address) === 6 })
    })
  },
  listenUnix,
}

function assertAddress(address: string): void {
  assert(isIP(address) !== 0, 'an endpoint is an IP address')
}

function bindUdp(local: Endpoint, { onDatagram, onError }: UdpHandlers): Promise<UdpSocket> {
  assertAddress(local.address)
  const isSix = isIP(local.address) === 6
  const socket = createSocket({ type: isSix ? 'udp6' : 'udp4', ipv6Only: isSix, recvBufferSize: UDP_BUFFER_OCTETS })
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    socket.close()
  }
  const send = (octets: Uint8Array, to: Endpoint): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!open) throw new NetError('interrupted')
      assertAddress(to.address)
      socket.send(octets, to.port, to.address, (error) => {
        if (error === null) resolve()
        else reject(new NetError(failureOf(error), { cause: error }))
      })
    })
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      close()
      reject(new NetError(failureOf(cause), { cause }))
    }
    socket.once('error', failed)
    socket.bind({ address: local.address, port: local.port, exclusive: true }, () => {
      socket.off('error', failed)
      socket.on('error', (error) => {
        if (!open) return
        close()
        onError(failureOf(error))
      })
      socket.on('message', (octets, from) => {
        if (open) onDatagram(new Uint8Array(octets), { address: from.address, port: from.port })
      })
      resolve({ local: endpointOf(socket.address()), send, close })
    })
  })
}

function openConnection(options: NetConnectOpts, timeoutMs: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, allowHalfOpen: true })
    const failed = (cause: Error): void => {
      clearTimeout(timeout)
      socket.destroy()
      reject(new NetError(failureOf(cause), { cause }))
    }
    const timeout = setTimeout(() => {
      socket.destroy()
      reject(new NetError('generic_timeout_error'))
    }, timeoutMs)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timeout)
      socket.off('error', failed)
      resolve(wrapSocket(socket))
    })
  })
}

function listen(onConnection: (connection: Connection) => void, bind: (server: Server) => void): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    onConnection(wrapSocket(socket))
  })
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(new NetError(failureOf(cause), { cause }))
    }
    server.once('error', failed)
    server.once('listening', () => {
      server.off('error', failed)
      server.on('error', () => {
        // One connection could not be accepted (too many files open); the socket goes on listening.
      })
      resolve({ local: endpointOf(server.address()), close: () => stopListening(server) })
    })
    bind(server)
  })
}

/** The callback of `server.close` waits for open connections as well; the port is free in the next turn of the loop. */
function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close()
    setImmediate(resolve)
  })
}

async function listenUnix({ path }: UnixEndpoint, onConnection: (connection: Connection) => void): Promise<Listener> {
  await removeDeadSocket(path)
  const listener = await listen(onConnection, (server) => {
    makePrivately(() => {
      server.listen({ path })
    })
  })
  try {
    await chmod(path, SOCKET_MODE)
  } catch (cause) {
    await listener.close()
    throw new NetError(failureOf(cause), { cause })
  }
  return listener
}

/** @throws {NetError} `address_in_use` when somebody listens there, or when the file is no socket. */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) throw new NetError('address_in_use')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return
    throw cause instanceof NetError ? cause : new NetError(failureOf(cause), { cause })
  }
  try {
    const connection = await openConnection({ path }, PROBE_TIMEOUT_MS)
    connection.close()
  } catch (error) {
    if (error instanceof NetError && error.failure === 'connection_refused') {
      await unlink(path)
      return
    }
  }
  throw new NetError('address_in_use')
}
