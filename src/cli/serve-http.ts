/**
 * HTTP servers for a site that is a function from request to response: over TCP, and over a socket file whose owner may do
 * everything.
 *
 * Invariant: requests, headers, connections and waits are bounded; closing one ends every stream.
 */
import type { Server } from 'node:http'
import { lstat, unlink } from 'node:fs/promises'
import { createAdaptorServer } from '@hono/node-server'
import { RunError } from '../core/config-error.ts'
import { formatEndpoint } from '../net/net.ts'
import { makePrivately } from '../platform/make-privately.ts'

const CONNECTIONS_MAX = 2_000
const HEADERS_TIMEOUT_MS = 10_000
/** For reading a request; an event stream is an answer and may last. */
const REQUEST_TIMEOUT_MS = 20_000
/** How often these two are looked at. */
const TIMEOUT_CHECK_MS = 2_000
/** `sun_path` of Linux, without the octet that ends it. */
const SOCKET_PATH_OCTETS_MAX = 107

/** Who sent a request. */
export interface RequestSender {
  /** Whether it came over the socket file, which only its owner can open. */
  readonly isOwner: boolean
  /** Address of the TCP connection; `undefined` for the socket file. */
  readonly address: string | undefined
}

/** Answers one request. */
export type FetchHandler = (request: Request, sender: RequestSender) => Response | Promise<Response>

/** A server that listens. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number
  /** Address of the first page, `http://127.0.0.1:8053/`. */
  readonly url: string
}

/** Where to listen. */
export interface HttpListen {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Ports that are tried one after the other, the first one included. */
  readonly portsTried: number
  /** The command with another port, for the error. */
  readonly command: string
}

/** @throws {RunError} When all ports are taken, or may not be used. */
export async function serveHttp(
  fetch: FetchHandler,
  { address, port, portsTried, command }: HttpListen,
): Promise<HttpServer> {
  const last = port === 0 ? 0 : Math.min(65_535, port + portsTried - 1)
  for (let candidate = port; candidate <= last; candidate++) {
    const server = createServer(fetch, false)
    const code = await listen(server, { host: address, port: candidate })
    if (code === undefined) return createHandle(server, address)
    if (code !== 'EADDRINUSE')
      throw new RunError(
        `cannot listen on ${formatEndpoint({ address, port: candidate })}: ${code}`,
        `${command} --port 8053`,
      )
  }
  const ports = port === last ? `port ${port} of ${address} is` : `the ports ${port} to ${last} of ${address} are all`
  throw new RunError(`${ports} in use`, `${command} --port ${last + 1 > 65_535 ? 8_053 : last + 1}`)
}

/**
 * Serves over a socket file with mode 0600. Who calls this holds the lock of the directory, so a socket that is there
 * already was left by a process that was killed.
 *
 * @throws {RunError} When the file is no socket, or cannot be made.
 */
export async function serveUnixSocket(fetch: FetchHandler, path: string): Promise<AsyncDisposable> {
  if (new TextEncoder().encode(path).length > SOCKET_PATH_OCTETS_MAX) {
    throw new RunError(
      `the path of the socket, ${path}, is longer than ${SOCKET_PATH_OCTETS_MAX} octets, more than systems take`,
      'use a data directory with a shorter path',
    )
  }
  await removeLeftSocket(path)
  const server = createServer(fetch, true)
  const code = await listen(server, { path })
  if (code !== undefined)
    throw new RunError(`cannot listen on ${path}: ${code}`, 'check the owner and the mode of the directory')
  return { [Symbol.asyncDispose]: () => closeServer(server) }
}

async function removeLeftSocket(path: string): Promise<void> {
  try {
    const info = await lstat(path)
    if (!info.isSocket()) throw new RunError(`${path} is no socket`, 'move that file away')
    await unlink(path)
  } catch (error) {
    if (error instanceof RunError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code !== 'ENOENT') throw new RunError(`${path} cannot be replaced: ${code}`, '', { cause: error })
  }
}

function createServer(fetch: FetchHandler, isOwner: boolean): Server {
  const server = createAdaptorServer({
    fetch: (request, { incoming }) => fetch(request, { isOwner, address: incoming.socket.remoteAddress }),
    serverOptions: { connectionsCheckingInterval: TIMEOUT_CHECK_MS },
  }) as Server
  server.maxConnections = CONNECTIONS_MAX
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  return server
}

/** @returns The operating system's code when it did not work. */
function listen(
  server: Server,
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      resolve(error.code ?? error.message)
    }
    server.once('error', onError)
    const onListening = (): void => {
      server.removeListener('error', onError)
      resolve(undefined)
    }
    if ('host' in where) server.listen(where, onListening)
    else makePrivately(() => server.listen(where, onListening))
  })
}

function createHandle(server: Server, host: string): HttpServer {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    url: `http://${formatEndpoint({ address: host, port })}/`,
    [Symbol.asyncDispose]: () => closeServer(server),
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}
