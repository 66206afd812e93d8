import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/model/observation.ts'
import { exchangeDo53Udp } from '../../src/net/do53-udp.ts'
import { matchResponse } from '../../src/net/match-response.ts'
import type { Endpoint, UdpSocket } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { queryOctets, responseOctets, withOctet } from './dns-octets.ts'

const QUERY = queryOctets(0x1234)
const NO_ODDITIES = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }

interface UdpPeer extends Disposable {
  readonly endpoint: Endpoint
  /** Sources of the queries that arrived. */
  readonly sources: readonly Endpoint[]
}

/** A UDP server on loopback that does with each datagram what a test tells it to. */
async function startUdpPeer(
  script: (socket: UdpSocket, query: Uint8Array, from: Endpoint) => Promise<void>,
  address = '127.0.0.1',
): Promise<UdpPeer> {
  const sources: Endpoint[] = []
  const socket: UdpSocket = await nodeNet.bindUdp(
    { address, port: 0 },
    {
      onDatagram: (query, from) => {
        sources.push(from)
        void script(socket, query, from)
      },
      onError: () => {},
    },
  )
  return {
    endpoint: socket.local,
    sources,
    [Symbol.dispose]: () => {
      socket.close()
    },
  }
}

function ask(
  endpoint: Endpoint,
  options: { timeoutMs?: number; lateWindowMs?: number; signal?: AbortSignal } = {},
): Promise<Exchange> {
  return exchangeDo53Udp(nodeNet, nodeClock, {
    endpoint,
    query: QUERY,
    timeoutMs: 5_000,
    lateWindowMs: 0,
    ...options,
  })
}

describe('exchangeDo53Udp', () => {
  test.each(['127.0.0.1', '::1'])('reports the response of a server on %s', async (address) => {
    using peer = await startUdpPeer((socket, query, from) => socket.send(responseOctets(query, 1), from), address)
    const exchange = await ask(peer.endpoint)
    expect(exchange).toEqual({
      kind: 'responses',
      responses: [{ octets: responseOctets(QUERY, 1), elapsedMs: expect.any(Number) }],
      oddities: NO_ODDITIES,
    })
  })

  test('finds its server under another spelling of its address', async () => {
    using peer = await startUdpPeer((socket, query, from) => socket.send(responseOctets(query, 1), from), '::1')
    expect(await ask({ address: '0:0::0001', port: peer.endpoint.port })).toMatchObject({ kind: 'responses' })
  })

  test('asks from another port each time', async () => {
    using peer = await startUdpPeer((socket, query, from) => socket.send(responseOctets(query, 1), from))
    await Promise.all([ask(peer.endpoint), ask(peer.endpoint)])
    expect(new Set(peer.sources.map(({ port }) => port)).size).toBe(2)
  })

  test('records the injected response and the true one behind it', async () => {
    using peer = await startUdpPeer(async (socket, query, from) => {
      await socket.send(responseOctets(query, 66), from)
      setTimeout(() => void socket.send(responseOctets(query, 1), from), 20)
    })
    const exchange = await ask(peer.endpoint, { lateWindowMs: 500 })
    if (exchange.kind !== 'responses') throw new Error(JSON.stringify(exchange))
    expect(exchange.responses.map(({ octets }) => octets.at(-1))).toEqual([66, 1])
    const [first, second] = exchange.responses
    expect(second?.elapsedMs).toBeGreaterThan(first.elapsedMs)
  })

  test('takes the first response only where no late window is asked for', async () => {
    using peer = await startUdpPeer(async (socket, query, from) => {
      for (const last of [1, 2, 3]) await socket.send(responseOctets(query, last), from)
    })
    expect(await ask(peer.endpoint)).toMatchObject({ responses: { length: 1 } })
  })

  test('ends the window early under a flood of responses', async () => {
    using peer = await startUdpPeer(async (socket, query, from) => {
      for (let i = 0; i < 40; i++) await socket.send(responseOctets(query, i), from)
    })
    expect(await ask(peer.endpoint, { lateWindowMs: 60_000 })).toMatchObject({ responses: { length: 16 } })
  })

  test('counts what is no answer and waits for the one that is', async () => {
    using peer = await startUdpPeer(async (socket, query, from) => {
      const response = responseOctets(query, 1)
      await socket.send(withOctet(response, 0, 0x99), from)
      await socket.send(withOctet(response, 14, 'N'.codePointAt(0) ?? 0), from) // another case is another question
      await socket.send(withOctet(response, 5, 0), from) // no question at all
      await socket.send(response.subarray(0, 20), from) // cut within the question
      await socket.send(query, from) // an echo of our own query
      await socket.send(response.subarray(0, 11), from)
      await socket.send(new Uint8Array(0), from)
      await socket.send(response, from)
    })
    expect(await ask(peer.endpoint)).toMatchObject({
      kind: 'responses',
      responses: { length: 1 },
      oddities: { wrongId: 1, wrongQuestion: 3, malformed: 3, wrongSource: 0 },
    })
  })

  test('counts the right answer from another port or address as wrong source', async () => {
    const handlers = { onDatagram: () => {}, onError: () => {} }
    const otherPort = await nodeNet.bindUdp({ address: '127.0.0.1', port: 0 }, handlers)
    using peer = await startUdpPeer(async (socket, query, from) => {
      await otherPort.send(responseOctets(query, 66), from)
      const otherAddress = await nodeNet.bindUdp({ address: '127.0.0.9', port: socket.local.port }, handlers)
      await otherAddress.send(responseOctets(query, 67), from)
      otherAddress.close()
      await socket.send(responseOctets(query, 1), from)
    })
    const exchange = await ask(peer.endpoint)
    expect(exchange).toMatchObject({
      responses: [{ octets: responseOctets(QUERY, 1) }],
      oddities: { ...NO_ODDITIES, wrongSource: 2 },
    })
    otherPort.close()
  })

  test('reports a truncated response as it is and asks nobody else', async () => {
    using peer = await startUdpPeer((socket, query, from) =>
      socket.send(responseOctets(query, 0, { truncated: true }), from),
    )
    const exchange = await ask(peer.endpoint)
    if (exchange.kind !== 'responses') throw new Error(JSON.stringify(exchange))
    expect((exchange.responses[0].octets[2] ?? 0) & 2).toBe(2)
    expect(peer.sources).toHaveLength(1)
  })

  test('times out with the oddities that it saw, and sends its query once', async () => {
    using peer = await startUdpPeer((socket, query, from) =>
      socket.send(withOctet(responseOctets(query, 1), 1, 0), from),
    )
    const exchange = await ask(peer.endpoint, { timeoutMs: 150 })
    expect(exchange).toMatchObject({
      kind: 'failure',
      operation: 'exchange',
      failure: 'generic_timeout_error',
      side: 'resolver',
      oddities: { ...NO_ODDITIES, wrongId: 1 },
      elapsedMs: expect.toSatisfy((elapsedMs: number) => elapsedMs >= 150),
    })
    expect(peer.sources).toHaveLength(1)
  })

  test('ends at once when it is aborted, before and during', async () => {
    using peer = await startUdpPeer(async () => {})
    const early = await ask(peer.endpoint, { timeoutMs: 60_000, signal: AbortSignal.abort() })
    expect(early).toMatchObject({ kind: 'failure', failure: 'interrupted', side: 'us' })
    const exchange = await ask(peer.endpoint, { timeoutMs: 60_000, signal: AbortSignal.timeout(20) })
    expect(exchange).toMatchObject({ kind: 'failure', failure: 'interrupted', side: 'us' })
  })

  test('reports our own trouble as ours', async () => {
    const exchange = await exchangeDo53Udp(nodeNet, nodeClock, {
      endpoint: { address: '127.0.0.1', port: 53 },
      localAddress: '192.0.2.55',
      query: QUERY,
      timeoutMs: 1_000,
      lateWindowMs: 0,
    })
    expect(exchange).toMatchObject({ failure: 'address_not_available', side: 'us' })
  })
})

describe('matchResponse', () => {
  test('takes a query without one whole question for a bug', () => {
    const response = responseOctets(QUERY, 1)
    for (const query of [QUERY.subarray(0, 20), withOctet(QUERY, 12, 0xc0), withOctet(QUERY, 5, 2)]) {
      expect(() => matchResponse(query, response)).toThrow(/query/)
    }
  })
})
