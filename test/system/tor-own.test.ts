/** Our own Tor in a private network: circuits, streams, what happens to them when relays freeze and Tor dies. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/core/config-error.ts'
import { readText } from '../../src/core/files.ts'
import type { RunningProcess } from '../../src/core/process-runner.ts'
import { NetError } from '../../src/net/net.ts'
import { connectSocks5, resolveSocks5 } from '../../src/net/socks5-client.ts'
import { openOwnTor } from '../../src/tor/own-tor.ts'
import type { TorSession } from '../../src/tor/tor-session.ts'
import { askA, hasTor, machine, readGreeting, requireCircuit, startTorWorld, type TorWorld } from './tor-fixture.ts'

function open(world: TorWorld, name: string): Promise<TorSession> {
  return openOwnTor(machine, {
    directory: join(world.directory, name),
    torPath: null,
    rejectInternalAddresses: false,
    appendedLines: world.clientLines,
    bootstrapTimeoutMs: 60_000,
  })
}

async function readTorPid(directory: string): Promise<number> {
  const record = await readText(machine.files, join(directory, 'tor-process.json'), 10_000)
  return (JSON.parse(record) as { pid: number }).pid
}

describe.skipIf(!hasTor)('openOwnTor (needs tor and tor-gencert: apt-get install tor)', () => {
  let world: TorWorld
  let session: TorSession
  const fingerprint = (nickname: string): string => world.network.relay(nickname).fingerprint
  const exits = (): readonly string[] => ['exit1', 'exit2', 'exit3'].map(fingerprint)
  const unique = (): string => `n${Math.round(performance.now() * 1000)}.example`

  beforeAll(async () => {
    world = await startTorWorld(11)
    session = await open(world, 'own')
  })
  afterAll(async () => {
    await session[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  test('sees every relay with its policy', () => {
    const { relays, validAfter } = session.network()
    expect(relays.size).toBe(8)
    expect(validAfter).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/)
    expect(relays.get(fingerprint('exit2'))).toMatchObject({ nickname: 'exit2', exitsToIpv4: true, exitsToIpv6: true })
    expect(relays.get(fingerprint('exit1'))).toMatchObject({ exitsToIpv4: true, exitsToIpv6: false })
    expect(relays.get(fingerprint('middle1'))).toMatchObject({ exitsToIpv4: false, exitsToIpv6: false })
    expect(relays.get(fingerprint('exit1'))?.platform).toMatch(/^Tor 0\./)
  })

  test('brings each of 100 concurrent DNS questions to its exit', async () => {
    const circuits = await Promise.all(exits().map((exit) => requireCircuit(session, [fingerprint('middle1'), exit])))
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const circuit = circuits[i % circuits.length]!
        const name = `Q${i}-${unique()}`
        const stream = await session.expectStream(name, circuit, 10_000)
        const answer = await askA(session.dnsPort, name, 10_000)
        const attached = await stream.attached
        const ended = await stream.ended
        stream.release()
        return answer?.address === world.addressOf(circuit.path[1]!) && attached.kind === 'attached' && ended === 'DONE'
      }),
    )
    expect(answers.filter((isRight) => isRight)).toHaveLength(100)
  })

  test('brings each of 100 concurrent connections to one host and port to its exit', async () => {
    const circuits = await Promise.all(exits().map((exit) => requireCircuit(session, [fingerprint('middle2'), exit])))
    const host = unique()
    const greetings = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const circuit = circuits[i % circuits.length]!
        const connection = await session.connectThrough(circuit, host, world.port, 20_000)
        const greeting = await readGreeting(connection)
        connection.close()
        return greeting === world.addressOf(circuit.path[1]!)
      }),
    )
    expect(greetings.filter((isRight) => isRight)).toHaveLength(100)
  })

  test('closes a stream that nobody announced', async () => {
    const answer = await askA(session.dnsPort, unique(), 5_000)
    expect(answer?.address).toBeUndefined()
  })

  test('keeps one announcement per name at a time, and bounds the wait', async () => {
    const circuit = await requireCircuit(session, [fingerprint('middle1'), fingerprint('exit1')])
    const name = unique()
    const first = await session.expectStream(name, circuit, 10_000)
    const late = await session.expectStream(name.toUpperCase(), circuit, 50)
    expect(await late.attached).toEqual({ kind: 'failed', reason: 'NAME_BUSY' })
    const waiting = session.expectStream(name, circuit, 10_000)
    first.release()
    expect(await first.attached).toEqual({ kind: 'failed', reason: 'RELEASED' })
    const second = await waiting
    await askA(session.dnsPort, name, 10_000)
    expect(await second.attached).toMatchObject({ kind: 'attached' })
    second.release()
  })

  test('says that a stream never came', async () => {
    const circuit = await requireCircuit(session, [fingerprint('middle1'), fingerprint('exit1')])
    const stream = await session.expectStream(unique(), circuit, 100)
    expect(await stream.attached).toEqual({ kind: 'failed', reason: 'STREAM_NOT_SEEN' })
    expect(await stream.ended).toBe('STREAM_NOT_SEEN')
    stream.release()
  })

  test('refuses a circuit through an unknown relay without blaming it', async () => {
    const outcome = await session.buildCircuit([fingerprint('middle1'), 'A'.repeat(40)], 5_000)
    expect(outcome).toMatchObject({ kind: 'failed', side: 'us', hopsReached: 0, end: { reason: 'CONTROL_552' } })
  })

  test('ends the wait for a frozen first hop and for a frozen exit, and says how far it came', async () => {
    const middle = world.network.relay('middle2')
    await middle.freeze()
    const first = await session.buildCircuit([middle.fingerprint, fingerprint('exit1')], 1_500)
    await middle.thaw()
    expect(first).toMatchObject({ kind: 'failed', hopsReached: 0, side: 'us', end: { reason: 'OUR_TIMEOUT' } })
    const exit = world.network.relay('exit3')
    await exit.freeze()
    const last = await session.buildCircuit([fingerprint('middle1'), exit.fingerprint], 1_500)
    await exit.thaw()
    expect(last).toMatchObject({ kind: 'failed', hopsReached: 1, side: 'vantage', end: { reason: 'OUR_TIMEOUT' } })
  })

  test('gives an external program a port that leads through one circuit and dies with it', async () => {
    const circuit = await requireCircuit(session, [fingerprint('middle1'), fingerprint('exit2')])
    const port = await session.openSocksPort(circuit)
    const proxy = port.endpoint
    const request = { proxy, host: unique(), port: world.port, timeoutMs: 10_000 }
    const connected = await connectSocks5(machine.net, machine.clock, request)
    if (connected.kind !== 'connected') throw new Error(JSON.stringify(connected))
    expect(await readGreeting(connected.connection)).toBe(world.addressOf(fingerprint('exit2')))
    const resolved = await resolveSocks5(machine.net, machine.clock, { ...request, host: unique() })
    expect(resolved).toMatchObject({ kind: 'resolved', address: world.addressOf(fingerprint('exit2')) })

    await session.closeCircuit(circuit)
    expect(await connected.connection.read().catch(() => undefined)).toBeUndefined()
    expect(circuit.closed.aborted).toBe(true)
    const refused = await connectSocks5(machine.net, machine.clock, request)
    expect(refused).toMatchObject({ kind: 'failure' })
    await expect(session.connectThrough(circuit, unique(), world.port, 5_000)).rejects.toThrow(NetError)
    await port.close()
  })

  test('ends every wait when Tor is killed, and leaves no process', async () => {
    const doomed = await open(world, 'doomed')
    const torPid = await readTorPid(join(world.directory, 'doomed'))
    const circuit = await requireCircuit(doomed, [fingerprint('middle1'), fingerprint('exit1')])
    const middle = world.network.relay('middle2')
    await middle.freeze()
    const building = doomed.buildCircuit([middle.fingerprint, fingerprint('exit1')], 60_000)
    const stream = await doomed.expectStream(unique(), circuit, 60_000)
    machine.processes.kill(torPid, 'SIGKILL')
    expect(await building).toMatchObject({ kind: 'failed', side: 'us', end: { reason: 'TOR_GONE' } })
    expect(await stream.attached).toEqual({ kind: 'failed', reason: 'TOR_GONE' })
    expect(circuit.closed.reason).toEqual({ reason: 'TOR_GONE', remoteReason: null })
    expect(doomed.gone.aborted).toBe(true)
    await middle.thaw()
    await doomed[Symbol.asyncDispose]()
    expect(await machine.processes.commandLine(torPid)).toBeUndefined()
  })

  /** Starts a run in a process of its own. */
  const startRun = async (directory: string): Promise<{ run: RunningProcess; torPid: number }> => {
    const isOpen = Promise.withResolvers<void>()
    const script = join(import.meta.dirname, 'tor-own-run.ts')
    const run = await machine.processes.start(
      process.execPath,
      [script, directory, JSON.stringify(world.clientLines)],
      {
        onLine: (line, stream) => {
          if (line === 'open') isOpen.resolve()
          else if (stream === 'stderr') isOpen.reject(new Error(line))
        },
      },
    )
    await isOpen.promise
    return { run, torPid: await readTorPid(directory) }
  }

  test('ends with the process that owns it, also after kill −9', async () => {
    const { run, torPid } = await startRun(join(world.directory, 'killed'))
    run.kill('SIGKILL')
    await run.exited
    for (let i = 0; i < 50 && (await machine.processes.commandLine(torPid)) !== undefined; i++) await sleep(100)
    expect(await machine.processes.commandLine(torPid)).toBeUndefined()
  })

  test('refuses a directory in use, and ends what a killed run left behind', async () => {
    const directory = join(world.directory, 'left')
    const { run, torPid } = await startRun(directory)
    await expect(open(world, 'left')).rejects.toThrow(/belongs to a run that is still going on/)
    // A stopped Tor cannot notice that its owner is gone.
    machine.processes.kill(torPid, 'SIGSTOP')
    run.kill('SIGKILL')
    await run.exited
    expect(await machine.processes.commandLine(torPid)).toBeDefined()
    const next = await open(world, 'left')
    expect(await machine.processes.commandLine(torPid)).toBeUndefined()
    await next[Symbol.asyncDispose]()
    expect(await machine.files.info(join(directory, 'tor-process.json'))).toBeUndefined()
  })

  test('keeps its files to itself', async () => {
    const directory = join(world.directory, 'own')
    expect((await machine.files.info(directory))?.mode).toBe(0o700)
    for (const name of ['torrc', 'tor-process.json', 'control-cookie']) {
      expect(((await machine.files.info(join(directory, name)))?.mode ?? 0o777) & 0o077).toBe(0)
    }
    const cookie = await machine.files.read(join(directory, 'control-cookie'), 32)
    const hex = Buffer.from(cookie).toString('hex')
    const commandLine = await machine.processes.commandLine(await readTorPid(directory))
    expect(commandLine?.join(' ').toLowerCase()).not.toContain(hex)
  })

  test('sees a relay leave the network', async () => {
    const gone = fingerprint('exit3')
    await world.network.expel('exit3')
    for (let i = 0; i < 240 && session.network().relays.has(gone); i++) await sleep(500)
    expect(session.network().relays.has(gone)).toBe(false)
  })

  test('ends the wait for a network that cannot be reached, with the last words of Tor', async () => {
    const dead = world.clientLines.map((line) => line.replace(/orport=\d+/, 'orport=1').replace(/:\d+ /, ':1 '))
    const opening = openOwnTor(machine, {
      directory: join(world.directory, 'unreachable'),
      torPath: null,
      rejectInternalAddresses: true,
      appendedLines: dead,
      bootstrapTimeoutMs: 2_000,
    })
    await expect(opening).rejects.toThrow(/^Tor reached \d+ % .* within 2 s and no more$/)
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining("Tor's last lines:") as string })
  })

  test('names a line that Tor refuses', async () => {
    const opening = openOwnTor(machine, {
      directory: join(world.directory, 'refused'),
      torPath: null,
      rejectInternalAddresses: true,
      appendedLines: ['NoSuchOption 1'],
      bootstrapTimeoutMs: 5_000,
    })
    await expect(opening).rejects.toThrow(ConfigError)
    await expect(opening).rejects.toThrow(/NoSuchOption/)
  })
})

describe('openOwnTor', () => {
  test('says what to install when there is no tor', async () => {
    const opening = openOwnTor(machine, {
      directory: '/nonexistent/never-created',
      torPath: '/nonexistent/tor',
      rejectInternalAddresses: true,
      appendedLines: [],
      bootstrapTimeoutMs: 1_000,
    })
    await expect(opening).rejects.toThrow(ConfigError)
    await expect(opening).rejects.toMatchObject({ hint: expect.stringContaining('apt-get install tor') as string })
  })
})
