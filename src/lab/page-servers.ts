/**
 * Something to connect to through an exit: a web page and a TCP echo.
 *
 * Invariant: connections and the octets held of each are bounded.
 *
 * Sources: RFC 9112 (HTTP/1.1, answered and closed), RFC 862 (echo).
 */
import { type Connection, type Endpoint, type Listener, type Net, NetError } from '../net/net.ts'

const CONNECTIONS_MAX = 256
const REQUEST_OCTETS_MAX = 16 * 1024

/** The servers of one address. */
export interface PageServers {
  readonly web: Endpoint
  readonly echo: Endpoint
  close(): Promise<void>
}

/** Starts both on an address, on ports that the system chooses. The page names who asked. @throws {NetError} */
export async function startPageServers(net: Net, address: string): Promise<PageServers> {
  const open = new Set<Connection>()
  const listen = (serve: (connection: Connection) => Promise<void>): Promise<Listener> =>
    net.listenTcp({ address, port: 0 }, (connection) => {
      if (open.size >= CONNECTIONS_MAX) {
        connection.close()
        return
      }
      open.add(connection)
      void serveQuietly(connection, serve).finally(() => {
        open.delete(connection)
        connection.close()
      })
    })
  const web = await listen(servePage)
  const echo = await listen(serveEcho)
  return {
    web: web.local,
    echo: echo.local,
    close: async () => {
      for (const connection of open) connection.close()
      await Promise.all([web.close(), echo.close()])
    },
  }
}

async function serveQuietly(connection: Connection, serve: (connection: Connection) => Promise<void>): Promise<void> {
  try {
    await serve(connection)
  } catch (error) {
    if (!(error instanceof NetError)) throw error
  }
}

async function serveEcho(connection: Connection): Promise<void> {
  for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
    await connection.write(octets)
  }
}

async function servePage(connection: Connection): Promise<void> {
  const decoder = new TextDecoder()
  let request = ''
  while (!request.includes('\r\n\r\n')) {
    const octets = await connection.read()
    if (octets === undefined || request.length > REQUEST_OCTETS_MAX) return
    request += decoder.decode(octets, { stream: true })
  }
  const body = `<!doctype html>\n<title>Laboratory</title>\n<p>You come from ${connection.remote.address}.</p>\n`
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  await connection.write(new TextEncoder().encode(`${head.join('\r\n')}\r\n\r\n${body}`))
}
