import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
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

function putFiles(more: Readonly<Record<string, string>> = {}): Files {
  const directory = makeTestDirectory()
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
  startSmallWorld([...CONTROL, RIGHT, LIAR, SILENT, UNNAMED, HOME], NAMES, {
    [LIAR]: (name) =>
      name === 'blocked.example.net' ? [LIE] : name === LIVENESS_NAME ? ['198.51.100.8'] : [trueAddress(name)],
    [SILENT]: (name, attempt) =>
      name === LIVENESS_NAME ? ['198.51.100.8'] : name === 'news.example.com' ? undefined : attempt < 3 ? undefined : 3,
  })

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
  test('writes the documented tree, and names what was skipped', async () => {
    await using world = await startWorld()
    const { directory, options } = putFiles()
    const { status, stderr } = await run(world, ['satellite', 'full', ...options])
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
  })
})
