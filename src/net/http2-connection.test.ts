/** HTTP/2 against servers that send whatever they like. The transport tests have real ones. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeClock } from '../platform/node-clock.ts'
import { startHttp2, type Http2Connection } from './http2-connection.ts'
import { putFrame } from './http2-frame.ts'
import type { Connection } from './net.ts'

const NOWHERE = { address: '', port: 0 }

/** A connection from which `chunks` are read, one after the other, and then the end. */
function connectionOf(chunks: readonly Uint8Array[]): Connection & { writtenOctets: number } {
  const left = [...chunks]
  let isClosed = false
  const connection = {
    local: NOWHERE,
    remote: NOWHERE,
    writtenOctets: 0,
    read: () => Promise.resolve(isClosed ? undefined : left.shift()),
    write: (octets: Uint8Array) => {
      connection.writtenOctets += octets.length
      return Promise.resolve()
    },
    finish: () => {},
    close: () => {
      isClosed = true
    },
  }
  return connection
}

/** Starts requests and waits for the end of all of them. */
async function outcomesOf(http2: Http2Connection, count: number): Promise<readonly string[]> {
  const outcomes = Array.from(
    { length: count },
    () =>
      new Promise<string>((resolve) => {
        http2.start(
          { headers: Uint8Array.of(0x82), body: new Uint8Array(40), bodyOctetsMax: 100 },
          {
            onSent: () => {},
            onResponse: () => {
              resolve('response')
            },
            onFailure: resolve,
            onReturned: () => {
              resolve('returned')
            },
          },
        )
      }),
  )
  return await Promise.all(outcomes)
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const octets = new Uint8Array(9 + payload.length)
  putFrame(octets, 0, { length: payload.length, type, flags, stream }, payload)
  return octets
}

const anyFrame = fc
  .tuple(
    fc.integer({ min: 0, max: 10 }),
    fc.constantFrom(0, 1, 4, 5, 8, 9, 13, 0x25, 255),
    fc.constantFrom(0, 1, 2, 3, 5, 99),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(Uint8Array.of(0x88), new Uint8Array(4), new Uint8Array(6)),
    ),
  )
  .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload))

describe('startHttp2', () => {
  test('ends every request once, whatever the frames', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(anyFrame, fc.uint8Array({ maxLength: 30 })), { maxLength: 40 }),
        async (chunks) => {
          const connection = connectionOf(chunks)
          const http2 = startHttp2(connection, nodeClock, 1_000)
          expect(await outcomesOf(http2, 4)).toHaveLength(4)
          http2.end('interrupted')
          expect(http2.ended).toBe(true)
        },
      ),
    )
  })

  test('reads a response that comes octet by octet', async () => {
    const response = [
      frame(4, 0, 0, new Uint8Array(0)),
      frame(1, 4, 1, Uint8Array.of(0x88)),
      frame(0, 1, 1, new Uint8Array(20)),
    ]
    const octets = response.flatMap((part) => [...part]).map((octet) => Uint8Array.of(octet))
    const http2 = startHttp2(connectionOf(octets), nodeClock, 1_000)
    expect(await outcomesOf(http2, 1)).toEqual(['response'])
    http2.end('interrupted')
  })

  test('leaves a server that makes it answer without end and reads nothing', async () => {
    const pings = Array.from({ length: 400 }, () =>
      Uint8Array.from(Array.from({ length: 1000 }, () => [...frame(6, 0, 0, new Uint8Array(8))]).flat()),
    )
    const connection = connectionOf(pings)
    const stuck = { ...connection, write: () => new Promise<void>(() => {}) }
    expect(await outcomesOf(startHttp2(stuck, nodeClock, 1_000), 1)).toEqual(['http_protocol_error'])
  })
})
