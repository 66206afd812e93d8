/** Real SmartDNS under control: it starts, crashes, is configured anew, and its controller is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ConfigError } from '../../src/core/config-error.ts'
import { silentLog } from '../../src/core/log.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { findFreePort } from '../../src/lab/find-free-port.ts'
import type { RuntimeObservation } from '../../src/model/runtime-observation.ts'
import type { SidecarStatus } from '../../src/model/sidecar.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { createSmartDns, type SmartDns } from '../../src/sidecars/smartdns.ts'
import type { SmartDnsPlan } from '../../src/sidecars/smartdns-plan.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { askAddresses, serveUpstream, smartDnsPlan } from '../sidecar-fixtures/upstream.ts'
import { HOME } from '../tidy/source-tree.ts'

const isInstalled = (await nodeProcesses.which('smartdns')) !== undefined

interface Fixture {
  readonly smartDns: SmartDns
  readonly plan: SmartDnsPlan
  readonly directory: string
  readonly seen: RuntimeObservation[]
}

async function control(): Promise<Fixture> {
  const directory = makeTemporaryDirectory()
  const upstream = await serveUpstream(60)
  const { port } = await findFreePort(nodeNet, '127.0.0.1')
  const seen: RuntimeObservation[] = []
  const smartDns = await createSmartDns({
    clock: nodeClock,
    files: nodeFiles,
    processes: nodeProcesses,
    net: nodeNet,
    random: createSeededRandom(directory),
    log: silentLog,
    directory,
    program: 'smartdns',
    onObservations: (observations) => {
      seen.push(...observations)
      return Promise.resolve()
    },
  })
  onTestFinished(async () => {
    await smartDns[Symbol.asyncDispose]()
    await upstream.close()
  })
  return { smartDns, plan: smartDnsPlan(port, upstream.endpoint.port), directory, seen }
}

/** Processes of SmartDNS whose files are in a directory. */
async function findProcesses(directory: string): Promise<readonly number[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map(async (pid) => [pid, await nodeProcesses.commandLine(Number(pid))] as const))
  return lines
    .filter(([, words]) => words?.[0]?.endsWith('smartdns') === true && words.some((word) => word.includes(directory)))
    .map(([pid]) => Number(pid))
}

describe.skipIf(!isInstalled)('createSmartDns (smartdns)', () => {
  test('answers when started, and says what its clients were answered', async () => {
    const { smartDns, plan, seen } = await control()
    await smartDns.configure(plan)
    await smartDns.start()
    expect(smartDns.status()).toMatchObject({ phase: 'running', isAdopted: false, crashes: 0, problem: null })
    expect(await askAddresses(plan.listen, 'h7.zone.example')).toEqual(['198.51.100.7'])
    expect(await askAddresses(plan.listen, 'nx.zone.example')).toEqual([])
    await vi.waitFor(() => {
      expect(seen).toEqual([
        { name: 'h7.zone.example', addresses: ['198.51.100.7'], atMs: expect.any(Number) as number },
      ])
    })
    expect(Math.abs((seen[0]?.atMs ?? 0) - Date.now())).toBeLessThan(60_000)
    await smartDns.stop()
    expect(smartDns.status()).toMatchObject({ phase: 'stopped', pid: null })
    expect(await askAddresses(plan.listen, 'h8.zone.example')).toBeUndefined()
  })

  test('is started again after a crash, with a pause that grows', async () => {
    const { smartDns, plan } = await control()
    await smartDns.configure(plan)
    await smartDns.start()
    const pauses: number[] = []
    for (let crash = 1; crash <= 2; crash++) {
      process.kill(smartDns.status().pid ?? 0, 'SIGKILL')
      await vi.waitFor(() => {
        expect(smartDns.status()).toMatchObject({ phase: 'waiting', crashes: crash })
      })
      const { nextStartAt, lastEnd } = smartDns.status()
      expect(lastEnd).toContain('SIGKILL')
      pauses.push(Date.parse(nextStartAt ?? '') - Date.now())
      await vi.waitFor(
        () => {
          expect(smartDns.status().phase).toBe('running')
        },
        { timeout: 10_000 },
      )
    }
    expect(pauses[1]).toBeGreaterThan(pauses[0] ?? Infinity)
    expect(await askAddresses(plan.listen, 'h9.zone.example')).toEqual(['198.51.100.9'])
  })

  test('is reloaded with its gap measured, and keeps its configuration when a bad one comes', async () => {
    const { smartDns, plan, directory } = await control()
    await smartDns.configure(plan)
    await smartDns.start()
    const first = smartDns.status().pid
    const files = readdirSync(directory).toSorted()
    const configuration = smartDns.configuration()
    await expect(smartDns.configure({ ...plan, upstreams: [] })).rejects.toThrow(ConfigError)
    expect(readdirSync(directory).toSorted()).toEqual(files)
    expect(smartDns.configuration()).toBe(configuration)
    expect(smartDns.status()).toMatchObject({ pid: first, phase: 'running' })
    expect(await smartDns.configure(plan)).toBe(false)
    expect(smartDns.status()).toMatchObject({ pid: first, reloadGapMs: null })
    expect(await smartDns.configure({ ...plan, cacheSize: 512 })).toBe(true)
    const { pid, reloadGapMs } = smartDns.status()
    expect(pid).not.toBe(first)
    expect(reloadGapMs).toBeGreaterThan(0)
    expect(await findProcesses(directory)).toEqual([pid])
    expect(readdirSync(directory).filter((name) => name.endsWith('.conf'))).toHaveLength(1)
  })

  test('loses no answer over rotations of the audit file', { timeout: 60_000 }, async () => {
    const { smartDns, plan, directory, seen } = await control()
    await smartDns.configure(plan)
    await smartDns.start()
    const asked = Array.from({ length: 120 }, (_, index) => `h${index}.zone.example`)
    for (const name of asked) expect(await askAddresses(plan.listen, name)).toHaveLength(1)
    await vi.waitFor(
      () => {
        expect(readdirSync(directory).some((name) => name.endsWith('.gz'))).toBe(true)
        expect(seen).toHaveLength(asked.length)
      },
      { timeout: 20_000, interval: 100 },
    )
    expect(seen.map(({ name }) => name)).toEqual(asked)
    expect(smartDns.status().malformed).toBe(0)
  })

  test('is adopted or replaced when its controller was killed, and never doubled', { timeout: 60_000 }, async () => {
    const directory = makeTemporaryDirectory()
    const upstream = await serveUpstream(60)
    const { port } = await findFreePort(nodeNet, '127.0.0.1')
    const running: ChildProcess[] = []
    onTestFinished(async () => {
      for (const child of running) child.kill('SIGKILL')
      for (const pid of await findProcesses(directory)) process.kill(pid, 'SIGKILL')
      await upstream.close()
    })
    const run = async (cacheSize: number): Promise<SidecarStatus> => {
      const args = [join(HOME, 'test/system/smartdns-run.ts'), directory, port, upstream.endpoint.port, cacheSize].map(
        String,
      )
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      running.push(child)
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      return JSON.parse(line) as SidecarStatus
    }
    const kill = async (): Promise<void> => {
      const child = running.at(-1)
      child?.kill('SIGKILL')
      if (child !== undefined) await once(child, 'exit')
    }
    const first = await run(256)
    await kill()
    expect(await findProcesses(directory)).toEqual([first.pid])
    const second = await run(256)
    expect(second).toMatchObject({ phase: 'running', isAdopted: true, pid: first.pid })
    await kill()
    const third = await run(512)
    expect(third).toMatchObject({ phase: 'running', isAdopted: false })
    expect(third.pid).not.toBe(first.pid)
    expect(await findProcesses(directory)).toEqual([third.pid])
    expect(await askAddresses({ address: '127.0.0.1', port }, 'h3.zone.example')).toEqual(['198.51.100.3'])
  })
})
