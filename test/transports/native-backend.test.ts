import { spawnSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { array, assert, boolean, constantFrom, float64Array, int32Array, integer, oneof, property } from 'fast-check'
import type { BulkBackend, BulkBatch, BulkResolver } from '../../src/net/bulk-backend.ts'
import { createDgramBackend } from '../../src/platform/dgram-backend.ts'
import { createNativeBackend } from '../../src/platform/native-backend.ts'
import {
  loadNativeAddon,
  NATIVE_COUNTERS,
  type NativeAddon,
  type NativeSockets,
} from '../../src/platform/native-sockets.ts'
import { HOME } from '../tidy/source-tree.ts'

const build = spawnSync(process.execPath, [join(HOME, 'scripts/build-native.mjs')], { encoding: 'utf8' })
const addon = loadNativeAddon() as NativeAddon
if (addon === undefined) process.stderr.write(`the native sockets are not tested: ${build.stderr}`)

const hasIpv6 = await isBindable('::1')

async function isBindable(address: string): Promise<boolean> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  try {
    socket.bind(0, address)
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}

interface EchoServer extends AsyncDisposable {
  readonly resolver: BulkResolver
  readonly socket: Socket
  /** How many datagrams were answered. */
  readonly answered: () => number
}

/** Sends back what comes, with an octet in front. */
async function startEcho(address: string, from?: Socket): Promise<EchoServer> {
  let answered = 0
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 })
  socket.on('message', (octets, peer) => {
    const answer = Uint8Array.of(0xee, ...octets)
    ;(from ?? socket).send(answer, peer.port, peer.address, () => answered++)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  return {
    resolver: { address, port: socket.address().port, isPaced: false },
    socket,
    answered: () => answered,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** A batch of datagrams: the i-th has `sizes[i]` octets of i and goes to resolver `to[i]`. */
function createBatch(sizes: readonly number[], to: readonly number[]): BulkBatch {
  const wire = new Uint8Array(sizes.length * 64)
  const entries = Int32Array.from(sizes.flatMap((size, i) => [i * 64, size, to[i] as number]))
  for (const [i, size] of sizes.entries()) wire.fill(i, i * 64, i * 64 + size)
  return { wire, entries, strideOctets: 64 }
}

/** Sends the batch and drives the backend until as many datagrams came. */
async function exchange(backend: BulkBackend, count: number, expected: number): Promise<readonly string[]> {
  const heard: string[] = []
  const startedAtMs = backend.nowMs()
  let left = count
  await backend.run({
    step: (nowMs) => {
      if (left > 0) left -= backend.send(left)
      return heard.length >= expected || nowMs - startedAtMs > 10_000 ? -1 : 4
    },
    accept: (octets, at, size, resolver, atMs) => {
      expect(atMs).toBeGreaterThanOrEqual(startedAtMs)
      expect(atMs).toBeLessThanOrEqual(backend.nowMs())
      heard.push(`${resolver}: ${octets.subarray(at, at + size).join(' ')}`)
    },
  })
  backend.close()
  return heard.toSorted()
}

/** What stands before an IPv4 address in IPv6. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

function openAddon(resolvers: readonly (readonly number[])[], isSegmented = false): NativeSockets {
  const octets = resolvers.flatMap(([a, b, c, d, port]) => [
    ...MAPPED,
    ...([a, b, c, d, (port as number) >> 8, (port as number) & 0xff] as number[]),
  ])
  const sockets = addon.open(Uint8Array.from(octets), 2, 65_536, isSegmented)
  if (typeof sockets === 'number') throw new Error(`errno ${sockets}`)
  return sockets
}

function readStats(sockets: NativeSockets): Record<string, number> {
  const counters = new Float64Array(NATIVE_COUNTERS.length)
  addon.stats(sockets, counters)
  return Object.fromEntries(NATIVE_COUNTERS.map((name, place) => [name, counters[place] as number]))
}

describe.skipIf(addon === undefined)('createNativeBackend', () => {
  test('carries the same datagrams as the sockets of Node, in runs too', async () => {
    await using first = await startEcho('127.0.0.1')
    await using second = await startEcho(hasIpv6 ? '::1' : '127.0.0.1')
    const resolvers = [first.resolver, second.resolver]
    // Runs of 1 to 40, with a shorter one at some ends, so that some can be joined and some cannot.
    const to = Array.from({ length: 200 }, (_, i) => (i < 3 || (i > 20 && i < 61) || i % 50 > 25 ? 0 : 1))
    const sizes = to.map((_, i) => (i % 17 === 16 ? 20 : i % 37 === 0 ? 50 : 40))
    const batch = createBatch(sizes, to)
    const options = { resolvers, batch, hearsStrangers: true }
    const expected = to.map(
      (resolver, i) => `${resolver}: ${[0xee, ...Array<number>(sizes[i] as number).fill(i)].join(' ')}`,
    )
    const dgram = await exchange(await createDgramBackend(options), to.length, to.length)
    expect(dgram).toEqual(expected.toSorted())
    for (const segmented of [false, true]) {
      const native = createNativeBackend({ ...options, segmented }) as BulkBackend
      expect(await exchange(native, to.length, to.length)).toEqual(dgram)
    }
  })
  test('hands over what strangers send, as theirs', async () => {
    const stranger = createSocket('udp4')
    await using server = await startEcho('127.0.0.1', stranger)
    const options = { resolvers: [server.resolver], batch: createBatch([12, 12], [0, 0]), hearsStrangers: true }
    const native = createNativeBackend({ ...options, segmented: false }) as BulkBackend
    const heard = await exchange(native, 2, 2)
    stranger.close()
    expect(heard.map((text) => text.slice(0, 2))).toEqual(['-1', '-1'])
  })
  test('hands over long datagrams whole, among short ones', async () => {
    await using server = await startEcho('127.0.0.1')
    const sizes = [20, 3_000, 575, 576, 40_000, 30]
    const wire = new Uint8Array(sizes.length * 40_000).map((_, at) => at % 251)
    const entries = Int32Array.from(sizes.flatMap((size, i) => [i * 40_000, size, 0]))
    const batch = { wire, entries, strideOctets: 40_000 }
    const options = { resolvers: [server.resolver], batch, hearsStrangers: true }
    const dgram = await exchange(await createDgramBackend(options), sizes.length, sizes.length)
    const native = createNativeBackend({ ...options, segmented: false }) as BulkBackend
    expect(await exchange(native, sizes.length, sizes.length)).toEqual(dgram)
    expect(dgram).toHaveLength(sizes.length)
  })
  test('ends when it is closed while it waits', async () => {
    const resolvers = [{ address: '127.0.0.1', port: 9, isPaced: false }]
    const batch = createBatch([1], [0])
    const native = createNativeBackend({ resolvers, batch, hearsStrangers: false, segmented: false }) as BulkBackend
    let steps = 0
    const running = native.run({ step: () => (++steps, 50), accept: () => {} })
    setTimeout(() => {
      native.close()
    }, 60)
    await running
    expect(steps).toBeGreaterThan(0)
    expect(() => native.send(1)).toThrow(RangeError)
  })
})

describe.skipIf(addon === undefined)('loadNativeAddon', () => {
  test('goes on behind an address that the system refuses', async () => {
    await using server = await startEcho('127.0.0.1')
    // Without SO_BROADCAST the kernel refuses the second address itself: nothing leaves this machine.
    const sockets = openAddon(
      [
        [127, 0, 0, 1, server.resolver.port],
        [255, 255, 255, 255, 9],
      ],
      true,
    )
    const to = [1, 0, 0, 1, ...Array<number>(8).fill(1), 0]
    const { wire, entries } = createBatch(
      to.map(() => 30),
      to,
    )
    expect(addon.send(sockets, wire, entries, to.length)).toBe(to.length)
    await expect.poll(server.answered).toBe(3)
    expect(readStats(sockets)).toMatchObject({ sockets: 2, sent: to.length, received: 0 })
    expect(readStats(sockets)['send_errors']).toBeGreaterThan(0)
    addon.close(sockets)
  })
  test('cuts off what is longer than its place, says so, and knows how long it has been here', async () => {
    await using server = await startEcho('127.0.0.1')
    const sockets = openAddon([[127, 0, 0, 1, server.resolver.port]])
    const { wire, entries } = createBatch([7, 50, 60], [0, 0, 0])
    const sentAtMs = performance.now()
    expect(addon.send(sockets, wire, entries, 3)).toBe(3)
    await expect.poll(server.answered).toBe(3)
    const answeredAtMs = performance.now()
    while (performance.now() < answeredAtMs + 30);
    expect(addon.wait(sockets, 100, 0)).toBe(1)
    const octets = new Uint8Array(40).fill(0xaa)
    const [heads, agesMs] = [new Int32Array(9), new Float64Array(3)]
    expect(addon.receive(sockets, octets, 16, heads, agesMs)).toBe(2)
    // 16 octets for each of two, and 4 of the rest.
    expect([...heads]).toEqual([8, 0, 0, 20, 0, 1, 0, 0, 0])
    expect([...octets.subarray(0, 9)]).toEqual([0xee, 0, 0, 0, 0, 0, 0, 0, 0xaa])
    expect([...octets.subarray(16, 32)]).toEqual([0xee, ...Array<number>(15).fill(1)])
    expect([...octets.subarray(32)]).toEqual([0xaa, 0xaa, 0xaa, 0xaa, 1, 1, 1, 1])
    expect(agesMs[0]).toBeGreaterThan(29)
    expect(agesMs[0]).toBeLessThan(performance.now() - sentAtMs + 1)
    expect(addon.receive(sockets, octets, 16, heads, agesMs)).toBe(1)
    expect(addon.receive(sockets, octets, 16, heads, agesMs)).toBe(0)
    expect(readStats(sockets)).toMatchObject({ received: 3, cut_off: 2 })
    addon.close(sockets)
  })
  test('throws on entries that point outside, and sends nothing of them', () => {
    const sockets = openAddon([[127, 0, 0, 1, 9]])
    const wire = new Uint8Array(64)
    for (const entry of [
      [60, 5, 0],
      [-1, 5, 0],
      [0, 0, 0],
      [0, -5, 0],
      [0x7fff_ffff, 0x7fff_ffff, 0],
      [0, 5, 1],
      [0, 5, -1],
    ])
      expect(() => addon.send(sockets, wire, Int32Array.from([0, 5, 0, ...entry]), 2)).toThrow(RangeError)
    expect(() => addon.send(sockets, wire, Int32Array.of(0, 5, 0), 2)).toThrow(RangeError)
    expect(() => addon.send(sockets, wire, new Int32Array(3 * 300), 300)).toThrow(RangeError)
    const detached = new Uint8Array(64)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    expect(() => addon.send(sockets, detached, Int32Array.of(0, 5, 0), 1)).toThrow(RangeError)
    expect(() => addon.receive(sockets, detached, 16, new Int32Array(9), new Float64Array(3))).toThrow(RangeError)
    expect(readStats(sockets)).toMatchObject({ sent: 0 })
    addon.close(sockets)
    addon.close(sockets)
  })
  test('throws or answers, whatever it is called with', () => {
    const sockets = openAddon([[127, 0, 0, 1, 9]])
    const anything = oneof(
      constantFrom<unknown>(
        sockets,
        undefined,
        null,
        {},
        [],
        'text',
        true,
        1n,
        Symbol('x'),
        new DataView(new ArrayBuffer(8)),
      ),
      constantFrom<unknown>(0, -1, 0.5, 1, 3, 256, 2 ** 31, 2 ** 32, Number.NaN, -Infinity, Number.MAX_VALUE),
      integer({ min: 0, max: 64 }).map((length) => new Uint8Array(length)),
      int32Array({ maxLength: 12 }),
      float64Array({ maxLength: 4 }),
      integer({ min: 0, max: 8 }).map((length) => new Uint8Array(new SharedArrayBuffer(length))),
    )
    const names = ['open', 'send', 'receive', 'stats'] as const
    assert(
      property(constantFrom(...names), boolean(), array(anything, { maxLength: 6 }), (name, isOurs, rest) => {
        const call = addon[name] as (...values: readonly unknown[]) => unknown
        try {
          call(...(isOurs ? [sockets] : []), ...rest)
          return true
        } catch (error) {
          return error instanceof TypeError || error instanceof RangeError
        }
      }),
      { numRuns: 2_000 },
    )
    addon.close(sockets)
  })
})
