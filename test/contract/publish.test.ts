import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startObjectStore } from '../../src/lab/object-store.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { acquireRunLock } from '../../src/store/run-lock.node.ts'
import { makeTestDirectory, publishYear } from '../publish-fixtures/published-year.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const NOW = Date.now()

/** Records of a command, JSON Lines. */
function parseRecords(stdout: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

describe('candor publish retention', () => {
  test('says what it would do, does nothing, and then does it', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 400 * 86_400_000, days: 2, runsPerDay: 1 })
    const argv = ['publish', 'retention', '--directory', directory, '--data-dir', await makeTestDirectory()]
    const before = await readdir(directory)
    const dry = await runSimulatedCli([...argv, '--dry-run'])
    expect(dry).toMatchObject({ status: 0 })
    expect(dry.stderr).toContain('4 steps would be taken')
    expect(await readdir(directory)).toEqual(before)
    const real = await runSimulatedCli(argv)
    expect(parseRecords(real.stdout)).toEqual(parseRecords(dry.stdout))
    expect(parseRecords(real.stdout)[0]).toMatchObject({ action: 'delete', reports: 1 })
    expect(await readdir(directory)).toEqual(['files-all.json', 'files.json', 'latest.json'])
  })

  test('takes its ages from the options', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 86_400_000, days: 2, runsPerDay: 1 })
    const argv = ['publish', 'retention', '--directory', directory, '--dry-run', '--gzip-after-days', '2']
    const { status, stdout } = await runSimulatedCli(argv, { isTerminal: true })
    expect(status).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^action +name +reports$/)
    expect(stdout.match(/^compress /gm)).toHaveLength(2)
  })

  test('refuses a directory that a run holds, and with --skip-if-busy leaves it quietly', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW, days: 1, runsPerDay: 1 })
    const state = await makeTestDirectory()
    await using lock = await acquireRunLock(state, 'candor exits run')
    void lock
    const argv = ['publish', 'retention', '--directory', directory, '--data-dir', state]
    const busy = await runSimulatedCli(argv)
    expect(busy.status).toBe(1)
    expect(busy.stderr).toContain('in use by candor exits run')
    expect(await runSimulatedCli([...argv, '--skip-if-busy'])).toMatchObject({ status: 0, stdout: '' })
  })

  test('says how to name the directory when there is none', async () => {
    const { status, stderr } = await runSimulatedCli(['publish', 'retention', '--directory', '/nonexistent'])
    expect(status).toBe(2)
    expect(stderr).toContain('--directory DIRECTORY')
  })
})

describe('candor publish sync', () => {
  const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-that-nobody-may-see' }

  async function configure(endpoint: string, more: string = ''): Promise<string> {
    const path = join(await makeTestDirectory(), 'candor.toml')
    const store = ['[[publish.stores]]', 'name = "lab-1"', `endpoint = "${endpoint}"`, 'bucket = "results"', more]
    await writeFile(path, `${store.join('\n')}\n`)
    return path
  }

  test('uploads what is there, says so, and shows no key when a store refuses it', async () => {
    await using server = await startObjectStore({ ...KEYS, region: 'us-east-1', bucket: 'results', clock: nodeClock })
    const { directory } = await publishYear({ endsAtMs: NOW, days: 1, runsPerDay: 1 })
    const argv = ['publish', 'sync', '--config', await configure(server.url), '--directory', directory]
    const state = ['--data-dir', await makeTestDirectory()]
    const environment = {
      CANDOR_STORE_LAB_1_ACCESS_KEY_ID: KEYS.accessKeyId,
      CANDOR_STORE_LAB_1_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    }
    const dry = await runSimulatedCli([...argv, ...state, '--dry-run'], { environment })
    expect(dry).toMatchObject({ status: 0, stderr: '' })
    expect(server.objects.size).toBe(0)
    const real = await runSimulatedCli([...argv, ...state], { environment })
    expect(real.stdout).toBe(dry.stdout)
    expect(parseRecords(real.stdout)).toEqual([
      {
        store: 'lab-1',
        uploaded: 5,
        removed: 0,
        unchanged: 0,
        sent_octets: expect.any(Number) as number,
        failure: null,
      },
    ])
    expect(server.objects.size).toBe(5)
    const wrong = { ...environment, CANDOR_STORE_LAB_1_SECRET_ACCESS_KEY: 'another-secret-nobody-may-see' }
    const refused = await runSimulatedCli(['-v', 'debug', ...argv, ...state], { environment: wrong, isTerminal: true })
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('403 SignatureDoesNotMatch')
    expect(refused.stdout + refused.stderr).not.toMatch(/nobody-may-see|AKIDEXAMPLE|Signature=/)
  })

  test('takes keys from files that only their owner can read', async () => {
    await using server = await startObjectStore({ ...KEYS, region: 'us-east-1', bucket: 'results', clock: nodeClock })
    const { directory } = await publishYear({ endsAtMs: NOW, days: 1, runsPerDay: 1 })
    const secrets = await makeTestDirectory()
    const [id, secret] = [join(secrets, 'id'), join(secrets, 'secret')]
    await writeFile(id, `${KEYS.accessKeyId}\n`, { mode: 0o600 })
    await writeFile(secret, `${KEYS.secretAccessKey}\n`, { mode: 0o640 })
    const more = `access_key_id_file = "${id}"\nsecret_access_key_file = "${secret}"`
    const argv = ['publish', 'sync', '--config', await configure(server.url, more), '--directory', directory]
    const open = await runSimulatedCli([...argv, '--data-dir', secrets])
    expect(open.status).toBe(2)
    expect(open.stderr).toContain(`chmod 600 ${secret}`)
    expect(open.stderr).not.toContain('nobody-may-see')
    await chmod(secret, 0o600)
    expect(await runSimulatedCli([...argv, '--data-dir', secrets])).toMatchObject({ status: 0 })
  })

  test.each([
    ['no key', '', {}, 'CANDOR_STORE_LAB_1_ACCESS_KEY_ID'],
    ['a key with a line feed', '', { CANDOR_STORE_LAB_1_ACCESS_KEY_ID: 'a\nb' }, 'printable characters'],
    ['R2 without account', 'kind = "r2"', {}, 'account = '],
    ['a key that does not exist', 'bukket = "x"', {}, 'bucket is'],
    ['a bucket that is none', 'bucket = "../x"', {}, 'bucket'],
    ['two of a name', '[[publish.stores]]\nname = "lab-1"\nendpoint = "http://s"\nbucket = "abc"', {}, 'another name'],
  ])('says what is wrong with %s', async (_name, more, environment, text) => {
    const { directory } = await publishYear({ endsAtMs: NOW, days: 1, runsPerDay: 1 })
    const endpoint = more.startsWith('kind') ? '' : 'http://127.0.0.1:1'
    const path = await configure(endpoint, more)
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== 'endpoint = ""')
    const unique = more.startsWith('bucket') ? lines.filter((line) => line !== 'bucket = "results"') : lines
    await writeFile(path, unique.join('\n'))
    const outcome = await runSimulatedCli(['publish', 'sync', '--config', path, '--directory', directory], {
      environment,
    })
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain(text)
  })
})

describe('candor publish list', () => {
  test('lists every name once, in the form in which it lies there', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 35 * 86_400_000, days: 240, runsPerDay: 0.1 })
    const list = ['publish', 'list', '--directory', directory]
    const before = parseRecords((await runSimulatedCli(list)).stdout)
    expect(before.every(({ form }) => form === 'file')).toBe(true)
    await runSimulatedCli(['publish', 'retention', '--directory', directory, '--data-dir', await makeTestDirectory()])
    const after = parseRecords((await runSimulatedCli(list)).stdout)
    const names = (records: typeof after): ReadonlySet<unknown> => new Set(records.map(({ name }) => name))
    expect(names(after)).toEqual(new Set([...contents.keys(), 'files-all.json', 'files.json']))
    expect(after).toHaveLength(contents.size + 2)
    expect(names(after)).toEqual(names(before))
    expect(new Set(after.map(({ form }) => String(form).replace(/\d{4}-\d\d/, 'M')))).toEqual(
      new Set(['file', 'gz', 'archives/M.tar.gz']),
    )
  })
})
