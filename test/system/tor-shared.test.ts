/** A Tor that somebody uses: its user notices nothing, during a run, after it, and after a kill −9 of it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningProcess } from '../../src/core/process-runner.ts'
import type { Connection, Endpoint } from '../../src/net/net.ts'
import { connectSocks5 } from '../../src/net/socks5-client.ts'
import { connectControl, type ControlAddress } from '../../src/tor/control-address.ts'
import { authenticate, readProtocolInfo } from '../../src/tor/control-auth.ts'
import type { ControlClient } from '../../src/tor/control-client.ts'
import { readOption, sharedTorRecordPath } from '../../src/tor/shared-options.ts'
import { openSharedTor, WATCHDOG_PASSWORD_VARIABLE } from '../../src/tor/shared-tor.ts'
import type { TorSession } from '../../src/tor/tor-session.ts'
import { askA, hasTor, machine, readGreeting, requireCircuit, startTorWorld, type TorWorld } from './tor-fixture.ts'

const WATCHDOG: readonly string[] = [join(import.meta.dirname, '../../bin/candor'), 'tor-watchdog']
const OPTIONS: readonly string[] = ['__LeaveStreamsUnattached', 'DNSPort', 'ClientDNSRejectInternalAddresses']

interface UsersTor {
  readonly process: RunningProcess
  readonly control: ControlAddress
  readonly socks: Endpoint
  readonly client: ControlClient
}

/** A Tor as a user has it: microdescriptors, predicted circuits, a SocksPort, no DNSPort. */
async function startUsersTor(world: TorWorld): Promise<UsersTor> {
  const directory = join(world.directory, 'user')
  await mkdir(join(directory, 'data'), { recursive: true, mode: 0o700 })
  const lines = [
    `DataDirectory ${directory}/data`,
    `ControlPort unix:${directory}/control`,
    'CookieAuthentication 1',
    `__OwningControllerProcess ${machine.processes.pid}`,
    'SocksPort 127.0.0.1:auto',
    ...world.clientLines,
  ]
  await machine.files.writeAtomic(join(directory, 'torrc'), `${lines.join('\n')}\n`, 0o600)
  const running = await machine.processes.start('tor', ['-f', join(directory, 'torrc')], { onLine: () => {} })
  const control: ControlAddress = { kind: 'unix', path: `${directory}/control` }
  let client: ControlClient | undefined
  for (let i = 0; i < 200 && client === undefined; i++) {
    await sleep(100)
    client = await connectControl(machine.net, machine.clock, control).catch(() => undefined)
  }
  if (client === undefined) throw new Error('no control port')
  await authenticate(client, machine.files, await readProtocolInfo(client), null)
  for (let i = 0; i < 300; i++) {
    const { lines: reply } = await client.expectOk('GETINFO status/bootstrap-phase')
    if (reply[0]?.text.includes('PROGRESS=100') === true) break
    await sleep(100)
  }
  const { lines: listeners } = await client.expectOk('GETINFO net/listeners/socks')
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(listeners[0]?.text ?? '')?.[1])
  return { process: running, control, client, socks: { address: '127.0.0.1', port } }
}

describe.skipIf(!hasTor)('openSharedTor (needs tor and tor-gencert: apt-get install tor)', () => {
  let world: TorWorld
  let user: UsersTor
  let before: readonly (readonly string[] | null)[]
  const fingerprint = (nickname: string): string => world.network.relay(nickname).fingerprint
  const stateDirectory = (): string => join(world.directory, 'state')
  const recordPath = (): string => sharedTorRecordPath(stateDirectory(), user.control)
  const readOptions = (): Promise<readonly (readonly string[] | null)[]> =>
    Promise.all(OPTIONS.map((name) => readOption(user.client, name)))
  const open = (): Promise<TorSession> =>
    openSharedTor(machine, {
      control: user.control,
      password: null,
      stateDirectory: stateDirectory(),
      rejectInternalAddresses: false,
      watchdogCommand: WATCHDOG,
    })
  /** What the user does. @returns The connection after its greeting. */
  const browse = async (): Promise<Connection> => {
    const outcome = await connectSocks5(machine.net, machine.clock, {
      proxy: user.socks,
      host: `user${performance.now().toFixed(3)}.example`,
      port: world.port,
      timeoutMs: 30_000,
    })
    if (outcome.kind !== 'connected') throw new Error(`the user is disturbed: ${JSON.stringify(outcome)}`)
    expect(await readGreeting(outcome.connection)).toMatch(/^127\.251\./)
    return outcome.connection
  }
  const echo = async (connection: Connection): Promise<void> => {
    await connection.write(Uint8Array.of(1, 2, 3))
    expect(await connection.read()).toEqual(Uint8Array.of(1, 2, 3))
  }

  /** A stream of the user hangs, because nobody is there to attach it; the next run wakes it. */
  const waitForNextRun = async (): Promise<void> => {
    const hanging = browse()
    await sleep(1_000)
    expect(await readOption(user.client, '__LeaveStreamsUnattached')).toEqual(['1'])
    const next = await open()
    ;(await hanging).close()
    await next[Symbol.asyncDispose]()
  }

  beforeAll(async () => {
    world = await startTorWorld(13)
    user = await startUsersTor(world)
    before = await readOptions()
  })
  afterAll(async () => {
    user.process.kill('SIGTERM')
    await user.process.exited
    await world[Symbol.asyncDispose]()
  })

  test('measures beside a user, who notices nothing, and leaves the options as they were', async () => {
    const download = await browse()
    const session = await open()
    expect(session).toMatchObject({ owned: false })
    expect(session.network().relays.get(fingerprint('exit1'))).toMatchObject({ exitsToIpv4: true, platform: null })
    expect(((await machine.files.info(recordPath()))?.mode ?? 0).toString(8)).toBe('600')
    const exits = ['exit1', 'exit2', 'exit3'].map(fingerprint)
    const circuits = await Promise.all(exits.map((exit) => requireCircuit(session, [fingerprint('middle1'), exit])))
    const work = Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const circuit = circuits[i % circuits.length]!
        const name = `s${i}-${performance.now().toFixed(0)}.example`
        const stream = await session.expectStream(name, circuit, 10_000)
        const answer = await askA(session.dnsPort, name, 10_000)
        stream.release()
        return answer?.address === world.addressOf(circuit.path[1]!)
      }),
    )
    for (let i = 0; i < 5; i++) {
      await echo(download)
      ;(await browse()).close()
    }
    expect((await work).filter((isRight) => isRight)).toHaveLength(60)
    const through = await session.connectThrough(circuits[1]!, 'through.example', world.port, 20_000)
    expect(await readGreeting(through)).toBe(world.addressOf(exits[1]!))
    through.close()

    await session[Symbol.asyncDispose]()
    expect(await readOptions()).toEqual(before)
    expect(await machine.files.info(recordPath())).toBeUndefined()
    await echo(download)
    ;(await browse()).close()
    download.close()
    const { lines } = await user.client.expectOk('GETINFO circuit-status')
    expect(lines.filter((line) => line.text.includes('PURPOSE=CONTROLLER'))).toEqual([])
  })

  test('reports a question that stalls behind a frozen exit, and the Tor of the user lives on', async () => {
    const session = await open()
    const exit = world.network.relay('exit3')
    const circuit = await requireCircuit(session, [fingerprint('middle1'), exit.fingerprint])
    await exit.freeze()
    const stream = await session.expectStream('stalled.example', circuit, 30_000)
    await askA(session.dnsPort, 'stalled.example', 30_000)
    expect(await stream.attached).toMatchObject({ kind: 'attached' })
    // Tor takes it off the circuit after about ten seconds and then waits for us.
    expect(await stream.ended).toBe('DETACHED_TIMEOUT')
    await exit.thaw()
    stream.release()
    ;(await browse()).close()
    await session[Symbol.asyncDispose]()
    expect(await readOptions()).toEqual(before)
  })

  test('refuses a Tor about which another controller decides', async () => {
    await user.client.expectOk('SETCONF __LeaveStreamsUnattached=1')
    await expect(open()).rejects.toThrow(/another controller/)
    await user.client.expectOk('RESETCONF __LeaveStreamsUnattached')
    expect(await readOptions()).toEqual(before)
  })

  test('says who does not answer', async () => {
    const control: ControlAddress = { kind: 'tcp', address: '127.0.0.1', port: 1 }
    const opening = openSharedTor(machine, {
      control,
      password: null,
      stateDirectory: stateDirectory(),
      rejectInternalAddresses: true,
      watchdogCommand: [],
    })
    await expect(opening).rejects.toThrow(/nobody answers at the control port 127\.0\.0\.1:1/)
  })

  test('ends the session when the configuration is loaded again', async () => {
    const session = await open()
    await user.client.expectOk('SIGNAL RELOAD')
    await new Promise<void>((resolve) => {
      if (session.gone.aborted) resolve()
      else session.gone.addEventListener('abort', () => resolve())
    })
    await session[Symbol.asyncDispose]()
    expect(await readOptions()).toEqual(before)
    ;(await browse()).close()
  })

  /** Starts a run in a process of its own and kills it when it has a circuit. */
  const killRun = async (watchdogCommand: readonly string[], password?: string): Promise<void> => {
    const script = join(import.meta.dirname, 'tor-shared-run.ts')
    const config = JSON.stringify({ control: user.control, stateDirectory: stateDirectory(), watchdogCommand })
    const path = JSON.stringify([fingerprint('middle1'), fingerprint('exit1')])
    const isOpen = Promise.withResolvers<void>()
    const child = await machine.processes.start(process.execPath, [script, config, path], {
      environment: password === undefined ? {} : { [WATCHDOG_PASSWORD_VARIABLE]: password },
      onLine: (line, stream) => {
        if (line === 'open') isOpen.resolve()
        else if (stream === 'stderr') isOpen.reject(new Error(line))
      },
    })
    await isOpen.promise
    expect(await readOptions()).not.toEqual(before)
    child.kill('SIGKILL')
    await child.exited
  }
  const waitForWatchdog = async (): Promise<void> => {
    for (let i = 0; i < 50 && (await machine.files.info(recordPath())) !== undefined; i++) await sleep(100)
  }

  test.each([
    ['the watchdog, at once', WATCHDOG],
    ['the next run, at its start', []],
  ])('gives the options back after a kill −9: %s', async (_, watchdogCommand) => {
    const download = await browse()
    await killRun(watchdogCommand)
    if (watchdogCommand.length === 0) await waitForNextRun()
    else await waitForWatchdog()
    expect(await readOptions()).toEqual(before)
    await echo(download)
    download.close()
    ;(await browse()).close()
    const { lines } = await user.client.expectOk('GETINFO circuit-status')
    expect(lines.filter((line) => line.text.includes('PURPOSE=CONTROLLER'))).toEqual([])
  })

  test('knows the password of a control port that takes nothing else, and so does the watchdog', async () => {
    const hash = await hashPassword('it is "secret"')
    await user.client.expectOk(`SETCONF CookieAuthentication=0 HashedControlPassword=${hash}`)
    await expect(open()).rejects.toThrow(/asks for authentication \(HASHEDPASSWORD\)/)
    await killRun(WATCHDOG, 'it is "secret"')
    await waitForWatchdog()
    expect(await readOptions()).toEqual(before)
    await user.client.expectOk('SETCONF CookieAuthentication=1 HashedControlPassword=')
  })
})

async function hashPassword(password: string): Promise<string> {
  let hash = ''
  const { exited } = await machine.processes.start('tor', ['--quiet', '--hash-password', password], {
    onLine: (line) => {
      if (line.startsWith('16:')) hash = line
    },
  })
  await exited
  return hash
}
