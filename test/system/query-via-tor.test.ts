/** `candor query` through the exits of a laboratory, beside what the same question gives directly. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { connectControl, type ControlAddress } from '../../src/tor/control-address.ts'
import { authenticate, readProtocolInfo } from '../../src/tor/control-auth.ts'
import type { ControlClient } from '../../src/tor/control-client.ts'
import { readOption } from '../../src/tor/shared-options.ts'
import { hasTor, startCandor, startTestLaboratory, type CommandOutcome, type TestLaboratory } from './laboratory-run.ts'

/** Tor takes addresses from 127.192.0.0 on for its own virtual ones, and other loopback addresses for a mistake. */
const LITERAL_LOOPBACK = 'ClientRejectInternalAddresses 0\nVirtualAddrNetworkIPv4 10.192.0.0/10\n'

interface Record {
  readonly status: string | null
  readonly via: { readonly fingerprint: string; readonly path: readonly string[] } | null
  readonly exchanges: readonly {
    readonly transport: string
    readonly failure: { readonly failure: string; readonly side: string } | null
    readonly responses: readonly { readonly message: { readonly answers: readonly { readonly data: string }[] } }[]
  }[]
}

interface UsersTor extends AsyncDisposable {
  readonly client: ControlClient
}

/** A Tor as a user has it, in the network of a laboratory, with a control socket in `directory`. */
async function startUsersTor(directory: string, appended: string): Promise<UsersTor> {
  const lines = [
    `DataDirectory ${directory}/user`,
    `ControlPort unix:${directory}/control`,
    'CookieAuthentication 1',
    `__OwningControllerProcess ${process.pid}`,
    'SocksPort 127.0.0.1:auto',
    'UseMicrodescriptors 0',
    'UseEntryGuards 0',
    'FetchDirInfoEarly 1',
    'FetchDirInfoExtraEarly 1',
    'FetchUselessDescriptors 1',
  ]
  await writeFile(join(directory, 'torrc'), `${lines.join('\n')}\n${await readFile(appended, 'utf8')}`)
  const tor = await nodeProcesses.start('tor', ['-f', join(directory, 'torrc')], { onLine: () => {} })
  const control: ControlAddress = { kind: 'unix', path: join(directory, 'control') }
  let client: ControlClient | undefined
  for (let i = 0; i < 200 && client === undefined; i++) {
    await sleep(100)
    client = await connectControl(nodeNet, nodeClock, control).catch(() => undefined)
  }
  if (client === undefined) throw new Error('no control port')
  await authenticate(client, nodeFiles, await readProtocolInfo(client), null)
  for (let i = 0; i < 300; i++) {
    const { lines: reply } = await client.expectOk('GETINFO status/bootstrap-phase')
    if (reply[0]?.text.includes('PROGRESS=100') === true) break
    await sleep(100)
  }
  const connected = client
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      connected.close()
      tor.kill('SIGTERM')
      await tor.exited
    },
  }
}

describe.skipIf(!hasTor)('candor query --via (needs tor: apt-get install tor)', () => {
  let lab: TestLaboratory
  let torDirectory: string
  beforeAll(async () => {
    lab = await startTestLaboratory({ size: { authorities: 3, middles: 1, exits: 8 }, seed: 'query' })
    torDirectory = await mkdtemp(join(tmpdir(), 'candor-query-'))
  })
  afterAll(async () => {
    await rm(torDirectory, { recursive: true, force: true })
    await lab[Symbol.asyncDispose]()
  })

  /** Runs a command inside the laboratory, as `candor lab run` does. */
  function run(...words: readonly string[]): Promise<CommandOutcome> {
    const inside = ['lab', 'run', '--directory', lab.laboratory.describe().directory, 'candor', 'query']
    return startCandor([...inside, ...words, '--tor-dir', torDirectory], {}).outcome
  }

  function fingerprintOf(fault: string): string {
    const [fingerprint] = [...lab.laboratory.truth].find(([, truth]) => truth.fault === fault) ?? []
    if (fingerprint === undefined) throw new Error(`no exit has the fault ${fault}`)
    return fingerprint
  }

  const dataOf = ({ exchanges }: Record): readonly string[] =>
    exchanges.flatMap(({ responses }) => responses.flatMap(({ message }) => message.answers.map(({ data }) => data)))

  test('shows two different answers where the exit lies', async () => {
    const name = 'something.exit-check.candor.test'
    const fingerprint = fingerprintOf('wrong_address')
    const direct = JSON.parse((await run(name)).stdout) as Record
    const through = JSON.parse((await run(name, '--via', `tor:${fingerprint}`)).stdout) as Record
    expect([direct.status, through.status]).toEqual(['NOERROR', 'NOERROR'])
    expect(dataOf(direct)).toEqual([lab.laboratory.describe().tor.zone.expect[0]])
    expect(dataOf(through)).toHaveLength(1)
    expect(dataOf(through)).not.toEqual(dataOf(direct))
    expect(direct.via).toBeNull()
    expect(through.via?.path.at(-1)).toBe(fingerprint)
  })

  test('shows the same answer where the exit tells the truth, for A and AAAA', async () => {
    const argv = ['other.exit-check.candor.test', 'A', 'AAAA']
    const fingerprint = fingerprintOf('right_ipv6')
    const parse = ({ stdout }: CommandOutcome): readonly (readonly string[])[] =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => dataOf(JSON.parse(line) as Record))
    const through = parse(await run(...argv, '--via', fingerprint))
    expect(through).toEqual(parse(await run(...argv)))
    expect(through.map(({ length }) => length)).toEqual([1, 1])
  })

  test('asks a resolver over TCP through the exit, whatever the type', async () => {
    const { zone, torrc_append_connect: torrc } = lab.laboratory.describe().tor
    const at = `@${zone.server.address}#${zone.server.port}`
    const lines = join(torDirectory, 'literal.torrc')
    await writeFile(lines, `${await readFile(torrc, 'utf8')}${LITERAL_LOOPBACK}`)
    const outcome = await run(zone.name, 'SOA', at, '--via', fingerprintOf('right_ipv6'), '--torrc-append', lines)
    expect([outcome.status, outcome.stdout + outcome.stderr]).toEqual([0, expect.stringContaining('Tor: 100 %')])
    const record = JSON.parse(outcome.stdout) as Record
    expect(record.exchanges.map(({ transport }) => transport)).toEqual(['tcp'])
    expect(dataOf(record)).toEqual([expect.stringContaining('candor.test.')])
  })

  test('asks through a Tor that already runs, and gives its options back', async () => {
    const directory = await lab.newDirectory()
    await using user = await startUsersTor(directory, lab.laboratory.describe().tor.torrc_append)
    const before = await readOption(user.client, '__LeaveStreamsUnattached')
    const analysis = ['lab', 'run', '--directory', lab.laboratory.describe().directory, 'candor', 'query']
    const argv = [...analysis, 'shared.exit-check.candor.test', '--via', fingerprintOf('wrong_address')]
    const environment = { CANDOR_EXITS_ANALYSIS_DIR: directory }
    const outcome = await startCandor([...argv, '--control', join(directory, 'control')], environment).outcome
    expect([outcome.status, outcome.stderr]).toEqual([0, ''])
    const record = JSON.parse(outcome.stdout) as Record
    expect(dataOf(record)).toHaveLength(1)
    expect(dataOf(record)).not.toEqual([lab.laboratory.describe().tor.zone.expect[0]])
    expect(await readOption(user.client, '__LeaveStreamsUnattached')).toEqual(before)
  })

  test('says that no relay has the fingerprint, with status 2', async () => {
    const outcome = await run('a.example', '--via', `tor:${'A'.repeat(40)}`)
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain('is in the consensus of')
  })
})
