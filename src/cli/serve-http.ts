/**
 * An HTTP server on loopback for a site that is a function from request to response.
 *
 * Invariant: requests, headers, connections and waits are bounded; closing it ends every stream.
 */
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { RunError } from '../core/config-error.ts'

/** Ports that are tried, the first one included. */
const PORTS_TRIED_MAX = 11
const CONNECTIONS_MAX = 200
const HEADERS_TIMEOUT_MS = 10_000
/** For reading a request; an event stream is an answer and may last. */
const REQUEST_TIMEOUT_MS = 20_000

/** A server that listens. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number
  /** Address of the first page, `http://127.0.0.1:8053/`. */
  readonly url: string
}

/** Answers one request. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/**
 * Listens on 127.0.0.1, on `port` or on the first free one of the ten after it; 0 lets the system choose.
 *
 * @throws {RunError} When all of them are taken, or may not be used.
 */
export async function serveHttp(fetch: FetchHandler, port: number): Promise<HttpServer> {
  const last = port === 0 ? 0 : Math.min(65_535, port + PORTS_TRIED_MAX - 1)
  for (let candidate = port; candidate <= last; candidate++) {
    const server = createAdaptorServer({ fetch }) as Server
    server.maxConnections = CONNECTIONS_MAX
    server.headersTimeout = HEADERS_TIMEOUT_MS
    server.requestTimeout = REQUEST_TIMEOUT_MS
    const code = await listen(server, candidate)
    if (code === undefined) return createHandle(server)
    if (code !== 'EADDRINUSE')
      throw new RunError(`cannot listen on 127.0.0.1:${candidate}: ${code}`, 'candor start --port 8053')
  }
  throw new RunError(
    `the ports ${port} to ${last} of 127.0.0.1 are all in use`,
    `candor start --port ${last + 1 > 65_535 ? 8_053 : last + 1}`,
  )
}

/** @returns The operating system's code when it did not work. */
function listen(server: Server, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      resolve(error.code ?? error.message)
    }
    server.once('error', onError)
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', onError)
      resolve(undefined)
    })
  })
}

function createHandle(server: Server): HttpServer {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
