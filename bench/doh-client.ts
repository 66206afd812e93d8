/**
 * Asks a DoH server with 100 queries in flight and prints the CPU seconds that it took, without start and handshake:
 * `node doh-client.ts candor|http2|fetch PORT QUERIES AUTHORITY`.
 */
import { readFileSync } from 'node:fs'
import { connect, constants } from 'node:http2'
import { createDoh } from '../src/net/doh.ts'
import { nodeClock } from '../src/platform/node-clock.ts'
import { nodeNet } from '../src/platform/node-net.ts'
import { DOH_HOST, type DohClientName } from './measure-doh.ts'

const IN_FLIGHT = 100
/** Compiled code before it counts, as in a run that lasts. */
const WARM_UP_QUERIES = 1000
const TIMEOUT_MS = 10_000

/** Asks one question. @throws When it is not answered. */
type Ask = (query: Uint8Array) => Promise<void>

const [kind, port, count, authority = ''] = process.argv.slice(2)
const ask = openClient(kind as DohClientName, Number(port), readFileSync(authority, 'utf8'))
await askAll(ask, WARM_UP_QUERIES)
const before = process.cpuUsage()
await askAll(ask, Number(count))
const { user, system } = process.cpuUsage(before)
process.stdout.write(`${(user + system) / 1e6}\n`)
process.exit()

function openClient(name: DohClientName, toPort: number, ca: string): Ask {
  switch (name) {
    case 'candor':
      return openCandor(toPort, ca)
    case 'http2':
      return openHttp2(toPort, ca)
    case 'fetch':
      return async (body) => {
        const response = await fetch(`https://${DOH_HOST}:${toPort}/dns-query`, {
          method: 'POST',
          headers: { 'content-type': 'application/dns-message' },
          body: body as Uint8Array<ArrayBuffer>,
        })
        checkAnswer(body, new Uint8Array(await response.arrayBuffer()))
      }
  }
}

function openCandor(toPort: number, ca: string): Ask {
  const doh = createDoh(nodeNet, nodeClock, {
    endpoint: { address: '127.0.0.1', port: toPort },
    serverName: DOH_HOST,
    mode: 'strict',
    authorities: ca,
    authority: DOH_HOST,
    path: '/dns-query',
    form: 'post',
    connectTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  })
  return async (query) => {
    const exchange = await doh.exchange({ query, timeoutMs: TIMEOUT_MS, lateWindowMs: 0 })
    if (exchange.kind === 'failure') throw new Error(exchange.failure)
    checkAnswer(query, exchange.responses[0].octets)
  }
}

function openHttp2(toPort: number, ca: string): Ask {
  const session = connect(`https://${DOH_HOST}:${toPort}`, { ca })
  return (query) =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: '/dns-query',
        'content-type': 'application/dns-message',
        'content-length': query.length,
      })
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('error', reject)
      stream.on('end', () => {
        checkAnswer(query, Buffer.concat(parts))
        resolve()
      })
      stream.end(query)
    })
}

/** What every client has to do with an answer. */
function checkAnswer(query: Uint8Array, answer: Uint8Array): void {
  if (answer.length !== query.length || answer[0] !== query[0] || answer[1] !== query[1])
    throw new Error('not the answer to this query')
}

async function askAll(client: Ask, queries: number): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < queries) await client(createQuery(next++))
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
}

function createQuery(number: number): Uint8Array {
  const label = `n${String(number).padStart(8, '0')}`
  const head = [number >> 8, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.length]
  return Uint8Array.from([...head, ...new TextEncoder().encode(`${label}\u0007example`), 0, 0, 1, 0, 1])
}
