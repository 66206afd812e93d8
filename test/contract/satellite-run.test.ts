import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { parseIp } from '../../src/core/ip-address.ts'
import { laboratoryAddressPlan } from '../../src/lab/lab-address-plan.ts'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import {
  LIVENESS_NAME,
  PROBE_ANSWER,
  PROBE_NAME,
  startSmallWorld,
  trueAddress,
  WHOAMI_NAME,
  type SmallWorld,
} from '../satellite-fixtures/small-world.ts'
import { createCliCapabilities, type CliOutcome } from './simulated-cli.ts'

const CONTROL = ['198.19.96.1', '198.19.96.2']
const RIGHT = '198.18.1.53'
const LIAR = '198.18.2.53'
const SILENT = '198.18.3.53'
const UNNAMED = '198.18.4.53'
const HOME = '198.18.5.53'
const NAMES = {
  [RIGHT]: 'ns1.example.org',
  [LIAR]: 'ns2.example.org',
  [SILENT]: 'ns3.example.org',
  [HOME]: 'ns9.dyn.example.org',
}
const DOMAINS = ['www.example.org', 'news.example.com', 'blocked.example.net']
const LIE = '203.0.113.66'

interface Files {
  readonly directory: string
  readonly options: readonly string[]
}

function putFiles(directory: string, more: Readonly<Record<string, string>> = {}): Files {
  const files: Readonly<Record<string, string>> = {
    addresses: [RIGHT, LIAR, SILENT, UNNAMED, HOME].join('\n'),
    domains: DOMAINS.join('\n'),
    control: CONTROL.join('\n'),
    blocklist: '# nobody\n',
    ...more,
  }
  mkdirSync(join(directory, 'in'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'in', name), text)
  const options = [
    ...Object.keys(files).flatMap((name) => [`--${name}`, join(directory, 'in', name)]),
    `--probe-name=${PROBE_NAME}`,
    `--probe-answer=${PROBE_ANSWER}`,
    `--liveness-name=${LIVENESS_NAME}`,
    `--whoami-name=${WHOAMI_NAME}`,
    '--timeout=200ms',
    `--output=${directory}`,
  ]
  return { directory, options }
}

const startWorld = (): Promise<SmallWorld> =>
  startSmallWorld(
    [...CONTROL, RIGHT, LIAR, SILENT, UNNAMED, HOME],
    NAMES,
    {
      [LIAR]: (name) =>
        name === 'blocked.example.net' ? [LIE] : name === LIVENESS_NAME ? ['198.51.100.8'] : [trueAddress(name)],
      [SILENT]: (name, attempt) =>
        name === LIVENESS_NAME
          ? ['198.51.100.8']
          : name === 'news.example.com'
            ? undefined
            : attempt < 3
              ? undefined
              : 3,
    },
    {
      [LIE]: { body: 'blocked by order', names: ['block.example'] },
      [trueAddress('blocked.example.net')]: {
        body: 'welcome',
        names: ['blocked.example.net'],
        headers: { 'Cache-Control': 'private, no-store' },
      },
    },
  )

const ownerOf = (address: string): number =>
  laboratoryAddressPlan.lookup(parseIp(address) ?? new Uint8Array())?.asn ?? 0

async function run(world: SmallWorld, argv: readonly string[]): Promise<CliOutcome> {
  const { capabilities, texts } = createCliCapabilities()
  const status = await runCli(argv, { ...capabilities, net: world.net, addressPlan: world.addressPlan })
  return { status, ...texts }
}

function readRows(path: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

function findRun(directory: string): string {
  const name = readdirSync(directory).find((each) => each.startsWith('CP_Satellite-'))
  return join(directory, name ?? '')
}

describe('candor satellite full', () => {
  let shared: SmallWorld
  let files: Files
  let outcome: CliOutcome
  beforeAll(async () => {
    shared = await startWorld()
    files = putFiles(mkdtempSync(join(tmpdir(), 'candor-test-')))
    outcome = await run(shared, ['satellite', 'full', ...files.options])
  })
  afterAll(async () => {
    await shared[Symbol.asyncDispose]()
    rmSync(files.directory, { recursive: true })
  })

  test('writes the documented tree, and names what was skipped', async () => {
    const { directory } = files
    const { status, stderr } = outcome
    expect(status).toBe(0)
    const tree = findRun(directory)
    expect(stderr).toContain('fetch was skipped: no consent')
    const names = ['resolvers_raw', 'resolvers', 'results', 'results_verified', 'log']
    const raw = ['resolvers_ip', 'resolvers_ptr', 'resolvers_err', 'responses_raw', 'responses_control', 'responses']
    const more = ['responses_ip', 'tagged_responses', 'tagged_resolvers', 'packets', 'fetches', 'upstreams']
    const inRaw = [...raw, ...more].map((name) => `raw/${name}.json`)
    expect(readdirSync(tree, { recursive: true })).toEqual(
      expect.arrayContaining(['dns.pkt', 'findings.jsonl', ...names.map((name) => `${name}.json`), ...inRaw]),
    )
    expect(readdirSync(tree, { recursive: true }).filter((name) => String(name).endsWith('.part'))).toEqual([])
    const resolvers = readRows(join(tree, 'resolvers.json'))
    expect(new Map(resolvers.map(({ vp, name }) => [vp, name]))).toEqual(
      new Map([
        [RIGHT, 'ns1.example.org.'],
        [LIAR, 'ns2.example.org.'],
        [SILENT, 'ns3.example.org.'],
        ...CONTROL.map((address) => [address, 'control'] as const),
      ]),
    )
    const results = new Map(
      readRows(join(tree, 'results.json')).map((row) => [`${String(row['vp'])} ${String(row['test_url'])}`, row]),
    )
    expect(results.size).toBe(9)
    const anomalies = [...results].filter(([, { anomaly }]) => anomaly === true).map(([key]) => key)
    expect(anomalies.toSorted()).toEqual(
      [`${LIAR} blocked.example.net`, ...DOMAINS.map((domain) => `${SILENT} ${domain}`)].toSorted(),
    )
    expect(results.get(`${SILENT} news.example.com`)).toMatchObject({ connect_error: true, passed_liveness: true })
    const { response } = results.get(`${SILENT} www.example.org`) as { response: readonly { readonly rcode: number }[] }
    expect(response.map(({ rcode }) => rcode)).toEqual([-1, -1, 3])
    // From the octets alone everything comes out the same.
    const again = await run(shared, ['satellite', 'replay', tree, '--output', join(directory, 'again')])
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('all equal') as unknown })
    const compared = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; equal: boolean })
    expect(compared.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['results_verified.json', 'raw/responses.json']),
    )
    for (const [format, name] of [
      ['v1', 'interference.json'],
      ['v2.0', 'raw/results.json'],
      ['v2.1', 'raw/results.json'],
    ] as const) {
      const output = join(directory, format)
      const { status: replayed } = await run(shared, [
        'satellite',
        'replay',
        tree,
        '--output',
        output,
        '--format',
        format,
      ])
      expect([replayed, readRows(join(output, name)).length]).toEqual([0, format === 'v1' ? 6 : 9])
    }
    const errors = readRows(join(directory, 'v1/answers_err.json')).map(({ query, error }) => [query, error])
    expect(new Map(errors as [string, string][]).get('www.example.org')).toBe('no_answer')
  })

  test('fetches with consent alone, once for each address and name', async () => {
    const { directory } = files
    expect(shared.requests).toEqual([])
    const tree = findRun(directory)
    expect((await run(shared, ['satellite', 'fetch', tree])).stderr).toContain('fetch was skipped: no consent')
    for (const stage of ['tag', 'fetch', 'fetch']) {
      const { status } = await run(shared, ['satellite', stage, tree, '--i-have-permission-to-fetch'])
      expect(status).toBe(0)
    }
    expect(shared.requests.every(({ cookie }) => cookie === undefined)).toBe(true)
    const asked = shared.requests.map(({ address, scheme, host }) => `${scheme}://${host} at ${address}`)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked).toEqual(expect.arrayContaining([`https://blocked.example.net at ${LIE}`, `http://${LIE} at ${LIE}`]))
    const [page] = readRows(join(tree, 'blockpages.json'))
    expect(page).toMatchObject({
      ip: LIE,
      keyword: 'blocked.example.net',
      http: { status_line: '200 OK', body: 'blocked by order' },
      https: { status_line: '200 OK', body: 'blocked by order' },
      fetched: true,
    })
    const fetches = readRows(join(tree, 'raw/fetches.json'))
    const find = (address: string, domain: string): unknown =>
      fetches.find((each) => each['address'] === address && each['domain'] === domain)
    expect(find(LIE, 'blocked.example.net')).toMatchObject({
      certificate: { is_chain_valid: true, is_name_valid: false, reason: 'ssl_invalid_hostname' },
    })
    const right = trueAddress('blocked.example.net')
    expect(find(right, 'blocked.example.net')).toMatchObject({ certificate: { is_name_valid: true, reason: null } })
    expect(readRows(join(tree, 'raw/control_pages.json'))).toMatchObject([
      { ip: right, keyword: 'blocked.example.net' },
    ])
    const tags = new Map(readRows(join(tree, 'raw/tagged_responses.json')).map((row) => [row['ip'], row]))
    expect(tags.get(LIE)).toMatchObject({ http: expect.stringMatching(/^[\da-f]{64}$/) as unknown })
    // Its server says that the page is for one request alone.
    expect(tags.get(right)).toMatchObject({ http: '', cert: expect.stringMatching(/^[\da-f]{64}$/) as unknown })
  })

  test('leaves out who opts out when the run is under way', async () => {
    const tree = findRun(files.directory)
    const journal = join(tree, 'journal/query.jsonl')
    writeFileSync(journal, `${readFileSync(journal, 'utf8').split('\n')[0] ?? ''}\n`)
    const list = join(files.directory, 'in/later')
    writeFileSync(list, `${RIGHT}\nns3.example.org\n`)
    shared.seen.length = 0
    expect((await run(shared, ['satellite', 'query', tree, '--opt-out', list])).status).toBe(0)
    expect(new Set(shared.seen.map(({ resolver }) => resolver))).toEqual(new Set([...CONTROL, LIAR]))
  })

  test('asks nobody who opted out, by address, prefix, system or name, at any stage', async () => {
    await using world = await startWorld()
    const { directory, options } = putFiles(makeTestDirectory(), {
      'opt-out': `${RIGHT}\n198.18.2.0/24\nAS${ownerOf(SILENT)}\n*.dyn.example.org\n${LIE}\n`,
      special: `${UNNAMED} ns.opted-out.example\n`,
    })
    const optOut = join(directory, 'in/opt-out')
    writeFileSync(optOut, `${readFileSync(optOut, 'utf8')}ns.opted-out.example\n`)
    const { status, stderr } = await run(world, ['satellite', 'full', ...options, '--i-have-permission-to-fetch'])
    expect([status, stderr]).toEqual([0, expect.stringContaining('wrote')])
    const asked = new Set(world.seen.map(({ resolver }) => resolver))
    expect([...asked].toSorted()).toEqual([...CONTROL, UNNAMED].toSorted())
    // It has no name of its own, so only the list could say that it must not be asked for others' names.
    expect(world.seen.filter(({ resolver, name }) => resolver === UNNAMED && name !== PROBE_NAME)).toEqual([])
    expect(world.requests.filter(({ address }) => address === LIE)).toEqual([])
    expect(readRows(join(findRun(directory), 'resolvers.json')).map(({ name }) => name)).toEqual(['control', 'control'])
  })

  test('refuses a probe without a list of those who must not be probed, and one that was not announced', async () => {
    await using world = await startWorld()
    const { directory, options } = putFiles(makeTestDirectory())
    const bare = options.filter((option, at) => option !== '--blocklist' && options[at - 1] !== '--blocklist')
    const refused = await run(world, ['satellite', 'full', ...bare])
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--blocklist FILE') as unknown })
    const nowhere = await run(world, ['satellite', 'query', join(directory, 'nowhere')])
    expect(nowhere).toMatchObject({ status: 2, stderr: expect.stringContaining('no such directory') as unknown })
    expect(readdirSync(directory)).toEqual(['in'])
    writeFileSync(join(directory, 'in/addresses'), '8.8.8.8\n')
    const early = await run(world, ['satellite', 'discover', ...options])
    expect(early).toMatchObject({ status: 1, stderr: expect.stringContaining('announced a day before') as unknown })
    const again = join(directory, 'again')
    const announced = await run(world, [
      'satellite',
      'discover',
      ...options,
      '--output',
      again,
      '--announce',
      '--contact',
      'us <a@b.example>',
    ])
    expect(announced.status).toBe(0)
    const tree = findRun(again)
    expect(readFileSync(join(tree, 'announcement.html'), 'utf8')).toContain('us &#60;a@b.example&#62;')
    const soon = await run(world, ['satellite', 'discover', '--resume', tree])
    expect(soon).toMatchObject({ status: 1, stderr: expect.stringContaining('less than a day ago') as unknown })
    const path = join(tree, 'announcement.json')
    const change = (from: string | RegExp, to: string): void => {
      writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
    }
    change(/"announced_at": "[^"]+"/, '"announced_at": "2020-01-01T00:00:00Z"')
    change('8.8.8.8', '9.9.9.9')
    const outside = await run(world, ['satellite', 'probe', '--resume', tree])
    expect(outside).toMatchObject({ status: 1, stderr: expect.stringContaining('does not cover 8.8.8.8') as unknown })
    change('9.9.9.9', '8.8.8.8')
    // Nothing of this leaves the machine: the network of a laboratory ends at its addresses, and nobody is asked.
    expect((await run(world, ['satellite', 'probe', '--resume', tree])).status).toBe(3)
  })
})
