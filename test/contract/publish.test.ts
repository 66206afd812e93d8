import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
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
