import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../src/net/http-client.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
import { makeTestCertificates } from './test-certificates.ts'

const certificates = makeTestCertificates()
const LIMITS = { timeoutMs: 5_000, bodyOctetsMax: 1_000 }

interface TestServer extends AsyncDisposable {
  readonly url: string
}

async function listening(server: Server, scheme = 'http'): Promise<TestServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `${scheme}://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function serve(listener: RequestListener): Promise<TestServer> {
  return listening(createServer(listener))
}

function serveTls(files: { readonly certificate: string; readonly key: string }): Promise<TestServer> {
  const options = { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
  return listening(
    createTlsServer(options, (_request, response) => response.end('safe')),
    'https',
  )
}

/** A server that answers with these octets, or not at all. */
async function serveRaw(text: string | null): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      if (text !== null) socket.end(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const get = (url: string, more: Partial<HttpRequest> = {}): ReturnType<typeof nodeHttp.request> =>
  nodeHttp.request({ method: 'GET', url, ...LIMITS, ...more })

describe('nodeHttp', () => {
  test('sends method, headers and body, and gives status, headers and body back', async () => {
    await using server = await serve((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.writeHead(201, { 'X-Seen': `${request.method} ${request.url} ${request.headers['x-mine'] as string}` })
        response.end(Buffer.concat(chunks).toString('utf8').toUpperCase())
      })
    })
    const outcome = await nodeHttp.request({
      method: 'PUT',
      url: `${server.url}a?b=1`,
      headers: { 'X-Mine': 'here' },
      body: new TextEncoder().encode('body'),
      ...LIMITS,
    })
    expect(outcome).toMatchObject({ kind: 'response', status: 201, headers: { 'x-seen': 'PUT /a?b=1 here' } })
    expect(outcome.kind === 'response' && new TextDecoder().decode(outcome.body)).toBe('BODY')
    expect(outcome.kind === 'response' && outcome.body.constructor).toBe(Uint8Array)
  })

  test('follows no redirect', async () => {
    let requests = 0
    await using server = await serve((_request, response) => {
      requests += 1
      response.writeHead(302, { Location: '/elsewhere' }).end()
    })
    expect(await get(server.url)).toMatchObject({ kind: 'response', status: 302, headers: { location: '/elsewhere' } })
    expect(requests).toBe(1)
  })

  test('refuses a body longer than its bound', async () => {
    await using server = await serve((_request, response) => response.end('x'.repeat(1_001)))
    expect(await get(server.url)).toMatchObject({ kind: 'failure', failure: 'http_too_large' })
  })

  test('refuses headers without end', async () => {
    await using server = await serveRaw(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(await get(server.url)).toMatchObject({ kind: 'failure', failure: 'http_too_large' })
  })

  test('says that a closed port was never sent anything', async () => {
    const server = await serve(() => {})
    await server[Symbol.asyncDispose]()
    expect(await get(server.url)).toMatchObject({
      kind: 'failure',
      operation: 'connect',
      failure: 'connection_refused',
      mayBeDelivered: false,
    })
  })

  test('gives a server up that never answers', async () => {
    await using server = await serveRaw(null)
    expect(await get(server.url, { timeoutMs: 100 })).toMatchObject({
      kind: 'failure',
      operation: 'exchange',
      failure: 'generic_timeout_error',
      mayBeDelivered: true,
    })
  })

  test('gives a server up that drips for ever', async () => {
    await using server = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'), 5)
      response.on('close', () => {
        clearInterval(timer)
      })
    })
    expect(await get(server.url, { timeoutMs: 100 })).toMatchObject({ failure: 'generic_timeout_error' })
  })

  test('ends when it is told to', async () => {
    await using server = await serveRaw(null)
    expect(await get(server.url, { signal: AbortSignal.timeout(50) })).toMatchObject({ failure: 'interrupted' })
    expect(await get(server.url, { signal: AbortSignal.abort() })).toMatchObject({
      failure: 'interrupted',
      mayBeDelivered: false,
    })
  })

  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'eof_error'],
    ['', 'eof_error'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'http_protocol_error'],
  ])('names what is wrong with %j', async (text, failure) => {
    await using server = await serveRaw(text)
    expect(await get(server.url)).toMatchObject({ kind: 'failure', failure })
  })

  test('names a host that does not resolve', async () => {
    // A label of 64 octets fits into no query, so nothing is asked.
    expect(await get(`http://${'x'.repeat(64)}.invalid/`)).toMatchObject({
      operation: 'connect',
      failure: 'dns_lookup_error',
      mayBeDelivered: false,
    })
  })

  test('checks the certificate before it sends', async () => {
    const { authority: authorities, right, wrongHost, expired } = certificates
    await using server = await serveTls(right)
    await using wrong = await serveTls(wrongHost)
    await using old = await serveTls(expired)
    expect(await get(server.url, { authorities })).toMatchObject({ kind: 'response', status: 200 })
    const refused = { kind: 'failure', operation: 'tls_handshake', mayBeDelivered: false }
    expect(await get(server.url)).toMatchObject({ ...refused, failure: 'ssl_unknown_authority' })
    expect(await get(wrong.url, { authorities })).toMatchObject({ ...refused, failure: 'ssl_invalid_hostname' })
    expect(await get(old.url, { authorities })).toMatchObject({ ...refused, failure: 'ssl_invalid_certificate' })
  })

  test('refuses what is no address of a web server as a bug', async () => {
    await expect(async () => get('ftp://127.0.0.1/')).rejects.toThrow('http: or https:')
  })
})
