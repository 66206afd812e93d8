import { describe, expect, test } from 'vitest'
import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { serveHttp, serveUnixSocket, type FetchHandler, type HttpListen } from './serve-http.ts'

const LOOPBACK: HttpListen = { address: '127.0.0.1', port: 0, portsTried: 11, command: 'candor start' }

/** What a site says that shows who asks. */
const sayRights: FetchHandler = (_request, { isOwner, address }) =>
  new Response(isOwner ? `owner ${address}` : `anybody ${address}`)

/** Asks over a socket file. */
function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/' }, (response) => {
      response.setEncoding('utf8').once('data', resolve)
    })
      .once('error', reject)
      .end()
  })
}

describe('serveHttp', () => {
  test('takes the next free port when the one asked for is in use', async () => {
    await using first = await serveHttp(() => new Response('first'), LOOPBACK)
    await using second = await serveHttp(() => new Response('second'), { ...LOOPBACK, port: first.port })
    expect(second.port).toBeGreaterThan(first.port)
    expect(second.port).toBeLessThanOrEqual(first.port + 10)
    expect(await (await fetch(second.url)).text()).toBe('second')
  })

  test('ends streams that are open when it is closed', async () => {
    let isCancelled = false
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Uint8Array.of(1))
      },
      cancel: () => {
        isCancelled = true
      },
    })
    const server = await serveHttp(() => new Response(body), LOOPBACK)
    const reader = (await fetch(server.url)).body?.getReader()
    await reader?.read()
    await server[Symbol.asyncDispose]()
    await expect(reader?.read()).rejects.toThrow('terminated')
    await expect.poll(() => isCancelled).toBe(true)
  })

  test('cancels a stream whose reader went away', async () => {
    let isCancelled = false
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Uint8Array.of(1))
      },
      cancel: () => {
        isCancelled = true
      },
    })
    await using server = await serveHttp(() => new Response(body), LOOPBACK)
    const reader = (await fetch(server.url)).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await expect.poll(() => isCancelled).toBe(true)
  })

  test('says the corrected command when a port cannot be used', async () => {
    await expect(serveHttp(() => new Response(''), { ...LOOPBACK, port: 65_536 })).rejects.toMatchObject({
      name: 'RunError',
    })
  })

  test('tries no other port when one alone is wanted', async () => {
    await using first = await serveHttp(sayRights, LOOPBACK)
    const listen = { ...LOOPBACK, port: first.port, portsTried: 1 }
    await expect(serveHttp(sayRights, listen)).rejects.toThrow(`port ${first.port} of 127.0.0.1 is in use`)
  })

  test('gives nobody rights over TCP', async () => {
    await using server = await serveHttp(sayRights, LOOPBACK)
    expect(await (await fetch(server.url)).text()).toBe('anybody 127.0.0.1')
  })

  test('listens on IPv6', async () => {
    await using server = await serveHttp(sayRights, { ...LOOPBACK, address: '::1' })
    expect(server.url).toBe(`http://[::1]:${server.port}/`)
    expect((await fetch(server.url)).status).toBe(200)
  })
})

describe('serveUnixSocket', () => {
  test('gives rights to whoever can open a file that only its owner can', async () => {
    const path = join(makeTemporaryDirectory(), 'candor.sock')
    await using server = await serveUnixSocket(sayRights, path)
    void server
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await get(path)).toBe('owner undefined')
  })

  test('takes the place of a socket that a killed process left', async () => {
    const path = join(makeTemporaryDirectory(), 'candor.sock')
    const left = createServer()
    await new Promise<void>((resolve) => left.listen({ path }, resolve))
    await using server = await serveUnixSocket(sayRights, path)
    void server
    expect(await get(path)).toBe('owner undefined')
    left.close()
  })

  test('removes no file that is no socket', async () => {
    const path = join(makeTemporaryDirectory(), 'candor.sock')
    await writeFile(path, 'kept')
    await expect(serveUnixSocket(sayRights, path)).rejects.toThrow('is no socket')
  })

  test('refuses a path that the system would cut', async () => {
    await expect(serveUnixSocket(sayRights, `/${'x'.repeat(107)}`)).rejects.toThrow('longer than 107 octets')
  })
})
