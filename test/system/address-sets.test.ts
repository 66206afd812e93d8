/** Address sets in a real kernel, in a network namespace of their own: loaded, renewed, refused, and back after a restart. */
import { once } from 'node:events'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { formatDurableSets, formatRuntimeSets, type NftSets } from '../../src/campaigns/domains/format-nft-sets.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { openNetworkNamespace, type CommandResult } from '../sidecar-fixtures/network-namespace.ts'
import { HOME } from '../tidy/source-tree.ts'

const SETS: NftSets = { table: 'inet candor', v4: 'names_v4', v6: 'names_v6', rtV4: 'names_rt_v4', rtV6: 'names_rt_v6' }
const MAIN = join(HOME, 'src/cli/main.ts')

const namespace = (await nodeProcesses.which('nft')) === undefined ? undefined : await openNetworkNamespace()
const hasSmartDns = (await nodeProcesses.which('smartdns')) !== undefined

afterAll(async () => {
  await namespace?.[Symbol.asyncDispose]()
})

function candor(args: readonly string[]): Promise<CommandResult> {
  return namespace!.run(process.execPath, [MAIN, ...args])
}

function apply(directory: string, ...more: readonly string[]): Promise<CommandResult> {
  return candor(['domains', 'apply-sets', '--directory', directory, ...more])
}

/** Address → what is left of its time-out in seconds; `null` without one. */
async function listSet(name: string): Promise<ReadonlyMap<string, number | null>> {
  const { stdout } = await namespace!.run('nft', ['-j', 'list', 'set', 'inet', 'candor', name])
  const { nftables } = JSON.parse(stdout) as {
    readonly nftables: readonly { readonly set?: { readonly elem?: readonly unknown[] } }[]
  }
  const elements = nftables.flatMap(({ set }) => set?.elem ?? [])
  return new Map(
    elements.map((element) => {
      if (typeof element === 'string') return [element, null]
      const { elem } = element as { readonly elem: { readonly val: string; readonly expires: number } }
      return [elem.val, elem.expires]
    }),
  )
}

describe.skipIf(namespace === undefined)('candor domains apply-sets (nft, unshare)', () => {
  beforeEach(async () => {
    await namespace!.run('nft', ['flush', 'ruleset'])
  })

  test('replaces the durable sets as a whole, and takes addresses of both families', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'sets.nft')
    const many = Array.from({ length: 1_200 }, (_, index) => `198.18.${index >> 8}.${index & 255}`)
    writeFileSync(path, formatDurableSets(SETS, { v4: many, v6: ['2001:db8::1'] }))
    expect(await apply(directory)).toMatchObject({
      status: 0,
      stdout: '{"durable_addresses":1201,"runtime_elements":null}\n',
    })
    expect([...(await listSet('names_v4')).keys()].toSorted()).toEqual(many.toSorted())
    writeFileSync(path, formatDurableSets(SETS, { v4: ['198.51.100.1'], v6: ['2001:db8::2'] }))
    expect((await apply(directory)).status).toBe(0)
    expect([...(await listSet('names_v4')).keys()]).toEqual(['198.51.100.1'])
    expect([...(await listSet('names_v6')).keys()]).toEqual(['2001:db8::2'])
  })

  test('renews elements of the run-time sets, one that expired in between as well', async () => {
    const directory = makeTemporaryDirectory()
    await namespace!.run('nft', ['add', 'table', 'inet', 'candor'])
    await namespace!.run('nft', ['add', 'set', 'inet', 'candor', 'names_rt_v4', '{ type ipv4_addr; flags timeout; }'])
    const add = ['add', 'element', 'inet', 'candor', 'names_rt_v4']
    await namespace!.run('nft', [...add, '{ 198.51.100.1 timeout 60s, 198.51.100.2 timeout 1s }'])
    await vi.waitFor(
      async () => {
        expect([...(await listSet('names_rt_v4')).keys()]).toEqual(['198.51.100.1'])
      },
      { timeout: 10_000, interval: 100 },
    )
    const elements = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((address) => ({
      address,
      timeoutSeconds: 900,
    }))
    writeFileSync(join(directory, 'sets-rt.nft'), formatRuntimeSets(SETS, elements))
    expect(await apply(directory)).toMatchObject({
      status: 0,
      stdout: '{"durable_addresses":null,"runtime_elements":3}\n',
    })
    const left = await listSet('names_rt_v4')
    expect([...left.keys()].toSorted()).toEqual(elements.map(({ address }) => address))
    for (const seconds of left.values()) expect(seconds).toBeGreaterThan(600)
  })

  test('passes over run-time elements that were written long ago', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'sets-rt.nft')
    writeFileSync(path, formatRuntimeSets(SETS, [{ address: '198.51.100.1', timeoutSeconds: 900 }]))
    const longAgo = Date.now() / 1000 - 3_600
    utimesSync(path, longAgo, longAgo)
    writeFileSync(join(directory, 'sets.nft'), formatDurableSets(SETS, { v4: ['198.51.100.9'], v6: [] }))
    expect((await apply(directory)).stdout).toBe('{"durable_addresses":1,"runtime_elements":null}\n')
  })

  test('refuses an empty result, and what candor does not write; the sets stay', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'sets.nft')
    const right = formatDurableSets(SETS, { v4: ['198.51.100.1'], v6: [] })
    writeFileSync(path, right)
    await apply(directory)
    writeFileSync(path, formatDurableSets(SETS, { v4: [], v6: [] }))
    const empty = await apply(directory)
    expect(empty.status).toBe(1)
    expect(empty.stderr).toContain('--allow-empty')
    for (const line of [
      'flush ruleset',
      'add rule inet candor out drop',
      'add element inet other names_v4 { 198.51.100.2 }',
      'include "/etc/passwd"',
    ]) {
      writeFileSync(path, `${right}${line}\n`)
      const refused = await apply(directory)
      expect(refused.status).toBe(1)
      expect(refused.stderr).toContain('line 7')
    }
    expect([...(await listSet('names_v4')).keys()]).toEqual(['198.51.100.1'])
    writeFileSync(path, formatDurableSets(SETS, { v4: [], v6: [] }))
    expect((await apply(directory, '--allow-empty')).status).toBe(0)
    expect((await listSet('names_v4')).size).toBe(0)
  })

  test('says what is missing where there is no file', async () => {
    const missing = await apply(makeTemporaryDirectory())
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain('candor domains sync')
  })

  test('brings everything back when the rules are gone, while it watches', { timeout: 60_000 }, async () => {
    const directory = makeTemporaryDirectory()
    writeFileSync(join(directory, 'sets.nft'), formatDurableSets(SETS, { v4: ['198.51.100.1'], v6: [] }))
    const child = namespace!.start(process.execPath, [
      MAIN,
      'domains',
      'apply-sets',
      '--directory',
      directory,
      '--watch',
    ])
    const ended = once(child, 'exit') as Promise<[number | null]>
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const isThere = (address: string): Promise<void> =>
      vi.waitFor(
        async () => {
          expect([...(await listSet('names_v4')).keys()]).toEqual([address])
        },
        { timeout: 20_000, interval: 200 },
      )
    await isThere('198.51.100.1')
    await namespace!.run('nft', ['flush', 'ruleset'])
    await isThere('198.51.100.1')
    writeFileSync(join(directory, 'sets.nft'), formatDurableSets(SETS, { v4: ['198.51.100.2'], v6: [] }))
    await isThere('198.51.100.2')
    child.kill('SIGTERM')
    expect((await ended)[0]).toBe(0)
  })
})

describe.skipIf(namespace === undefined || !hasSmartDns)('candor serve with SmartDNS (smartdns, nft, unshare)', () => {
  test(
    'has the address of a wildcard name in the set before its first answer, and renews it',
    { timeout: 120_000 },
    async () => {
      const directory = makeTemporaryDirectory()
      const [dataDir, config] = [join(directory, 'data'), join(directory, 'candor.toml')]
      writeFileSync(
        config,
        `data_dir = "${dataDir}"
[serve]
port = 0
[schedule]
exits = "never"
[smartdns]
enabled = true
port = 5301
upstreams = ["127.0.0.1#5302"]
wildcards = ["zone.example"]
`,
      )
      mkdirSync(join(dataDir, 'domains/sets'), { recursive: true })
      await namespace!.run('nft', ['flush', 'ruleset'])
      const start = (...args: readonly string[]): ReturnType<NonNullable<typeof namespace>['start']> => {
        const child = namespace!.start(process.execPath, [MAIN, ...args])
        onTestFinished(() => {
          child.kill('SIGKILL')
        })
        return child
      }
      start(
        'authority',
        '--zone',
        'zone.example',
        '--expect',
        '198.51.100.77',
        '--ttl',
        '1',
        '--listen',
        '127.0.0.1:5302',
      )
      writeFileSync(join(dataDir, 'domains/sets/sets.nft'), formatDurableSets(SETS, { v4: ['198.51.100.1'], v6: [] }))
      writeFileSync(
        join(dataDir, 'domains/sets/sets-rt.nft'),
        formatRuntimeSets(SETS, [{ address: '198.51.100.2', timeoutSeconds: 5 }]),
      )
      start('domains', 'apply-sets', '--directory', join(dataDir, 'domains/sets'), '--watch')
      const daemon = start('--config', config, 'serve')
      const ended = once(daemon, 'exit') as Promise<[number | null]>
      let said = ''
      daemon.stderr?.on('data', (chunk: Uint8Array) => {
        said += new TextDecoder().decode(chunk)
      })
      await vi.waitFor(
        async () => {
          expect(said).toContain('sidecar.child.started')
          const { stdout } = await candor(['query', '@127.0.0.1#5301', 'ready.candor.invalid', '--format', 'jsonl'])
          expect(stdout).toContain('"NOERROR"')
          expect((await listSet('names_rt_v4')).size).toBe(1)
        },
        { timeout: 30_000, interval: 200 },
      )
      const answer = await candor(['query', '@127.0.0.1#5301', 'first.zone.example', 'A', '--format', 'jsonl'])
      // Nothing waited in between: SmartDNS adds the address before it answers.
      expect([...(await listSet('names_rt_v4')).keys()]).toContain('198.51.100.77')
      expect(answer.stdout).toContain('198.51.100.77')
      // SmartDNS itself gives it two times the TTL of 1 s; what the audit file says gives it an hour.
      await vi.waitFor(
        async () => {
          expect((await listSet('names_rt_v4')).get('198.51.100.77')).toBeGreaterThan(3_000)
        },
        { timeout: 20_000, interval: 200 },
      )
      daemon.kill('SIGTERM')
      expect((await ended)[0]).toBe(0)
    },
  )
})
