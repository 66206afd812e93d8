import { readFileSync } from 'node:fs'
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Exchange } from '../../src/model/observation.ts'
import { createDot, type Dot, type DotOptions } from '../../src/net/dot.ts'
import type { Endpoint } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { hasDnsdist, startDnsdist } from './dnsdist.ts'
import { framed, queryOctets, responseOctets } from './dns-octets.ts'
import { answerAddress } from './answer-address.ts'
import { startTcpPeer } from './tcp-peer.ts'
import { makeTestCertificates, SERVER_NAME, type CertificateFiles } from './test-certificates.ts'

const certificates = hasDnsdist ? makeTestCertificates() : undefined

function open(endpoint: Endpoint, options: Partial<DotOptions> = {}): Dot {
  const dot = createDot(nodeNet, nodeClock, {
    endpoint,
    serverName: SERVER_NAME,
    mode: 'strict',
    ...(certificates === undefined ? {} : { authorities: certificates.authority }),
    connectTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...options,
  })
  onTestFinished(() => {
    dot.close()
  })
  return dot
}

function ask(dot: Dot, id: number, timeoutMs = 5_000): Promise<Exchange> {
  return dot.exchange({ query: queryOctets(id, `n${id}.example`), timeoutMs, lateWindowMs: 0 })
}

/** A TLS server of Node that does with each connection what a test tells it to. */
async function serveTls(
  files: CertificateFiles,
  script: (socket: TLSSocket) => void,
  options: TlsOptions = {},
): Promise<Endpoint> {
  const [cert, key] = [readFileSync(files.certificate), readFileSync(files.key)]
  const sockets = new Set<TLSSocket>()
  const server = createServer({ cert, key, ...options }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    script(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { address: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 }
}

const needed = 'needs dnsdist and openssl: apt-get install dnsdist openssl'

describe.skipIf(certificates === undefined)(`createDot (${needed})`, () => {
  const files = certificates as NonNullable<typeof certificates>

  test('carries 100 queries in flight over one connection, and opens another after a restart', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const dot = open(dnsdist.tls)
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(dot, index)))
    expect(outcomes.filter(({ kind }) => kind === 'failure')).toEqual([])
    expect(dot.facts()).toMatchObject({ distrust: null, isResumed: false })
    await dnsdist.restart()
    const after = await ask(dot, 500)
    // The server ended the connection; whether this query still met it is a race that both sides may win.
    const next = after.kind === 'responses' ? after : await ask(dot, 501)
    expect(next.kind).toBe('responses')
  })

  test('resumes the session of the connection before', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    const dot = open(dnsdist.tls, { idleTimeoutMs: 0 })
    expect(await ask(dot, 1)).toMatchObject({ kind: 'responses' })
    expect(await ask(dot, 2)).toMatchObject({ kind: 'responses' })
    expect(dot.facts()).toMatchObject({ isResumed: true, distrust: null })
  })

  test.each([
    ['expired', 'ssl_invalid_certificate'],
    ['wrongHost', 'ssl_invalid_hostname'],
    ['unknownAuthority', 'ssl_unknown_authority'],
  ] as const)(
    'refuses the certificate that is %s in strict mode, and takes it in opportunistic',
    async (kind, failure) => {
      let octets = 0
      const endpoint = await serveTls(files[kind], (socket) => {
        socket.on('data', (chunk) => {
          octets += chunk.length
          socket.write(framed(responseOctets(chunk.subarray(2), 1)))
        })
      })
      expect(await ask(open(endpoint), 7)).toMatchObject({
        kind: 'failure',
        operation: 'tls_handshake',
        failure,
        side: 'resolver',
      })
      expect(octets).toBe(0)
      const opportunistic = open(endpoint, { mode: 'opportunistic' })
      expect(await ask(opportunistic, 7)).toMatchObject({ kind: 'responses' })
      expect(opportunistic.facts()).toMatchObject({ distrust: failure })
    },
  )

  test('checks an address where the server has no name', async () => {
    await using dnsdist = await startDnsdist(files.right, answerAddress)
    expect(await ask(open(dnsdist.tls, { serverName: '127.0.0.1' }), 7)).toMatchObject({ kind: 'responses' })
    expect(await ask(open(dnsdist.tls, { serverName: '127.0.0.2' }), 7)).toMatchObject({
      failure: 'ssl_invalid_hostname',
    })
  })

  test('reads an answer that drips octet by octet', async () => {
    const endpoint = await serveTls(files.right, (socket) => {
      socket.on('data', (chunk) => {
        void (async () => {
          for (const octet of framed(responseOctets(chunk.subarray(2), 9))) {
            socket.write(Uint8Array.of(octet))
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
        })()
      })
    })
    expect(await ask(open(endpoint), 7)).toMatchObject({ kind: 'responses' })
  })

  test('reports a server that ends its connection before the answer', async () => {
    const endpoint = await serveTls(files.right, (socket) => {
      socket.once('data', () => {
        socket.end()
      })
    })
    expect(await ask(open(endpoint), 7)).toMatchObject({ operation: 'exchange', failure: 'eof_error' })
  })
})

describe('createDot', () => {
  test('says that a server which speaks no TLS failed in the handshake', async () => {
    await using peer = await startTcpPeer(async (connection) => {
      await connection.write(new TextEncoder().encode('220 hello, this is mail\r\n'))
    })
    expect(await ask(open(peer.endpoint), 7)).toMatchObject({
      operation: 'tls_handshake',
      failure: 'ssl_failed_handshake',
    })
  })

  test('says that a server which is silent timed out in the handshake', async () => {
    await using peer = await startTcpPeer(() => Promise.resolve())
    expect(await ask(open(peer.endpoint), 7, 200)).toMatchObject({
      operation: 'tls_handshake',
      failure: 'generic_timeout_error',
    })
  })

  test('says that a closed port failed in connecting', async () => {
    const peer = await startTcpPeer(() => Promise.resolve())
    await peer[Symbol.asyncDispose]()
    expect(await ask(open(peer.endpoint), 7)).toMatchObject({ operation: 'connect', failure: 'connection_refused' })
  })
})
