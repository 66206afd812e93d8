import { describe, expect, test } from 'vitest'
import { startScriptedTor, until } from './scripted-tor.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { startHeartbeat } from '../../src/tor/control-heartbeat.ts'

describe('startHeartbeat', () => {
  test('lets a Tor live that answers, and gives up one that stops to', async () => {
    let isAlive = true
    await using tor = await startScriptedTor(() => (isAlive ? '250 OK\r\n' : undefined))
    startHeartbeat(tor.client, nodeClock, { intervalMs: 5, silenceMsMax: 1_000 })
    await until(() => tor.commands.length > 5)
    expect(tor.client.gone.aborted).toBe(false)
    isAlive = false
    await until(() => tor.client.gone.aborted)
    expect(tor.client.gone.reason).toMatchObject({ message: 'Tor has not answered for 1 s' })
  })
})
