import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  DOMAINS_BLOCKED,
  DOMAINS_CANARY,
  DOMAINS_ZONE,
  findDomainKind,
  nameDomains,
  startUpstream,
} from '../../src/lab/domains-world.ts'
import { findFreePort } from '../../src/lab/find-free-port.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const HONEST = { answeredPerSecond: 0, deniedShare: 0, isFiltering: false }

/** Starts upstreams of operators; a word with `!` lies about all names. @returns Flags that name them. */
async function startUpstreams(...words: readonly string[]): Promise<readonly string[]> {
  const flags: string[] = []
  for (const word of words) {
    const operator = word.replace('!', '')
    const manner = { ...HONEST, operator, deniedShare: word.endsWith('!') ? 1 : 0 }
    const server = await startUpstream({ net: nodeNet, clock: nodeClock }, manner, word)
    onTestFinished(() => server.close())
    flags.push('--resolvers', `udp://127.0.0.1:${server.endpoint.port} ${operator}`)
  }
  return flags
}

interface Parsed extends CliOutcome {
  readonly records: readonly Readonly<Record<string, unknown>>[]
}

async function run(...argv: readonly string[]): Promise<Parsed> {
  const outcome = await runSimulatedCli(argv)
  const lines = outcome.stdout.split('\n').filter((line) => line.startsWith('{'))
  return { ...outcome, records: lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

function writeList(directory: string, names: readonly string[]): string {
  const path = join(directory, 'list.txt')
  writeFileSync(path, names.map((name) => `${name}\n`).join(''))
  return path
}

describe('candor domains', () => {
  test('syncs a list into sets, explains every name, and releases by hand', async () => {
    const data = makeTemporaryDirectory()
    const names = nameDomains(300)
    const list = writeList(data, [...names, 'no name', names[0] ?? '', `*.wild.${DOMAINS_ZONE}`])
    const upstreams = await startUpstreams('alpha', 'beta', 'gamma', 'liar!')
    const sync = await run(
      'domains',
      'sync',
      '--list',
      list,
      '--data-dir',
      data,
      ...upstreams,
      '--canaries',
      DOMAINS_CANARY,
    )
    expect(sync.stderr).toContain('list:301')
    expect(sync.status).toBe(3)
    const [record] = sync.records
    expect(record).toMatchObject({ added: 301, duplicates: 1, bad_lines: 1, end: 'done', is_written: true })
    expect(Number(record?.['attempts_avg_per_domain'])).toBeLessThan(2)
    const status = await run('domains', 'status', '--names', '--data-dir', data)
    const byName = new Map(status.records.map((each) => [each['name'], each]))
    for (const name of names.filter((each) => findDomainKind(each) === 'good'))
      expect(byName.get(name)).toMatchObject({ state: 'STABLE', set: 'fresh' })
    const dead = names.find((each) => byName.get(each)?.['state'] === 'QUARANTINE') ?? ''
    expect(findDomainKind(dead)).toBe('dead')
    const sets = join(data, 'domains', 'sets')
    expect(readFileSync(join(sets, 'sets.nft'), 'utf8')).toContain('add element inet candor names_v4 { 198.18.')
    expect(readFileSync(join(sets, 'smartdns.list'), 'utf8')).toBe(`wild.${DOMAINS_ZONE}\n`)
    expect(readFileSync(join(sets, 'metrics.prom'), 'utf8')).toMatch(/^candor_domains_checks_total 301$/m)
    expect(readdirSync(sets).filter((file) => file.endsWith('.tmp'))).toEqual([])
    const explained = await run('domains', 'explain', dead, '--data-dir', data)
    expect(explained.records[0]).toMatchObject({
      trace: [
        {
          outcome: 'NX2',
          score_before: 0,
          score_after: -15,
          attempts: [{ outcome: 'nxdomain' }, { outcome: 'nxdomain' }],
        },
      ],
    })
    const review = await run('domains', 'review', '--quarantined', '--data-dir', data)
    expect(review.records.map((each) => each['name'])).toContain(dead)
    expect((await run('domains', 'release', dead, '--data-dir', data)).records[0]).toMatchObject({ released: true })
    const again = await run('domains', 'explain', dead, '--data-dir', data)
    expect(again.records[0]).toMatchObject({ state: 'SUSPECT', score: 0 })
    const pool = await run('resolvers', 'list', '--data-dir', data, ...upstreams)
    expect(pool.records.map((each) => [each['operator'], each['has_vote']])).toEqual([
      ['alpha', true],
      ['beta', true],
      ['gamma', true],
      ['liar', false],
    ])
  })

  test('never replaces sets by nothing, and says when nobody answers', async () => {
    const data = makeTemporaryDirectory()
    const list = writeList(data, [`n1.${DOMAINS_ZONE}`])
    const good = await startUpstreams('alpha', 'beta')
    const flags = ['domains', 'sync', '--data-dir', data]
    expect((await run(...flags, '--list', list, ...good)).status).toBe(0)
    const before = readFileSync(join(data, 'domains', 'sets', 'sets.nft'), 'utf8')
    const dead = writeList(data, nameDomains(200).filter((name) => findDomainKind(name) === 'dead').slice(0, 3)) // prettier-ignore
    const empty = await run(...flags, '--list', dead, ...good)
    expect([empty.status, empty.stderr]).toEqual([3, expect.stringContaining('--allow-empty')])
    expect(readFileSync(join(data, 'domains', 'sets', 'sets.nft'), 'utf8')).toBe(before)
    expect((await run(...flags, '--list', dead, ...good, '--allow-empty')).status).toBe(0)
    expect(readFileSync(join(data, 'domains', 'sets', 'sets.nft'), 'utf8')).not.toContain('add element')
    const many = writeList(data, nameDomains(40, 1_000))
    const silent = ['--resolvers', `127.0.0.1#${(await findFreePort(nodeNet, '127.0.0.1')).port} nobody`]
    const down = await run(...flags, '--list', many, ...silent, '--fail-on', 'high')
    expect([down.status, down.records[0]]).toMatchObject([4, { end: 'pool_down', weather: { pool_down: true } }])
  })

  test('tells what is wrong with a command', async () => {
    const data = makeTemporaryDirectory()
    const list = writeList(data, ['shop.zone.example'])
    const sync = ['domains', 'sync', '--data-dir', data]
    const tell = async (...argv: readonly string[]): Promise<readonly [number, string]> => {
      const { status, stderr } = await run(...argv)
      return [status, stderr]
    }
    expect(await tell(...sync)).toEqual([2, expect.stringContaining('there are no names yet')])
    expect(await tell(...sync, '--list', list)).toEqual([2, expect.stringContaining('nobody to ask')])
    expect(await tell(...sync, '--list', join(data, 'no'))).toEqual([2, expect.stringContaining('no such file')])
    expect(await tell('domains', 'sync')).toEqual([2, expect.stringContaining('--data-dir')])
    expect(await tell('domains', 'explain', 'x.example', '--data-dir', data)).toEqual([
      1,
      expect.stringContaining('not among'),
    ])
    expect(await tell(...sync, '--list', list, '--resolvers', 'a b c')).toEqual([
      2,
      expect.stringContaining('OPERATOR'),
    ])
  })
})

describe('candor resolvers bench', () => {
  test('loads every upstream, tests it with known names, and chooses whom to ask', async () => {
    const data = makeTemporaryDirectory()
    const upstreams = await startUpstreams('alpha', 'beta', 'liar!')
    const { status, records } = await run(
      'resolvers', 'bench', '--data-dir', data, ...upstreams, '--profile', 'light',
      '--canaries', DOMAINS_CANARY, '--canary-zone', DOMAINS_ZONE, '--canary-blocked', DOMAINS_BLOCKED,
    ) // prettier-ignore
    expect(status).toBe(0)
    const liar = records.find(({ operator }) => operator === 'liar')
    expect(liar).toMatchObject({ sent: 30, finds_known: false, denies_random: true, blocks: true })
    const honest = records.find(({ operator }) => operator === 'alpha')
    expect(honest).toMatchObject({
      finds_known: true,
      denies_random: true,
      blocks: false,
      active: true,
      has_vote: true,
    })
  })
})
