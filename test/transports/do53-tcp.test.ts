import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { sleep } from '../../src/core/clock.ts'
import type { Exchange } from '../../src/model/observation.ts'
import { createDo53Tcp, exchangeDo53Tcp, type Do53Tcp } from '../../src/net/do53-tcp.ts'
import type { Connection, Endpoint } from '../../src/net/net.ts'
import { createOctetReader } from '../../src/net/octet-reader.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { framed, queryOctets, responseOctets, withOctet } from './dns-octets.ts'
import { startTcpPeer } from './tcp-peer.ts'

function openServer(endpoint: Endpoint, options: { idleTimeoutMs?: number } = {}): Do53Tcp {
  return createDo53Tcp(nodeClock, {
    connect: (timeoutMs) => nodeNet.connectTcp(endpoint, timeoutMs),
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...options,
  })
}

function ask(endpoint: Endpoint, options: { timeoutMs?: number; lateWindowMs?: number } = {}): Promise<Exchange> {
  return exchangeDo53Tcp(nodeNet, nodeClock, {
    endpoint,
    query: queryOctets(7),
    timeoutMs: 5_000,
    lateWindowMs: 0,
    ...options,
  })
}

/** Calls back with each query on a connection until the client finishes, then closes. */
async function eachQuery(connection: Connection, answer: (query: Uint8Array) => Promise<void>): Promise<void> {
  const reader = createOctetReader(connection)
  for (let head = await reader.take(2); head !== undefined; head = await reader.take(2)) {
    const query = await reader.take(((head[0] ?? 0) << 8) | (head[1] ?? 0))
    if (query !== undefined) await answer(query)
  }
  connection.close()
}

const lastOctets = (exchange: Exchange): unknown =>
  exchange.kind === 'responses' ? exchange.responses.map(({ octets }) => octets.at(-1)) : exchange

describe('exchangeDo53Tcp', () => {
  test('reassembles an answer that comes octet by octet', async () => {
    await using peer = await startTcpPeer((connection) =>
      eachQuery(connection, async (query) => {
        for (const octet of framed(responseOctets(query, 9))) await connection.write(Uint8Array.of(octet))
      }),
    )
    expect(await ask(peer.endpoint)).toMatchObject({
      kind: 'responses',
      responses: [{ octets: responseOctets(queryOctets(7), 9) }],
    })
  })

  test('takes an answer of 65,535 octets', async () => {
    await using peer = await startTcpPeer((connection) =>
      eachQuery(connection, async (query) => {
        const large = new Uint8Array(65_535)
        large.set(responseOctets(query, 1))
        await connection.write(framed(large))
      }),
    )
    const exchange = await ask(peer.endpoint)
    if (exchange.kind !== 'responses') throw new Error(JSON.stringify(exchange))
    expect(exchange.responses[0].octets.length).toBe(65_535)
  })

  test('keeps what arrives within the late window', async () => {
    await using peer = await startTcpPeer((connection) =>
      eachQuery(connection, async (query) => {
        await connection.write(framed(responseOctets(query, 66)))
        await sleep(nodeClock, 20)
        await connection.write(framed(responseOctets(query, 1)))
      }),
    )
    expect(lastOctets(await ask(peer.endpoint, { lateWindowMs: 500 }))).toEqual([66, 1])
  })

  test('counts wrong ids, wrong questions and rubbish, and waits for the answer', async () => {
    await using peer = await startTcpPeer((connection) =>
      eachQuery(connection, async (query) => {
        const response = responseOctets(query, 1)
        await connection.write(Uint8Array.of(0, 0))
        await connection.write(framed(withOctet(response, 0, 0x77)))
        await connection.write(framed(withOctet(response, 14, 0x4e)))
        await connection.write(framed(query))
        await connection.write(framed(response))
      }),
    )
    expect(await ask(peer.endpoint)).toMatchObject({
      kind: 'responses',
      oddities: { wrongId: 1, wrongQuestion: 1, malformed: 2, wrongSource: 0 },
    })
  })

  test.each([
    [
      'finishes without an answer',
      async (connection: Connection) => {
        connection.finish()
      },
      'eof_error',
    ],
    [
      'finishes within the answer',
      async (connection: Connection) => {
        await connection.write(Uint8Array.of(0, 40, 1))
        connection.finish()
      },
      'eof_error',
    ],
    ['says nothing', async () => {}, 'generic_timeout_error'],
  ])('reports a server that %s', async (_name, misbehave, failure) => {
    await using peer = await startTcpPeer((connection) => eachQuery(connection, () => misbehave(connection)))
    expect(await ask(peer.endpoint, { timeoutMs: failure === 'generic_timeout_error' ? 60 : 5_000 })).toMatchObject({
      kind: 'failure',
      operation: 'exchange',
      failure,
      side: 'resolver',
    })
    expect(peer.accepted).toBe(1)
  })

  test('ends in time with a server that drips without end', async () => {
    await using peer = await startTcpPeer((connection) =>
      eachQuery(connection, async () => {
        await connection.write(Uint8Array.of(255, 255))
        for (;;) {
          await connection.write(Uint8Array.of(0))
          await sleep(nodeClock, 5)
        }
      }),
    )
    expect(await ask(peer.endpoint, { timeoutMs: 80 })).toMatchObject({ failure: 'generic_timeout_error' })
  })

  test('reports a reset, and a port that nobody listens on', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.resetAndDestroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port }
    expect(await ask(endpoint)).toMatchObject({ failure: 'connection_reset', operation: 'exchange' })
    await new Promise((resolve) => server.close(resolve))
    expect(await ask(endpoint)).toMatchObject({ failure: 'connection_refused', operation: 'connect' })
  })
})

describe('createDo53Tcp', () => {
  test('keeps 300 queries in flight on one connection and takes the answers in reverse order', async () => {
    const count = 300
    await using peer = await startTcpPeer(async (connection) => {
      const waiting: Uint8Array[] = []
      await eachQuery(connection, async (query) => {
        waiting.push(query)
        if (waiting.length < count) return
        for (const [index, asked] of waiting.reverse().entries()) {
          await connection.write(framed(responseOctets(asked, index % 256)))
        }
      })
    })
    const server = openServer(peer.endpoint)
    const exchanges = await Promise.all(
      Array.from({ length: count }, (_, id) =>
        server.exchange({ query: queryOctets(id, `n${id}.example`), timeoutMs: 10_000, lateWindowMs: 0 }),
      ),
    )
    expect(exchanges.map(lastOctets)).toEqual(exchanges.map((_, id) => [(count - 1 - id) % 256]))
    expect(peer.accepted).toBe(1)
    server.close()
  })

  test('tells two queries of the same id apart by their questions', async () => {
    await using peer = await startTcpPeer(async (connection) => {
      const waiting: Uint8Array[] = []
      await eachQuery(connection, async (query) => {
        waiting.push(query)
        if (waiting.length === 2) {
          for (const asked of waiting.reverse()) await connection.write(framed(responseOctets(asked, asked[13] ?? 0)))
        }
      })
    })
    const server = openServer(peer.endpoint)
    const both = ['a.example', 'b.example'].map((name) =>
      server.exchange({ query: queryOctets(5, name), timeoutMs: 5_000, lateWindowMs: 0 }),
    )
    expect((await Promise.all(both)).map(lastOctets)).toEqual([[0x61], [0x62]])
    server.close()
  })

  test('opens a new connection after the server closed the old one or did not answer', async () => {
    let connections = 0
    await using peer = await startTcpPeer(async (connection) => {
      const number = ++connections
      await eachQuery(connection, async (query) => {
        if (number === 1) connection.close()
        else if (number > 2) await connection.write(framed(responseOctets(query, number)))
      })
    })
    const server = openServer(peer.endpoint)
    const next = (id: number, timeoutMs = 5_000): Promise<Exchange> =>
      server.exchange({ query: queryOctets(id), timeoutMs, lateWindowMs: 0 })
    expect(await next(1)).toMatchObject({ kind: 'failure', failure: 'eof_error' })
    expect(await next(2, 50)).toMatchObject({ kind: 'failure', failure: 'generic_timeout_error' })
    expect(lastOctets(await next(3))).toEqual([3])
    expect(lastOctets(await next(4))).toEqual([3])
    server.close()
  })

  test('keeps a connection on which others are answered, or a query was given up', async () => {
    let connections = 0
    await using peer = await startTcpPeer((connection) => {
      connections++
      return eachQuery(connection, async (query) => {
        if (query[1] !== 1) await connection.write(framed(responseOctets(query, 3)))
      })
    })
    const server = openServer(peer.endpoint)
    const ask1 = (id: number, more: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Exchange> =>
      server.exchange({ query: queryOctets(id), timeoutMs: 5_000, lateWindowMs: 0, ...more })
    const abort = new AbortController()
    const silent = ask1(1, { timeoutMs: 300 })
    expect(await ask1(2)).toMatchObject({ kind: 'responses' })
    expect(await silent).toMatchObject({ failure: 'generic_timeout_error' })
    expect(await ask1(3)).toMatchObject({ kind: 'responses' })
    const given = ask1(1, { signal: abort.signal })
    await sleep(nodeClock, 50)
    abort.abort()
    expect(await given).toMatchObject({ failure: 'interrupted' })
    expect(await ask1(4)).toMatchObject({ kind: 'responses' })
    expect(connections).toBe(1)
    expect(await ask1(1, { timeoutMs: 200 })).toMatchObject({ failure: 'generic_timeout_error' })
    expect(await ask1(5)).toMatchObject({ kind: 'responses' })
    expect(connections).toBe(2)
    server.close()
  })

  test('closes an idle connection', async () => {
    const closed = Promise.withResolvers<void>()
    await using peer = await startTcpPeer(async (connection) => {
      await eachQuery(connection, (query) => connection.write(framed(responseOctets(query, 1))))
      closed.resolve()
    })
    const server = openServer(peer.endpoint, { idleTimeoutMs: 20 })
    await server.exchange({ query: queryOctets(1), timeoutMs: 5_000, lateWindowMs: 0 })
    await closed.promise
    expect(lastOctets(await server.exchange({ query: queryOctets(2), timeoutMs: 5_000, lateWindowMs: 0 }))).toEqual([1])
    expect(peer.accepted).toBe(2)
    server.close()
  })

  test('does not count a second answer to a query that ended as a wrong id', async () => {
    await using peer = await startTcpPeer(async (connection) => {
      let first: Uint8Array | undefined
      await eachQuery(connection, async (query) => {
        if (first === undefined) {
          first = query
          return
        }
        for (const asked of [first, first, query]) await connection.write(framed(responseOctets(asked, 1)))
        await connection.write(framed(responseOctets(queryOctets(3), 1)))
      })
    })
    const server = openServer(peer.endpoint)
    const [first, second] = await Promise.all([
      server.exchange({ query: queryOctets(1), timeoutMs: 5_000, lateWindowMs: 0 }),
      server.exchange({ query: queryOctets(2, 'b.example'), timeoutMs: 5_000, lateWindowMs: 200 }),
    ])
    expect(first).toMatchObject({ kind: 'responses', oddities: { wrongId: 0 } })
    expect(second).toMatchObject({ kind: 'responses', oddities: { wrongId: 1 } })
    server.close()
  })

  test('ends everything in flight when it is closed', async () => {
    await using peer = await startTcpPeer(async () => {})
    const server = openServer(peer.endpoint)
    const pending = server.exchange({ query: queryOctets(1), timeoutMs: 60_000, lateWindowMs: 0 })
    await sleep(nodeClock, 20)
    server.close()
    expect(await pending).toMatchObject({ kind: 'failure', failure: 'interrupted', side: 'us' })
    await expect(server.exchange({ query: queryOctets(1), timeoutMs: 1, lateWindowMs: 0 })).rejects.toThrow('closed')
  })
})
