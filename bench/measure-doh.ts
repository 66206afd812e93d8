/** Measures what a query over HTTPS costs: Candor's own HTTP/2, node:http2, and fetch (undici, HTTP/1.1). */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** The name that the server's certificate is for; the system resolves it to loopback without asking anybody. */
export const DOH_HOST = 'localhost'

/** The clients. */
export const DOH_CLIENTS = ['candor', 'http2', 'fetch'] as const

/** One of them. */
export type DohClientName = (typeof DOH_CLIENTS)[number]

/** CPU seconds of each round, for each client. */
export type DohCosts = Readonly<Record<DohClientName, readonly number[]>>

/** Runs every client once in each round. @param directory - Where certificate and key are made, with openssl. */
export async function measureDoh(directory: string, queries: number, rounds: number): Promise<DohCosts> {
  const [certificate, key] = [join(directory, 'doh.pem'), join(directory, 'doh.key')]
  const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  const names = `subjectAltName=DNS:${DOH_HOST}`
  execFileSync('openssl', ['req', ...request.split(' '), '-addext', names, '-keyout', key, '-out', certificate], {
    stdio: 'pipe',
  })
  const server = spawn(process.execPath, [join(import.meta.dirname, 'doh-server.ts'), certificate, key], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const { value: port } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next()
    const costs: Record<DohClientName, number[]> = { candor: [], http2: [], fetch: [] }
    for (let round = 0; round < rounds; round++)
      for (const name of DOH_CLIENTS) {
        const client = [join(import.meta.dirname, 'doh-client.ts'), name, String(port), String(queries), certificate]
        const environment = { ...process.env, NODE_EXTRA_CA_CERTS: certificate }
        costs[name].push(Number(execFileSync(process.execPath, client, { encoding: 'utf8', env: environment })))
      }
    return costs
  } finally {
    const ended = once(server, 'exit')
    server.stdin.end()
    await ended
  }
}
