/** `candor query` through the exits of a laboratory, beside what the same question gives directly. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
    expect(dataOf(direct)).toEqual([lab.laboratory.describe().zone.expect[0]])
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
    const { zone, torrc_append_connect: torrc } = lab.laboratory.describe()
    const at = `@${zone.server.address}#${zone.server.port}`
    const lines = join(torDirectory, 'literal.torrc')
    await writeFile(lines, `${await readFile(torrc, 'utf8')}${LITERAL_LOOPBACK}`)
    const outcome = await run(zone.name, 'SOA', at, '--via', fingerprintOf('right_ipv6'), '--torrc-append', lines)
    expect([outcome.status, outcome.stdout + outcome.stderr]).toEqual([0, expect.stringContaining('Tor: 100 %')])
    const record = JSON.parse(outcome.stdout) as Record
    expect(record.exchanges.map(({ transport }) => transport)).toEqual(['tcp'])
    expect(dataOf(record)).toEqual([expect.stringContaining('candor.test.')])
  })

  test('says that no relay has the fingerprint, with status 2', async () => {
    const outcome = await run('a.example', '--via', `tor:${'A'.repeat(40)}`)
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain('is in the consensus of')
  })
})
