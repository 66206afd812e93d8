import { describe, expect, test } from 'vitest'
import { serveHttp } from './serve-http.ts'

describe('serveHttp', () => {
  test('takes the next free port when the one asked for is in use', async () => {
    await using first = await serveHttp(() => new Response('first'), 0)
    await using second = await serveHttp(() => new Response('second'), first.port)
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
    const server = await serveHttp(() => new Response(body), 0)
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
    await using server = await serveHttp(() => new Response(body), 0)
    const reader = (await fetch(server.url)).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await expect.poll(() => isCancelled).toBe(true)
  })

  test('says the corrected command when a port cannot be used', async () => {
    await expect(serveHttp(() => new Response(''), 65_536)).rejects.toMatchObject({ name: 'RunError' })
  })
})
