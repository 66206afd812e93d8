/** A run over open resolvers that is killed in every stage, finds the disk full, and ends with the rows of an undisturbed one. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import {
  LIVENESS_NAME,
  PROBE_ANSWER,
  PROBE_NAME,
  startSmallWorld,
  trueAddress,
  WHOAMI_NAME,
  type SmallWorld,
} from '../satellite-fixtures/small-world.ts'
import { HOME } from '../tidy/source-tree.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const CONTROL = ['198.19.96.1', '198.19.96.2']
const RESOLVERS = Array.from({ length: 12 }, (_, index) => `198.18.${1 + (index % 3)}.${50 + index}`)
const NAMES = Object.fromEntries(RESOLVERS.map((address, index) => [address, `ns${index}.example.org`]))
const DOMAINS = Array.from({ length: 6 }, (_, index) => `name${index}.example`)
const LIE = '203.0.113.66'
const POLL_MS = 4

interface Setting {
  readonly directory: string
  readonly world: string
  readonly options: readonly string[]
}

function startWorld(): Promise<SmallWorld> {
  const liar = RESOLVERS[0] ?? ''
  const site = { body: 'blocked', names: ['block.example'] }
  const lies = {
    [liar]: (name: string) =>
      name === LIVENESS_NAME ? ['198.51.100.8'] : name === 'name3.example' ? [LIE] : [trueAddress(name)],
  }
  const sites = Object.fromEntries(DOMAINS.map((name) => [trueAddress(name), { ...site, body: name, names: [name] }]))
  return startSmallWorld([...CONTROL, ...RESOLVERS], NAMES, lies, { ...sites, [LIE]: site })
}

function putFiles(world: SmallWorld): Setting {
  const directory = makeTemporaryDirectory()
  const files = {
    addresses: RESOLVERS.join('\n'),
    domains: DOMAINS.join('\n'),
    control: CONTROL.join('\n'),
    blocklist: '',
  }
  mkdirSync(join(directory, 'in'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'in', name), text)
  const path = join(directory, 'world.json')
  writeFileSync(path, JSON.stringify({ routes: world.routes, authority: world.authority }))
  const options = [
    ...Object.keys(files).flatMap((name) => [`--${name}`, join(directory, 'in', name)]),
    `--probe-name=${PROBE_NAME}`,
    `--probe-answer=${PROBE_ANSWER}`,
    `--liveness-name=${LIVENESS_NAME}`,
    `--whoami-name=${WHOAMI_NAME}`,
    '--timeout=300ms',
    '--seed=killed',
    '--i-have-permission-to-fetch',
  ]
  return { directory, world: path, options }
}

interface Ended {
  readonly status: number | null
  readonly stderr: string
}

/** Runs to the end, or until `isEnough` says so: then the process is killed with −9. */
async function run({ world }: Setting, argv: readonly string[], isEnough?: () => boolean): Promise<Ended> {
  const script = join(HOME, 'test/satellite-fixtures/run-in-small-world.ts')
  const child = spawn(process.execPath, [script, world, 'satellite', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const closed = once(child, 'close')
  while (child.exitCode === null && child.signalCode === null) {
    if (isEnough?.() === true) child.kill('SIGKILL')
    await sleep(POLL_MS)
  }
  const [status] = (await closed) as [number | null]
  return { status, stderr }
}

function findRun(directory: string): string {
  const name = readdirSync(directory).find((each) => each.startsWith('CP_Satellite-'))
  return join(directory, name ?? 'none')
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** The rows of all published files without what differs from run to run: times, ids of messages, and the order. */
function readRows(tree: string): Readonly<Record<string, readonly string[]>> {
  const names = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.jsonl?$/.test(name) && !name.startsWith('journal') && name !== 'log.json',
  )
  const clean = (_key: string, value: unknown): unknown =>
    typeof value === 'string' && value.endsWith(' +0000 UTC') ? 'time' : value
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const lines = readFileSync(join(tree, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
      const rows = lines.map((line) =>
        JSON.stringify(JSON.parse(line), clean).replaceAll(/"(?:started|ended)_at_ms":[\d.]+/g, ''),
      )
      return [name, rows.map((row) => row.replaceAll(/"date":\["[^"]+"\]/gi, '')).toSorted()]
    }),
  )
}

describe('candor satellite full --resume', () => {
  test('ends with the same rows, killed in every stage and with a journal cut at any octet', async () => {
    await using world = await startWorld()
    const setting = putFiles(world)
    const whole = { ...setting, directory: join(setting.directory, 'whole') }
    const undisturbed = run(whole, ['full', ...setting.options, '--output', whole.directory])
    const killed = join(setting.directory, 'killed')
    const journal = (name: string): string => join(findRun(killed), 'journal', `${name}.jsonl`)
    const isIn = (stage: string): boolean =>
      readFileSync(join(findRun(killed), 'log.json'), 'utf8').includes(`"${stage}": {\n      "start"`)
    mkdirSync(killed)
    const moments: Readonly<Record<string, () => boolean>> = {
      probe: () => sizeOf(journal('probe')) > 0,
      ...(isFull ? { names: (): boolean => sizeOf(journal('names')) > 0 } : {}),
      liveness: () => sizeOf(journal('liveness')) > 0,
      ...(isFull ? { whoami: (): boolean => sizeOf(journal('whoami')) > 0 } : {}),
      query: () => sizeOf(journal('query')) > 10_000,
      ...(isFull ? { 'query again': (): boolean => sizeOf(journal('query')) > 40_000 } : {}),
      tag: () => sizeOf(journal('fetch')) > 0,
      detect: () => isIn('detect'),
      fetch: () => isIn('fetch'),
      verify: () => isIn('verify'),
    }
    const outcomes: string[] = []
    for (const [moment, isEnough] of Object.entries(moments)) {
      const isBegun = sizeOf(join(findRun(killed), 'journal/run.json')) > 0
      const argv = isBegun ? ['--resume', findRun(killed)] : [...setting.options, '--output', killed]
      const { status, stderr } = await run(setting, ['full', ...argv], isEnough)
      outcomes.push(`${moment} ${status === null ? 'killed' : `ended with ${status}: ${stderr}`}`)
      if (moment === 'query') truncateSync(journal('query'), sizeOf(journal('query')) - 777)
    }
    expect(outcomes).toEqual(Object.keys(moments).map((moment) => `${moment} killed`))
    expect(await run(setting, ['full', '--resume', findRun(killed)])).toMatchObject({ status: 0 })
    expect(await undisturbed).toMatchObject({ status: 0 })
    expect(readRows(findRun(killed))).toEqual(readRows(findRun(whole.directory)))
    // And nothing of it needs the network a second time.
    const again = await run(setting, ['replay', findRun(killed), '--output', join(setting.directory, 'again')])
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('all equal') as unknown })
  })

  const canMount =
    spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

  test.runIf(isFull && canMount)('ends with status 1 on a full disk, and goes on when there is room', async () => {
    await using world = await startWorld()
    const setting = putFiles(world)
    const disk = join(setting.directory, 'disk')
    mkdirSync(disk)
    const script = `
mount -t tmpfs -o size=300k none "$0"
"$@" full ${setting.options.join(' ')} --output "$0"; echo "status $?" >"${setting.directory}/outcome"
mount -o remount,size=64m "$0"
"$@" full --resume "$0"/CP_Satellite-*; echo "status $?" >>"${setting.directory}/outcome"
cp -r "$0"/CP_Satellite-* "${setting.directory}/saved"`
    const program = [
      process.execPath,
      join(HOME, 'test/satellite-fixtures/run-in-small-world.ts'),
      setting.world,
      'satellite',
    ]
    const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, disk, ...program], {
      stdio: 'ignore',
    })
    await once(child, 'close')
    expect(readFileSync(join(setting.directory, 'outcome'), 'utf8')).toBe('status 1\nstatus 0\n')
    const whole = join(setting.directory, 'whole')
    await run(setting, ['full', ...setting.options, '--output', whole])
    expect(readRows(join(setting.directory, 'saved'))).toEqual(readRows(findRun(whole)))
  })
})
