/** Circuits and streams against a control port that says what a real Tor says only rarely. */
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/core/log.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { createCircuitTable } from '../../src/tor/circuits.ts'
import { createStreamTable } from '../../src/tor/streams.ts'
import type { Circuit } from '../../src/tor/tor-session.ts'
import { startScriptedTor, until } from './scripted-tor.ts'

const [A, B] = ['A'.repeat(40), 'B'.repeat(40)]

/** A circuit that is open, or was closed. */
function circuit(id: string, isClosed = false): Circuit {
  const controller = new AbortController()
  if (isClosed) controller.abort({ reason: 'DESTROYED', remoteReason: null })
  return { id, path: [A, B], roundTripMs: 1, buildMs: 1, closed: controller.signal }
}

describe('createCircuitTable', () => {
  test('takes events that come before the reply to the command', async () => {
    const events = `650 CIRC 7 LAUNCHED PURPOSE=GENERAL\r\n650 CIRC 7 EXTENDED $${A}~a PURPOSE=GENERAL\r\n650 CIRC 7 BUILT $${A}~a,$${B}~b\r\n`
    await using tor = await startScriptedTor(() => `${events}250 EXTENDED 7\r\n`)
    const table = createCircuitTable(tor.client, nodeClock, 'general')
    const outcome = await table.build([A, B], 5_000)
    expect(outcome).toMatchObject({ kind: 'built', circuit: { id: '7', path: [A, B] } })
    expect(tor.commands).toEqual([`EXTENDCIRCUIT 0 $${A},$${B} purpose=general`])
  })

  test('tells when an open circuit is gone, and why', async () => {
    await using tor = await startScriptedTor(() => `250 EXTENDED 7\r\n650 CIRC 7 BUILT $${A}~a,$${B}~b\r\n`)
    const outcome = await createCircuitTable(tor.client, nodeClock, 'general').build([A, B], 5_000)
    const closed = outcome.kind === 'built' ? outcome.circuit.closed : AbortSignal.abort()
    expect(closed.aborted).toBe(false)
    await tor.send(`650 CIRC 7 CLOSED $${A}~a,$${B}~b REASON=DESTROYED REMOTE_REASON=CHANNEL_CLOSED\r\n`)
    await until(() => closed.aborted)
    expect(closed.reason).toEqual({ reason: 'DESTROYED', remoteReason: 'CHANNEL_CLOSED' })
  })

  test.each([
    ['the first hop', '', { hopsReached: 0, side: 'us' }],
    ['the exit', `650 CIRC 7 EXTENDED $${A}~a\r\n`, { hopsReached: 1, side: 'vantage' }],
  ])('says that %s failed', async (_, events, expected) => {
    const path = events === '' ? '' : ` $${A}~a`
    const end = `650 CIRC 7 FAILED${path} REASON=DESTROYED REMOTE_REASON=CONNECTFAILED\r\n`
    await using tor = await startScriptedTor(() => `250 EXTENDED 7\r\n${events}${end}`)
    const outcome = await createCircuitTable(tor.client, nodeClock, 'general').build([A, B], 5_000)
    expect(outcome).toMatchObject({
      kind: 'failed',
      end: { reason: 'DESTROYED', remoteReason: 'CONNECTFAILED' },
      ...expected,
    })
  })

  test('closes a circuit that is announced after its time', async () => {
    await using tor = await startScriptedTor((line) => (line.startsWith('CLOSE') ? '250 OK\r\n' : undefined))
    const table = createCircuitTable(tor.client, nodeClock, 'general')
    expect(await table.build([A, B], 30)).toMatchObject({ kind: 'failed', end: { reason: 'OUR_TIMEOUT' } })
    await tor.send('250 EXTENDED 9\r\n')
    await until(() => tor.commands.includes('CLOSECIRCUIT 9'))
  })

  test('closes a circuit that is not built in time, and ends at once when asked to', async () => {
    await using tor = await startScriptedTor((line) => (line.startsWith('CLOSE') ? '250 OK\r\n' : '250 EXTENDED 9\r\n'))
    const table = createCircuitTable(tor.client, nodeClock, 'general')
    expect(await table.build([A, B], 100)).toMatchObject({ end: { reason: 'OUR_TIMEOUT' }, hopsReached: 0 })
    await until(() => tor.commands.includes('CLOSECIRCUIT 9'))
    const controller = new AbortController()
    const building = table.build([A, B], 60_000, controller.signal)
    controller.abort()
    expect(await building).toMatchObject({ side: 'us', end: { reason: 'REQUESTED' } })
    expect(await table.build([A, B], 60_000, controller.signal)).toMatchObject({ end: { reason: 'REQUESTED' } })
  })

  test('remembers circuits of others only for a while', async () => {
    await using tor = await startScriptedTor(() => '250 EXTENDED 1\r\n')
    const table = createCircuitTable(tor.client, nodeClock, 'general')
    await tor.send(`650 CIRC 1 BUILT $${A}~a,$${B}~b\r\n`)
    for (let id = 2; id < 2_000; id++) await tor.send(`650 CIRC ${id} BUILT $${A}~a\r\n`)
    // The event of circuit 1 is forgotten by now, so that only the timer ends the wait.
    expect(await table.build([A, B], 200)).toMatchObject({ end: { reason: 'OUR_TIMEOUT' } })
  })
})

describe('createStreamTable', () => {
  const OK = (): string => '250 OK\r\n'

  test('closes a stranger in our own Tor, and lets its directory fetches pass', async () => {
    await using tor = await startScriptedTor(OK)
    createStreamTable(tor.client, nodeClock, silentLog, 'own')
    await tor.send(
      '650 STREAM 1 NEW 0 example.org:80 SOURCE_ADDR=127.0.0.1:1 PURPOSE=USER\r\n' +
        `650 STREAM 2 NEW 0 192.0.2.1.$${A}.exit:1 PURPOSE=DIR_FETCH CLIENT_PROTOCOL=UNKNOWN\r\n` +
        '650 STREAM 3 NEWRESOLVE 0 example.org:0 SOURCE_ADDR=127.0.0.1:2 PURPOSE=DNS_REQUEST CLIENT_PROTOCOL=DNS\r\n',
    )
    await until(() => tor.commands.length === 3)
    expect(tor.commands).toEqual(['CLOSESTREAM 1 1', 'ATTACHSTREAM 2 0', 'CLOSESTREAM 3 1'])
  })

  test('leaves everybody else alone in a shared Tor, and turns the purpose of our circuit for a moment', async () => {
    await using tor = await startScriptedTor(OK)
    const table = createStreamTable(tor.client, nodeClock, silentLog, 'shared')
    const stream = await table.expect({ kind: 'name', target: 'Mine.Example' }, circuit('5'), 5_000)
    await tor.send(
      '650 STREAM 1 NEW 0 example.org:80 PURPOSE=USER\r\n650 STREAM 2 NEWRESOLVE 0 mINE.example:0 PURPOSE=DNS_REQUEST\r\n' +
        '650 STREAM 1 DETACHED 0 example.org:80 REASON=END REMOTE_REASON=MISC\r\n',
    )
    expect(await stream.attached).toMatchObject({ kind: 'attached', streamId: '2' })
    await until(() => tor.commands.length === 5)
    expect(tor.commands).toEqual([
      'ATTACHSTREAM 1 0',
      'SETCIRCUITPURPOSE 5 purpose=general',
      'ATTACHSTREAM 2 5',
      'SETCIRCUITPURPOSE 5 purpose=controller',
      'ATTACHSTREAM 1 0',
    ])
  })

  test('binds by the address of the client, and reports the end that the exit gave', async () => {
    await using tor = await startScriptedTor(OK)
    const table = createStreamTable(tor.client, nodeClock, silentLog, 'own')
    const stream = await table.expect({ kind: 'source', source: '127.0.0.1:4711' }, circuit('5'), 5_000)
    await tor.send('650 STREAM 8 NEW 0 example.org:80 SOURCE_ADDR=127.0.0.1:4711 PURPOSE=USER\r\n')
    expect(await stream.attached).toMatchObject({ kind: 'attached' })
    await tor.send('650 STREAM 8 CLOSED 5 example.org:80 REASON=END REMOTE_REASON=CONNECTREFUSED\r\n')
    expect(await stream.ended).toBe('CONNECTREFUSED')
  })

  test('closes a stream that Tor takes off its circuit', async () => {
    await using tor = await startScriptedTor(OK)
    const table = createStreamTable(tor.client, nodeClock, silentLog, 'own')
    const stream = await table.expect({ kind: 'name', target: 'a.example' }, circuit('5'), 5_000)
    await tor.send('650 STREAM 8 NEWRESOLVE 0 a.example:0\r\n')
    await stream.attached
    await tor.send('650 STREAM 8 DETACHED 5 a.example:0 REASON=TIMEOUT\r\n')
    expect(await stream.ended).toBe('DETACHED_TIMEOUT')
    await until(() => tor.commands.includes('CLOSESTREAM 8 1'))
  })

  test.each([
    ['Tor refuses', circuit('5'), '552 Unknown circuit\r\n', 'CONTROL_552'],
    ['the circuit is gone', circuit('5', true), '250 OK\r\n', 'CIRCUIT_CLOSED'],
  ])('closes a stream when %s', async (_, onCircuit, reply, reason) => {
    await using tor = await startScriptedTor((line) => (line.startsWith('ATTACH') ? reply : '250 OK\r\n'))
    const table = createStreamTable(tor.client, nodeClock, silentLog, 'own')
    const stream = await table.expect({ kind: 'name', target: 'a.example' }, onCircuit, 5_000)
    await tor.send('650 STREAM 8 NEWRESOLVE 0 a.example:0\r\n')
    expect(await stream.attached).toEqual({ kind: 'failed', reason })
    await until(() => tor.commands.includes('CLOSESTREAM 8 1'))
    stream.release()
  })

  test('says that Tor is gone to everybody who waits or comes later', async () => {
    await using tor = await startScriptedTor(OK)
    const table = createStreamTable(tor.client, nodeClock, silentLog, 'own')
    const key = { kind: 'name', target: 'a.example' } as const
    const holder = await table.expect(key, circuit('5'), 60_000)
    const waiting = table.expect(key, circuit('5'), 60_000)
    tor.hangUp()
    expect(await holder.attached).toEqual({ kind: 'failed', reason: 'TOR_GONE' })
    expect(await (await waiting).attached).toEqual({ kind: 'failed', reason: 'TOR_GONE' })
    expect(await (await table.expect(key, circuit('5'), 60_000)).attached).toEqual({
      kind: 'failed',
      reason: 'TOR_GONE',
    })
  })
})
