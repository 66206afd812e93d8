import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runSimulatedCli } from '../contract/simulated-cli.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { HOME } from '../tidy/source-tree.ts'
import { startBulkResponder, type BulkResponderOptions } from './bulk-responder.ts'

const MAIN = join(HOME, 'src/cli/main.ts')

/** What the tests look at. */
interface BulkRecord {
  readonly name: string
  readonly type: string
  readonly status: string
  readonly proto: string
  readonly tries: number
}

async function readRecords(path: string): Promise<readonly BulkRecord[]> {
  const text = await readFile(path, 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BulkRecord)
}

function namesText(count: number): string {
  return Array.from({ length: count }, (_, i) => `n${i}.example\n`).join('')
}

/** Runs the command over `names` against one server. */
async function runBulk(
  directory: string,
  names: string,
  options: BulkResponderOptions = {},
  more: readonly string[] = [],
) {
  await using server = await startBulkResponder(options)
  const path = (name: string): string => join(directory, name)
  await writeFile(path('names'), names)
  await writeFile(path('resolvers'), `127.0.0.1#${server.port}\n`)
  const outcome = await runSimulatedCli([
    'bulk',
    '--names',
    path('names'),
    '--resolvers',
    path('resolvers'),
    '--output',
    path('out'),
    '--timeout',
    '200',
    '--seed',
    'seed',
    ...more,
  ])
  return { ...outcome, queries: server.queries(), records: await readRecords(path('out')) }
}

describe('candor bulk', () => {
  test('gives each name one record, and says so in the status file', async () => {
    const directory = makeTemporaryDirectory()
    const statusFile = join(directory, 'status')
    const more = ['--type', 'A,AAAA', '--status-file', statusFile]
    const { status, records, queries } = await runBulk(directory, namesText(2000), {}, more)
    expect(status).toBe(0)
    expect(queries).toBeGreaterThanOrEqual(4000)
    expect(new Set(records.map(({ name, type }) => `${name} ${type}`)).size).toBe(4000)
    expect(records).toHaveLength(4000)
    expect(JSON.parse(await readFile(statusFile, 'utf8'))).toMatchObject({ phase: 'finished', finished: 4000 })
  })
  test('takes the answer and not what is injected before it', async () => {
    const directory = makeTemporaryDirectory()
    const respond = (_query: Uint8Array, plain: Uint8Array): readonly Uint8Array[] => {
      const wrongId = plain.slice()
      wrongId[0] = (wrongId[0] ?? 0) ^ 0x55
      const wrongQuestion = plain.slice()
      wrongQuestion[14] = (wrongQuestion[14] ?? 0) ^ 1
      return [wrongId, wrongQuestion, plain.slice(0, 5), plain.slice(0, -1), plain, plain]
    }
    const statusFile = join(directory, 'status')
    const { records } = await runBulk(directory, namesText(200), { respond }, ['--status-file', statusFile])
    expect(records.every(({ status }) => status === 'NOERROR')).toBe(true)
    expect(records).toHaveLength(200)
    const status = JSON.parse(await readFile(statusFile, 'utf8')) as Record<string, number>
    expect(status['wrong_id']).toBeGreaterThan(0)
    expect(status['wrong_question']).toBeGreaterThan(0)
    expect(status['malformed']).toBeGreaterThan(0)
    expect((status['duplicate'] ?? 0) + (status['late'] ?? 0)).toBeGreaterThan(0)
  })
  test('asks over TCP what was truncated', async () => {
    const directory = makeTemporaryDirectory()
    const respond = (_query: Uint8Array, plain: Uint8Array): readonly Uint8Array[] => {
      const truncated = plain.slice()
      truncated[2] = (truncated[2] ?? 0) | 0x02
      return [truncated]
    }
    const { records } = await runBulk(directory, namesText(300), { respond })
    expect(records).toHaveLength(300)
    expect(records.every(({ proto, status }) => proto === 'TCP' && status === 'NOERROR')).toBe(true)
  })
  test('says which lines it skips, and ends with status 3', async () => {
    const directory = makeTemporaryDirectory()
    const { status, stderr, records } = await runBulk(directory, 'a.example\nb..example\nc.example\n')
    expect(status).toBe(3)
    expect(stderr).toContain('line 2 of the input is skipped: no domain name')
    expect(records.map(({ name }) => name).toSorted()).toEqual(['a.example.', 'c.example.'])
  })
  test('gives a record to what nobody answers', async () => {
    const directory = makeTemporaryDirectory()
    const { status, records } = await runBulk(directory, namesText(3), { respond: () => [] }, ['--retries', '1'])
    expect(status).toBe(0)
    expect(records.map(({ status: word, tries }) => `${word} ${tries}`)).toEqual(Array(3).fill('TIMEOUT 2'))
  })
  test('asks nothing twice when a complete run is resumed, and refuses other options', async () => {
    const directory = makeTemporaryDirectory()
    await runBulk(directory, namesText(100))
    const size = (await stat(join(directory, 'out'))).size
    const path = (name: string): string => join(directory, name)
    const argv = [
      'bulk',
      '--names',
      path('names'),
      '--resolvers',
      path('resolvers'),
      '--output',
      path('out'),
      '--resume',
    ]
    const again = await runSimulatedCli(argv)
    expect(again).toMatchObject({ status: 0 })
    expect(again.stderr).toContain('complete already')
    expect((await stat(path('out'))).size).toBe(size)
    expect((await runSimulatedCli([...argv, '--type', 'TXT'])).status).toBe(2)
  })
  test('writes a table, and refuses to write one to stdout', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    const path = (name: string): string => join(directory, name)
    await writeFile(path('names'), namesText(50))
    await writeFile(path('resolvers'), `127.0.0.1#${server.port}\n`)
    const argv = ['bulk', '--names', path('names'), '--resolvers', path('resolvers'), '--format', 'parquet']
    expect((await runSimulatedCli([...argv, '--output', path('out.parquet')])).status).toBe(0)
    expect((await readdir(directory)).toSorted()).toEqual(['names', 'out.parquet', 'resolvers'])
    expect((await readFile(path('out.parquet'))).subarray(0, 4).toString()).toBe('PAR1')
    expect((await runSimulatedCli(argv)).status).toBe(2)
  })
  test('takes the records of trusted resolvers, and marks what random names are answered too', async () => {
    const directory = makeTemporaryDirectory()
    const path = (name: string): string => join(directory, name)
    const isBelow = (query: Uint8Array, label: string): boolean => Buffer.from(query).includes(label)
    const noSuchName = (plain: Uint8Array): Uint8Array => {
      const answer = plain.slice(0, plain.length - 16)
      answer.set([0x85, 0x83, 0, 1, 0, 0], 2)
      return answer
    }
    // Everything has an address here; in truth only what is below `wild`, and `real.tame`.
    await using liar = await startBulkResponder()
    await using honest = await startBulkResponder({
      respond: (query, plain) => (isBelow(query, 'wild') || isBelow(query, 'real') ? [plain] : [noSuchName(plain)]),
    })
    await writeFile(path('names'), 'a.wild.example\nreal.tame.example\nfake.tame.example\n')
    await writeFile(path('resolvers'), `127.0.0.1#${liar.port}\n`)
    await writeFile(path('trusted'), `127.0.0.1#${honest.port}\n`)
    const argv = ['bulk', '--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
    expect((await runSimulatedCli([...argv, '--trusted', path('trusted'), '--wildcards'])).status).toBe(0)
    const records = (await readRecords(path('out'))) as readonly (BulkRecord & { matches_wildcard?: boolean })[]
    expect(
      records.map(({ name, status, matches_wildcard: wild }) => `${name} ${status} ${wild ?? '-'}`).toSorted(),
    ).toEqual(['a.wild.example. NOERROR true', 'fake.tame.example. NXDOMAIN -', 'real.tame.example. NOERROR false'])
    expect((await readdir(directory)).toSorted()).toEqual(['names', 'out', 'resolvers', 'trusted'])
    expect((await runSimulatedCli([...argv.slice(0, 5), '--wildcards'])).status).toBe(2)
  })
  test('shares sockets when the system gives no more', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    const path = (name: string): string => join(directory, name)
    const others = Array.from({ length: 200 }, (_, i) => `127.0.9.${i + 1}#9\n`).join('')
    await writeFile(path('resolvers'), `127.0.0.1#${server.port}\n${others}`)
    await writeFile(path('names'), namesText(300).replaceAll('\n', ` A 127.0.0.1#${server.port}\n`))
    const command = `ulimit -n 90; exec "$0" "$@"`
    const argv = ['bulk', '--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
    const child = spawn('sh', ['-c', command, process.execPath, MAIN, ...argv, '--backend', 'dgram'], {
      stdio: 'ignore',
    })
    expect(await once(child, 'close')).toEqual([0, null])
    const records = await readRecords(path('out'))
    expect(records.every(({ status }) => status === 'NOERROR')).toBe(true)
    expect(new Set(records.map(({ name }) => name)).size).toBe(300)
  })
  test('ends with status 1 when the disk is full', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    const path = (name: string): string => join(directory, name)
    await writeFile(path('names'), namesText(500))
    await writeFile(path('resolvers'), `127.0.0.1#${server.port}\n`)
    // Every write to it fails with ENOSPC.
    await symlink('/dev/full', path('out'))
    const argv = ['bulk', '--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
    const outcome = await runSimulatedCli(argv)
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toContain('the disk is full')
  })
  test('refuses to resume onto stdout, and lists that are none', async () => {
    const directory = makeTemporaryDirectory()
    const path = (name: string): string => join(directory, name)
    await writeFile(path('names'), 'a.example\n')
    await writeFile(path('resolvers'), '127.0.0.1\n')
    await writeFile(path('bad'), 'nobody\n')
    const argv = ['bulk', '--names', path('names'), '--resolvers']
    expect((await runSimulatedCli([...argv, path('resolvers'), '--resume'])).status).toBe(2)
    expect((await runSimulatedCli([...argv, path('bad')])).status).toBe(2)
    expect((await runSimulatedCli([...argv, path('resolvers'), '--rate', 'fast'])).status).toBe(2)
    expect((await runSimulatedCli([...argv, path('absent')])).status).toBe(1)
  })
  test('reads stdin, writes stdout, and ends with status 1 when nobody reads', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    await writeFile(join(directory, 'resolvers'), `127.0.0.1#${server.port}\n`)
    const command = ['bulk', '--names', '-', '--resolvers', join(directory, 'resolvers'), '--quiet']
    const run = async (head: boolean): Promise<{ lines: number; status: number }> => {
      const child = spawn(process.execPath, [MAIN, ...command], { stdio: ['pipe', 'pipe', 'ignore'] })
      child.stdin.on('error', () => {})
      child.stdin.end(namesText(20_000))
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (head) child.stdout.destroy()
      })
      const [status] = (await once(child, 'close')) as [number]
      return { lines: text.split('\n').length - 1, status }
    }
    expect(await run(false)).toEqual({ lines: 20_000, status: 0 })
    expect((await run(true)).status).toBe(1)
  })
  test('finishes what is in flight at the first interrupt and resumes to one record for each name', async () => {
    const directory = makeTemporaryDirectory()
    await using server = await startBulkResponder()
    const path = (name: string): string => join(directory, name)
    await writeFile(path('names'), namesText(4000))
    await writeFile(path('resolvers'), `127.0.0.1#${server.port}\n`)
    const command = ['bulk', '--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
    const paced = [...command, '--rate', '2000', '--status-file', path('status')]
    const interrupt = async (signal: 'SIGINT' | 'SIGKILL', more: readonly string[]): Promise<number | null> => {
      const child = spawn(process.execPath, [MAIN, ...paced, ...more], { stdio: 'ignore' })
      const closed = once(child, 'close') as Promise<[number | null]>
      const before = server.queries()
      // A journal is there, and more has been asked since.
      for (let i = 0; i < 200 && server.queries() < before + 1300; i++)
        await new Promise((done) => setTimeout(done, 25))
      child.kill(signal)
      return (await closed)[0]
    }
    expect(await interrupt('SIGINT', [])).toBe(130)
    const partial = await readRecords(path('out'))
    expect(partial.length).toBeGreaterThan(1000)
    expect(partial.length).toBeLessThan(4000)
    expect(await interrupt('SIGKILL', ['--resume'])).toBe(null)
    expect((await runSimulatedCli([...paced, '--resume'])).status).toBe(0)
    const records = await readRecords(path('out'))
    expect(new Set(records.map(({ name }) => name)).size).toBe(4000)
    expect(records).toHaveLength(4000)
  })
})
