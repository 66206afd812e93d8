import { describe, expect, test } from 'vitest'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeNet } from '../platform/node-net.ts'
import { startDelayingForwarder } from './delaying-forwarder.ts'
import { startPageServers } from './page-servers.ts'

const DELAY_MS = 150

describe('startDelayingForwarder', () => {
  test('holds back what comes back, in order and complete', async () => {
    const pages = await startPageServers(nodeNet, '127.9.6.80')
    const forwarder = await startDelayingForwarder(
      { net: nodeNet, clock: nodeClock },
      { listen: { address: '127.9.6.1', port: 0 }, target: pages.echo, delayMs: DELAY_MS },
    )
    const connection = await nodeNet.connectTcp(forwarder.endpoint, 1_000)
    const sent = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251)
    const startedAtMs = nodeClock.nowMs()
    await connection.write(sent)
    const received: number[] = []
    let firstAfterMs: number | undefined
    while (received.length < sent.length) {
      const octets = await connection.read()
      firstAfterMs ??= nodeClock.nowMs() - startedAtMs
      if (octets === undefined) break
      received.push(...octets)
    }
    expect(Uint8Array.from(received)).toEqual(sent)
    expect(firstAfterMs).toBeGreaterThanOrEqual(DELAY_MS)
    connection.close()
    await forwarder.close()
    await pages.close()
  })

  test('closes the connection when nobody listens behind it', async () => {
    const pages = await startPageServers(nodeNet, '127.9.6.81')
    await pages.close()
    const forwarder = await startDelayingForwarder(
      { net: nodeNet, clock: nodeClock },
      { listen: { address: '127.9.6.2', port: 0 }, target: pages.echo, delayMs: DELAY_MS },
    )
    const connection = await nodeNet.connectTcp(forwarder.endpoint, 1_000)
    expect(await connection.read()).toBeUndefined()
    connection.close()
    await forwarder.close()
  })
})
