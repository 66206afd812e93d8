import { readFileSync } from 'node:fs'
import { createSecureServer, constants, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Exchange } from '../../src/model/observation.ts'
import { createDoh, type Doh, type DohOptions } from '../../src/net/doh.ts'
import type { Endpoint } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { answerAddress } from './answer-address.ts'
import { queryOctets, responseOctets, withOctet } from './dns-octets.ts'
import { hasDnsdist, startDnsdist } from './dnsdist.ts'
import { makeTestCertificates, SERVER_NAME } from './test-certificates.ts'

const certificates = hasDnsdist ? makeTestCertificates() : undefined
const needed = 'needs dnsdist and openssl: apt-get install dnsdist openssl'

function open(endpoint: Endpoint, options: Partial<DohOptions> = {}): Doh {
  const doh = createDoh(nodeNet, nodeClock, {
    endpoint,
    serverName: SERVER_NAME,
    mode: 'strict',
    ...(certificates === undefined ? {} : { authorities: certificates.authority }),
    authority: SERVER_NAME,
    path: '/dns-query',
    form: 'post',
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...options,
  })
  onTestFinished(() => {
    doh.close()
  })
  return doh
}

function ask(doh: Doh, id: number, timeoutMs = 5_000): Promise<Exchange> {
  return doh.exchange({ query: queryOctets(id, `n${id}.example`), timeoutMs, lateWindowMs: 0 })
}

const kinds = (exchanges: readonly Exchange[]): readonly string[] => [
  ...new Set(exchanges.map((exchange) => (exchange.kind === 'failure' ? exchange.failure : exchange.kind))),
]

interface Served {
  readonly endpoint: Endpoint
  readonly server: Http2SecureServer
  readonly connections: () => number
}

/** A server of node:http2 that does with each request what a test tells it to. */
async function serve(script: (stream: ServerHttp2Stream, body: Uint8Array) => void): Promise<Served> {
  const files = (certificates as NonNullable<typeof certificates>).right
  const [cert, key] = [readFileSync(files.certificate), readFileSync(files.key)]
  const server = createSecureServer({ cert, key })
  let connections = 0
  server.on('session', (session) => {
    connections++
    session.on('error', () => {})
  })
  server.on('stream', (stream) => {
    const parts: Uint8Array[] = []
    stream.on('error', () => {})
    stream.on('data', (part: Uint8Array) => parts.push(part))
    stream.on('end', () => {
      script(stream, Uint8Array.from(parts.flatMap((part) => [...part])))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { endpoint: { address: '127.0.0.1', port }, server, connections: () => connections }
}

const WIRE = { ':status': 200, 'content-type': 'application/dns-message' }

/** A TLS server that agrees on HTTP/2 and then writes what a test tells it to. */
async function serveOctets(script: (socket: TLSSocket) => void): Promise<Endpoint> {
  const files = (certificates as NonNullable<typeof certificates>).right
  const [cert, key] = [readFileSync(files.certificate), readFileSync(files.key)]
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    script(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return { address: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 }
}

function frame(type: number, flags: number, stream: number, payload: readonly number[] = []): Uint8Array {
  return Uint8Array.of(0, payload.length >> 8, payload.length & 0xff, type, flags, 0, 0, 0, stream, ...payload)
}

describe.skipIf(certificates === undefined)(`createDoh against dnsdist (${needed})`, () => {
  const files = certificates as NonNullable<typeof certificates>

  test.each(['post', 'get'] as const)('carries 100 queries in flight over one connection with %s', async (form) => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const doh = open(dnsdist.https, { form })
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(doh, index)))
    expect(kinds(outcomes)).toEqual(['responses'])
    expect(doh.facts()).toMatchObject({ alpn: 'h2', distrust: null, isResumed: false })
  })

  test('opens another connection after the server was started again', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const doh = open(dnsdist.https)
    expect(kinds([await ask(doh, 1)])).toEqual(['responses'])
    await dnsdist.restart()
    const after = await ask(doh, 2)
    // Whether this query still met the old connection is a race that both sides may win.
    const next = after.kind === 'responses' ? after : await ask(doh, 3)
    expect(next.kind).toBe('responses')
  })

  test('resumes the session of the connection before', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const doh = open(dnsdist.https, { idleTimeoutMs: 0 })
    expect(kinds([await ask(doh, 1), await ask(doh, 2)])).toEqual(['responses'])
    expect(doh.facts()).toMatchObject({ isResumed: true })
  })

  test.each([
    ['expired', 'ssl_invalid_certificate'],
    ['wrongHost', 'ssl_invalid_hostname'],
    ['unknownAuthority', 'ssl_unknown_authority'],
  ] as const)('refuses the certificate that is %s in strict mode', async (kind, failure) => {
    await using dnsdist = await startDnsdist(files[kind], answerAddress)
    expect(await ask(open(dnsdist.https), 7)).toMatchObject({ operation: 'tls_handshake', failure, side: 'resolver' })
    expect(await ask(open(dnsdist.https, { mode: 'opportunistic' }), 7)).toMatchObject({ kind: 'responses' })
  })

  test('reports a path that the server does not have', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    expect(await ask(open(dnsdist.https, { path: '/elsewhere' }), 7)).toMatchObject({
      operation: 'exchange',
      failure: 'http_unexpected_status_code: 404',
    })
  })
})

describe.skipIf(certificates === undefined)(`createDoh (${needed})`, () => {
  test('asks as RFC 8484 says, and keeps one connection', async () => {
    const seen: unknown[] = []
    const { endpoint, server, connections } = await serve((stream, body) => {
      seen.push(body)
      stream.respond(WIRE)
      stream.end(responseOctets(body, 1))
    })
    server.on('stream', (_stream, headers) => seen.push(Object.fromEntries(Object.entries(headers))))
    const doh = open(endpoint)
    expect(kinds([await ask(doh, 1), await ask(doh, 2)])).toEqual(['responses'])
    expect(connections()).toBe(1)
    expect(seen.slice(0, 2)).toEqual([
      {
        ':method': 'POST',
        ':scheme': 'https',
        ':authority': SERVER_NAME,
        ':path': '/dns-query',
        accept: 'application/dns-message',
        'content-type': 'application/dns-message',
        'content-length': String(queryOctets(1, 'n1.example').length),
      },
      queryOctets(1, 'n1.example'),
    ])
    await ask(open(endpoint, { form: 'get' }), 1)
    expect(seen.at(-2)).toMatchObject({
      ':method': 'GET',
      ':path': `/dns-query?dns=${Buffer.from(queryOctets(1, 'n1.example')).toString('base64url')}`,
    })
  })

  test('keeps to the number of streams that the server allows', async () => {
    let [inFlight, most] = [0, 0]
    const { endpoint, server, connections } = await serve((stream, body) => {
      most = Math.max(most, ++inFlight)
      setTimeout(() => {
        inFlight--
        stream.respond(WIRE)
        stream.end(responseOctets(body, 1))
      }, 2)
    })
    server.updateSettings({ maxConcurrentStreams: 3 })
    const doh = open(endpoint)
    await ask(doh, 99)
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(doh, index)))
    expect(kinds(outcomes)).toEqual(['responses'])
    expect([most, connections()]).toEqual([3, 1])
  })

  test('finishes what is in flight after GOAWAY, and asks the next on another connection', async () => {
    const { endpoint, connections } = await serve((stream, body) => {
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR)
      setTimeout(() => {
        stream.respond(WIRE)
        stream.end(responseOctets(body, 1))
      }, 20)
    })
    const doh = open(endpoint)
    expect(kinds([await ask(doh, 1), await ask(doh, 2)])).toEqual(['responses'])
    expect(connections()).toBe(2)
  })

  test('fails what the server reset, and goes on', async () => {
    let count = 0
    const { endpoint, connections } = await serve((stream, body) => {
      if (count++ === 0) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else {
        stream.respond(WIRE)
        stream.end(responseOctets(body, 1))
      }
    })
    const doh = open(endpoint)
    expect(await ask(doh, 1)).toMatchObject({ operation: 'exchange', failure: 'connection_reset' })
    expect(kinds([await ask(doh, 2)])).toEqual(['responses'])
    expect(connections()).toBe(1)
  })

  test('reads an answer that drips, with many headers, in any order', async () => {
    const held: (() => void)[] = []
    const { endpoint } = await serve((stream, body) => {
      stream.respond({
        ...WIRE,
        ...Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-${n}`, 'é~{}'.repeat(9)])),
      })
      held.unshift(() => {
        for (const octet of responseOctets(body, 1)) stream.write(Uint8Array.of(octet))
        stream.end()
      })
      if (held.length === 3) for (const answer of held) answer()
    })
    const doh = open(endpoint)
    expect(kinds(await Promise.all([ask(doh, 1), ask(doh, 2), ask(doh, 3)]))).toEqual(['responses'])
  })

  test.each([
    [
      'another content type',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': 200, 'content-type': 'text/html' }),
      'http_unexpected_content_type',
    ],
    ['a status', (stream: ServerHttp2Stream) => stream.respond({ ':status': 503 }), 'http_unexpected_status_code: 503'],
    [
      'a redirect',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': 302, location: 'https://127.0.0.1/' }),
      'http_unexpected_status_code: 302',
    ],
  ])('reports %s', async (_name, respond, failure) => {
    const { endpoint } = await serve((stream) => {
      respond(stream)
      stream.end('x')
    })
    expect(await ask(open(endpoint), 1)).toMatchObject({ operation: 'exchange', failure, side: 'resolver' })
  })

  test('gives up a body that is longer than any message, and goes on', async () => {
    let count = 0
    const { endpoint, connections } = await serve((stream, body) => {
      stream.respond(WIRE)
      stream.end(count++ === 0 ? new Uint8Array(200_000) : responseOctets(body, 1))
    })
    const doh = open(endpoint)
    expect(await ask(doh, 1)).toMatchObject({ failure: 'http_too_large' })
    expect(kinds([await ask(doh, 2)])).toEqual(['responses'])
    expect(connections()).toBe(1)
  })

  test('counts a body that answers another question', async () => {
    const { endpoint } = await serve((stream, body) => {
      stream.respond(WIRE)
      stream.end(withOctet(responseOctets(body, 1), 13, 0x78))
    })
    expect(await ask(open(endpoint), 1)).toMatchObject({ failure: 'eof_error', oddities: { wrongQuestion: 1 } })
  })

  test('leaves a connection on which nothing comes, but keeps one on which others are answered', async () => {
    const { endpoint, connections } = await serve((stream, body) => {
      if (body[1] === 1) return
      stream.respond(WIRE)
      stream.end(responseOctets(body, 1))
    })
    const doh = open(endpoint)
    await ask(doh, 2)
    expect(kinds(await Promise.all([ask(doh, 1, 300), ask(doh, 3)])).toSorted()).toEqual([
      'generic_timeout_error',
      'responses',
    ])
    expect(kinds([await ask(doh, 4)])).toEqual(['responses'])
    expect(connections()).toBe(1)
    expect(await ask(doh, 1, 100)).toMatchObject({ failure: 'generic_timeout_error' })
    await ask(doh, 5)
    expect(connections()).toBe(2)
  })

  test.each([
    ['garbage', [new TextEncoder().encode('HTTP/1.1 400 Bad Request\r\n\r\n')], 'http_protocol_error'],
    ['a frame that is too long', [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1)], 'http_protocol_error'],
    ['a pushed request', [frame(5, 4, 1, [0, 0, 0, 2])], 'http_protocol_error'],
    ['headers of a stream that nobody opened', [frame(1, 5, 9, [0x88])], 'http_protocol_error'],
    ['a header block that is none', [frame(1, 5, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])], 'http_protocol_error'],
    [
      'a header block without end',
      Array.from({ length: 40 }, (_, n) =>
        frame(
          n === 0 ? 1 : 9,
          0,
          1,
          Array.from({ length: 1000 }, () => 0x88),
        ),
      ),
      'http_too_large',
    ],
    [
      'a frame within a header block',
      [frame(1, 0, 1, [0x88]), frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])],
      'http_protocol_error',
    ],
    ['a body without headers', [frame(0, 1, 1, [1])], 'http_protocol_error'],
    ['padding longer than its frame', [frame(1, 4, 1, [0x88]), frame(0, 9, 1, [9, 1])], 'http_protocol_error'],
    ['a window that grows too far', [frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff])], 'http_protocol_error'],
    ['GOAWAY before the query', [frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])], 'connection_reset'],
  ])('ends the connection at %s', async (_name, frames, failure) => {
    const endpoint = await serveOctets((socket) => {
      let heard = 0
      socket.on('data', (part) => {
        heard += part.length
        // Behind preface and settings comes the request.
        if (heard > 120) for (const octets of frames.splice(0)) socket.write(octets)
      })
    })
    expect(await ask(open(endpoint), 1, 3_000)).toMatchObject({ kind: 'failure', operation: 'exchange', failure })
  })

  test.each([undefined, ['http/1.1']])(
    'says that a server without HTTP/2 does not speak it (%s)',
    async (protocols) => {
      const files = (certificates as NonNullable<typeof certificates>).right
      const pair = { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
      const server = createServer({ ...pair, ...(protocols && { ALPNProtocols: protocols }) }, (socket) => {
        socket.on('error', () => {})
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void server.close())
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      expect(await ask(open({ address: '127.0.0.1', port }), 1)).toMatchObject({
        operation: 'tls_handshake',
        failure: 'ssl_no_application_protocol',
      })
    },
  )

  test('asks in the JSON form', async () => {
    const paths: unknown[] = []
    const { endpoint, server } = await serve((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/dns-json' })
      const answer = { name: 'n7.example', type: 1, TTL: 60, data: '192.0.2.1' }
      stream.end(
        JSON.stringify({ Status: 0, RD: true, Question: [{ name: 'N7.example.', type: 1 }], Answer: [answer] }),
      )
    })
    server.on('stream', (_stream, headers) => paths.push([headers[':path'], headers.accept]))
    expect(await ask(open(endpoint, { form: 'json' }), 7)).toMatchObject({ kind: 'responses' })
    expect(await ask(open(endpoint, { form: 'json' }), 8)).toMatchObject({ oddities: { wrongQuestion: 1 } })
    expect(paths[0]).toEqual(['/dns-query?name=n7.example&type=1', 'application/dns-json'])
  })
})
