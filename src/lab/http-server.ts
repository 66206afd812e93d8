/** A small HTTP server on loopback whose every answer is decided by whoever starts it. */
import { once } from 'node:events'
import { createServer } from 'node:http'

const BODY_OCTETS_MAX = 1_048_576

/** A request, read to its end. */
export interface ServedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What is answered. */
export interface ServedResponse {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The running server. */
export interface HttpServer {
  /** `http://127.0.0.1:12345`, without a slash at the end. */
  readonly url: string
  /** Ends it, and every connection. */
  close(): Promise<void>
}

/** Starts a server. @param answer - `undefined` leaves the request without any answer. */
export async function serveHttp(
  answer: (request: ServedRequest) => ServedResponse | undefined | Promise<ServedResponse | undefined>,
): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = []
    let length = 0
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > BODY_OCTETS_MAX) request.destroy()
      else chunks.push(chunk)
    })
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      const body = new TextDecoder().decode(Buffer.concat(chunks))
      const served = { method: request.method ?? '', url: request.url ?? '', headers, body }
      void Promise.resolve(answer(served)).then((reply) => {
        if (reply !== undefined) response.writeHead(reply.status, reply.headers).end(reply.body)
      })
    })
    request.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
