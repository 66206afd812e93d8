import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sleep } from '../../src/core/clock.ts'
import type { Connection, Endpoint, Net } from '../../src/net/net.ts'
import { createOctetReader } from '../../src/net/octet-reader.ts'
import { pipeConnections } from '../../src/net/pipe-connections.ts'
import { connectSocks5, resolveSocks5, type SocksConnectOutcome } from '../../src/net/socks5-client.ts'
import { acceptSocks5, type AcceptedSocksRequest } from '../../src/net/socks5-server.ts'
import { formatSocksReply } from '../../src/net/socks5.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { startTcpPeer } from './tcp-peer.ts'

const octets = (text: string): Uint8Array => new TextEncoder().encode(text)

async function readText(connection: Connection): Promise<string | undefined> {
  const read = await connection.read()
  return read && new TextDecoder().decode(read)
}

/** A proxy that answers with our own server side. */
function startProxy(answer: (request: AcceptedSocksRequest) => Promise<void>) {
  return startTcpPeer(async (connection) => {
    const request = await acceptSocks5(connection, nodeClock, 5_000)
    if (request !== undefined) await answer(request)
  })
}

function connectVia(
  proxy: Endpoint,
  options: { host?: string; timeoutMs?: number } = {},
): Promise<SocksConnectOutcome> {
  return connectSocks5(nodeNet, nodeClock, { proxy, host: 'name.example', port: 53, timeoutMs: 5_000, ...options })
}

describe('connectSocks5', () => {
  test.each(['name.example', '192.0.2.7', '2001:db8::7', 'x'.repeat(255)])('carries %s to the proxy', async (host) => {
    const seen: unknown[] = []
    await using proxy = await startProxy(async (request) => {
      seen.push([request.command, request.host, request.port, request.username])
      const connection = await request.succeed()
      await connection.write(octets('hello'))
    })
    const outcome = await connectVia(proxy.endpoint, { host })
    if (outcome.kind !== 'connected') throw new Error(JSON.stringify(outcome))
    expect(await readText(outcome.connection)).toBe('hello')
    expect(seen).toEqual([['connect', host, 53, undefined]])
    outcome.connection.close()
  })

  test('gives user name and password', async () => {
    const names: unknown[] = []
    await using proxy = await startTcpPeer(async (connection) => {
      const reader = createOctetReader(connection)
      expect(await reader.take(3)).toEqual(Uint8Array.of(5, 1, 2))
      await connection.write(Uint8Array.of(5, 2))
      expect(await reader.take(11)).toEqual(Uint8Array.of(1, 4, ...octets('user'), 4, ...octets('pass')))
      await connection.write(Uint8Array.of(1, 1))
      names.push('asked')
    })
    const outcome = await connectSocks5(nodeNet, nodeClock, {
      proxy: proxy.endpoint,
      host: 'a',
      port: 1,
      credentials: { username: 'user', password: 'pass' },
      timeoutMs: 5_000,
    })
    expect(names).toEqual(['asked'])
    expect(outcome).toMatchObject({ kind: 'failure', operation: 'socks_handshake', failure: 'permission_denied' })
  })

  test('hands on what the server sent together with the reply, and a reply that comes octet by octet', async () => {
    await using proxy = await startTcpPeer(async (connection) => {
      const reader = createOctetReader(connection)
      await reader.take(3)
      for (const octet of [5, 0]) await connection.write(Uint8Array.of(octet))
      await reader.take(4 + 1 + 12 + 2)
      for (const octet of [5, 0, 0, 3, 3]) await connection.write(Uint8Array.of(octet))
      await connection.write(Uint8Array.of(...octets('abc'), 0, 1, ...octets('early')))
    })
    const outcome = await connectVia(proxy.endpoint)
    if (outcome.kind !== 'connected') throw new Error(JSON.stringify(outcome))
    expect(await readText(outcome.connection)).toBe('early')
    outcome.connection.close()
    expect(await outcome.connection.read()).toBeUndefined()
  })

  test.each([1, 4, 5, 0x99])('reports reply code %i as data', async (reply) => {
    await using proxy = await startProxy((request) => request.refuse(reply))
    expect(await connectVia(proxy.endpoint)).toMatchObject({ kind: 'refused', reply })
  })

  test.each([
    ['closes at once', [], 'eof_error'],
    ['speaks another version', [4, 0], 'unknown_failure: malformed SOCKS reply'],
    ['accepts no method', [5, 0xff], 'permission_denied'],
    ['chooses a method that was not offered', [5, 2], 'unknown_failure: malformed SOCKS reply'],
    ['finishes within the reply', [5, 0, 5, 0, 0, 1, 127], 'eof_error'],
    ['sends an unknown kind of address', [5, 0, 5, 0, 0, 9, 0, 0], 'unknown_failure: malformed SOCKS reply'],
    ['sends control characters as a name', [5, 0, 5, 0, 0, 3, 1, 7, 0, 0], 'unknown_failure: malformed SOCKS reply'],
  ])('reports a proxy that %s', async (_name, answer, failure) => {
    await using proxy = await startTcpPeer(async (connection) => {
      await connection.write(Uint8Array.from(answer))
      connection.finish()
      while ((await connection.read()) !== undefined);
      connection.close()
    })
    expect(await connectVia(proxy.endpoint)).toMatchObject({ kind: 'failure', operation: 'socks_handshake', failure })
  })

  test('ends in time with a proxy that is silent or drips without end', async () => {
    await using silent = await startTcpPeer(async () => {})
    expect(await connectVia(silent.endpoint, { timeoutMs: 50 })).toMatchObject({
      kind: 'failure',
      operation: 'socks_handshake',
      failure: 'generic_timeout_error',
    })
    await using dripping = await startTcpPeer(async (connection) => {
      await connection.write(Uint8Array.of(5, 0, 5, 0, 0, 3, 255))
      for (;;) {
        await sleep(nodeClock, 10)
        await connection.write(Uint8Array.of(65))
      }
    })
    expect(await connectVia(dripping.endpoint, { timeoutMs: 100 })).toMatchObject({
      failure: 'generic_timeout_error',
    })
  })

  test('reports a proxy that is not there as a failure to connect', async () => {
    const gone = await startTcpPeer(async () => {})
    await gone[Symbol.asyncDispose]()
    expect(await connectVia(gone.endpoint)).toMatchObject({ operation: 'connect', failure: 'connection_refused' })
  })

  test.each(['', 'a b', 'ä.example', 'x'.repeat(256)])(
    'does not send a name that SOCKS cannot carry: %j',
    async (host) => {
      await using proxy = await startProxy(async (request) => {
        await request.succeed()
      })
      expect(await connectVia(proxy.endpoint, { host })).toMatchObject({
        kind: 'failure',
        failure: 'unknown_failure: host name that SOCKS cannot carry',
      })
    },
  )
})

describe('resolveSocks5', () => {
  test.each(['192.0.2.1', '2001:db8::1'])('gives the address %s', async (address) => {
    await using proxy = await startProxy(async (request) => {
      await (request.command === 'resolve' ? request.succeed(address) : request.refuse(7))
    })
    const request = { proxy: proxy.endpoint, host: 'name.example', port: 0, timeoutMs: 5_000 }
    expect(await resolveSocks5(nodeNet, nodeClock, request)).toMatchObject({ kind: 'resolved', address })
  })
})

describe('acceptSocks5', () => {
  test.each([
    ['HTTP', octets('GET / HTTP/1.1\r\n\r\n'), []],
    ['SOCKS4', Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, 0), []],
    ['only an unknown method', Uint8Array.of(5, 1, 9), [5, 0xff]],
    ['BIND', Uint8Array.of(5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80), [5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['an unknown kind of address', Uint8Array.of(5, 1, 0, 5, 1, 0, 9), [5, 0, 5, 8, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['an empty name', Uint8Array.of(5, 1, 0, 5, 1, 0, 3, 0, 0, 80), [5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]],
  ])('closes on a client that speaks %s', async (_name, sent, answer) => {
    const requests: unknown[] = []
    await using server = await startProxy(async (request) => void requests.push(request))
    const client = await nodeNet.connectTcp(server.endpoint, 5_000)
    await client.write(sent)
    const received: number[] = []
    for (let part = await client.read(); part !== undefined; part = await client.read()) received.push(...part)
    expect(received).toEqual(answer)
    expect(requests).toEqual([])
    client.close()
  })

  test('closes on a client that says nothing', async () => {
    const outcome = Promise.withResolvers<unknown>()
    await using server = await startTcpPeer(async (connection) => {
      outcome.resolve(await acceptSocks5(connection, nodeClock, 30))
    })
    const client = await nodeNet.connectTcp(server.endpoint, 5_000)
    expect(await outcome.promise).toBeUndefined()
    expect(await client.read()).toBeUndefined()
    client.close()
  })

  test('keeps what the client sent behind its request, and its user name', async () => {
    const seen = Promise.withResolvers<unknown>()
    await using server = await startProxy(async (request) => {
      const connection = await request.succeed()
      seen.resolve([request.username, request.host, request.port, await readText(connection)])
    })
    const client = await nodeNet.connectTcp(server.endpoint, 5_000)
    const login = [1, 2, ...octets('me'), 1, ...octets('x')]
    await client.write(Uint8Array.of(5, 1, 2, ...login, 5, 1, 0, 3, 1, ...octets('a'), 1, 187, ...octets('hello')))
    expect(await seen.promise).toEqual(['me', 'a', 443, 'hello'])
    client.close()
  })
})

/** A connection whose peer sends these parts and finishes. */
function replay(parts: readonly Uint8Array[]): Connection & { readonly written: Uint8Array[] } {
  const rest = parts.filter((part) => part.length > 0)
  const written: Uint8Array[] = []
  const nowhere: Endpoint = { address: '127.0.0.1', port: 0 }
  return {
    local: nowhere,
    remote: nowhere,
    written,
    read: async () => rest.shift(),
    write: async (sent) => void written.push(sent),
    finish: () => {},
    close: () => {},
  }
}

describe('both sides', () => {
  test('survive any octets, in any pieces', async () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
    const begin = fc.constantFrom([], [5, 1, 0], [5, 1, 2, 1, 1, 65, 1, 66], [5, 0, 5, 0, 0, 3], [5, 0, 5, 0, 0, 1])
    await fc.assert(
      fc.asyncProperty(begin, parts, async (first, rest) => {
        const peer = replay([Uint8Array.from(first), ...rest])
        const request = await acceptSocks5(peer, nodeClock, 1_000)
        expect(['undefined', 'string']).toContain(typeof request?.host)
        const proxy = replay([Uint8Array.from(first), ...rest])
        const net: Net = { ...nodeNet, connectTcp: async () => proxy }
        const target = { proxy: proxy.remote, host: 'a.example', port: 1, timeoutMs: 1_000 }
        const outcome = await connectSocks5(net, nodeClock, target)
        expect(['connected', 'refused', 'failure']).toContain(outcome.kind)
      }),
      { numRuns: 500 },
    )
  })
})

describe('pipeConnections', () => {
  test('passes octets both ways until both have finished', async () => {
    await using target = await startTcpPeer(async (connection) => {
      let received = 0
      for (let part = await connection.read(); part !== undefined; part = await connection.read())
        received += part.length
      await connection.write(octets(`got ${received}`))
      connection.finish()
    })
    const ended = Promise.withResolvers<void>()
    await using proxy = await startProxy(async (request) => {
      const outside = await nodeNet.connectTcp(target.endpoint, 5_000)
      await pipeConnections(await request.succeed(), outside)
      ended.resolve()
    })
    const outcome = await connectVia(proxy.endpoint)
    if (outcome.kind !== 'connected') throw new Error(JSON.stringify(outcome))
    await outcome.connection.write(new Uint8Array(3_000_000))
    outcome.connection.finish()
    expect(await readText(outcome.connection)).toBe('got 3000000')
    expect(await outcome.connection.read()).toBeUndefined()
    await ended.promise
    outcome.connection.close()
  })

  test('closes one end when the other breaks', async () => {
    await using target = await startTcpPeer(async (connection) => {
      await connection.read()
      connection.close()
    })
    await using proxy = await startProxy(async (request) => {
      await pipeConnections(await request.succeed(), await nodeNet.connectTcp(target.endpoint, 5_000))
    })
    const outcome = await connectVia(proxy.endpoint)
    if (outcome.kind !== 'connected') throw new Error(JSON.stringify(outcome))
    await outcome.connection.write(octets('x'))
    await expect(outcome.connection.read()).resolves.toBeUndefined()
    outcome.connection.close()
  })
})

describe('formatSocksReply', () => {
  test('names the codes that have names', () => {
    expect([1, 4, 0xf0, 0x99].map(formatSocksReply)).toEqual([
      'GENERAL_FAILURE',
      'HOST_UNREACHABLE',
      'ONION_NOT_FOUND',
      'REPLY_153',
    ])
  })
})
