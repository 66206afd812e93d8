/** `candor start` as a process: the page at once, a laboratory with real Tor relays, verdicts beside the truth. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import type { RunningProcess } from '../../src/core/process-runner.ts'

const HOME = join(import.meta.dirname, '../..')
/** The first run over resolvers ends a minute after the start. */
const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const TOR = await nodeProcesses.which('tor')

if (TOR === undefined) process.stderr.write('skipped: candor start with a laboratory (apt-get install tor)\n')

/** A running `candor start`. */
interface StartedCandor {
  readonly url: string
  readonly process: RunningProcess
  readonly lines: readonly string[]
}

/** The part of the current run that these tests read. */
interface RunAnswer {
  readonly phase: string
  readonly message: string
  readonly counts: Readonly<Record<string, number>>
  readonly truth: { readonly agreeing: number; readonly disagreeing: number } | null
}

const running: RunningProcess[] = []
const directories: string[] = []

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A directory of its own for everything that is written. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'start-test-'))
  directories.push(directory)
  return directory
}

/** Starts the command and waits for the line with the page's address. */
async function startCandor(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<StartedCandor> {
  const lines: string[] = []
  const child = await nodeProcesses.start(process.execPath, [join(HOME, 'src/cli/main.ts'), 'start', ...args], {
    environment,
    onLine: (line) => {
      lines.push(line)
    },
  })
  running.push(child)
  await expect.poll(() => lines.find((line) => line.startsWith('http://')), { timeout: 30_000 }).toBeDefined()
  return { url: lines.find((line) => line.startsWith('http://')) ?? '', process: child, lines }
}

async function readRun(url: string): Promise<RunAnswer> {
  return (await (await fetch(`${url}api/v1/runs/current`)).json()) as RunAnswer
}

/** @returns Ids of processes whose command line names `directory`. */
function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    const path = `/proc/${name}/cmdline`
    if (!/^\d+$/.test(name) || !existsSync(path)) return false
    try {
      return readFileSync(path, 'utf8').includes(directory)
    } catch {
      return false // It ended between the two looks.
    }
  })
}

describe.skipIf(TOR === undefined)('candor start', () => {
  test('scans its laboratory, agrees with the truth, and leaves nothing behind', async () => {
    const directory = makeDirectory()
    const candor = await startCandor(['--port', '0', '--exits', '3', '--seed', 'start-test'], { TMPDIR: directory })
    expect(await (await fetch(candor.url)).text()).toContain('Building the laboratory')
    await expect.poll(async () => (await readRun(candor.url)).phase, { timeout: 150_000, interval: 500 }).toBe('done')
    const run = await readRun(candor.url)
    expect(run.truth).toEqual({ agreeing: 3, disagreeing: 0, open: 0 })
    expect(run.counts).toMatchObject({ success: 1, wrong_ip: 2 })
    const latest = (await (await fetch(`${candor.url}latest.json`)).json()) as { readonly results: readonly unknown[] }
    expect(latest.results).toHaveLength(3)
    expect((await fetch(`${candor.url}files.json`)).status).toBe(200)
    const kept = (await (await fetch(`${candor.url}api/v1/runs`)).json()) as { readonly runs: readonly unknown[] }
    expect(kept.runs).toHaveLength(1)
    candor.process.kill('SIGINT')
    expect(await candor.process.exited).toEqual({ code: 0, signal: undefined })
    expect(readdirSync(directory)).toEqual([])
    expect(processesOf(directory)).toEqual([])
  })

  test('ends at once when it is interrupted while the laboratory is built', async () => {
    const directory = makeDirectory()
    const candor = await startCandor(['--port', '0', '--exits', '3'], { TMPDIR: directory })
    await expect.poll(() => processesOf(directory).length, { timeout: 60_000 }).toBeGreaterThan(3)
    candor.process.kill('SIGINT')
    expect(await candor.process.exited).toEqual({ code: 0, signal: undefined })
    expect(readdirSync(directory)).toEqual([])
    await expect.poll(() => processesOf(directory), { timeout: 20_000 }).toEqual([])
  })
})

describe('candor start without Tor', () => {
  test('says on the page what to install, and shows no run', async () => {
    const directory = makeDirectory()
    mkdirSync(join(directory, 'bin'))
    const candor = await startCandor(['--port', '0'], { TMPDIR: directory, PATH: join(directory, 'bin') })
    await expect.poll(async () => (await readRun(candor.url)).phase, { timeout: 20_000 }).toBe('failed')
    const page = await (await fetch(candor.url)).text()
    expect(page).toContain('There is nothing to show: no exit was measured.')
    expect(page).toContain('sudo apt-get install tor')
    expect(page).not.toContain('<table')
    candor.process.kill('SIGTERM')
    expect(await candor.process.exited).toEqual({ code: 0, signal: undefined })
  })

  test('has a page for runs over resolvers at once', async () => {
    const candor = await startCandor(['--port', '0'], { TMPDIR: makeDirectory() })
    const page = await fetch(`${candor.url}satellite`)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('No run over resolvers')])
    candor.process.kill('SIGTERM')
    expect(await candor.process.exited).toEqual({ code: 0, signal: undefined })
  })

  test.skipIf(!isFull)(
    'measures its resolvers, shows which countries interfere, and leaves nothing behind',
    async () => {
      const directory = makeDirectory()
      mkdirSync(join(directory, 'bin'))
      const candor = await startCandor(['--port', '0'], { TMPDIR: directory, PATH: join(directory, 'bin') })
      const readPage = async (): Promise<string> => (await fetch(`${candor.url}satellite`)).text()
      await expect.poll(readPage, { timeout: 200_000, interval: 1_000 }).toContain('84 resolvers in 10 countries')
      const { countries } = (await (await fetch(`${candor.url}api/v1/satellite/countries`)).json()) as {
        readonly countries: readonly { readonly country: string; readonly interfered: number }[]
      }
      const interfering = countries.filter(({ interfered }) => interfered > 0).map(({ country }) => country)
      expect(interfering.toSorted()).toEqual(['XI', 'XJ', 'XL', 'XN', 'XV'])
      candor.process.kill('SIGINT')
      expect(await candor.process.exited).toEqual({ code: 0, signal: undefined })
      expect(readdirSync(directory)).toEqual(['bin'])
    },
  )

  test('takes the next free port, and says so', async () => {
    const directory = makeDirectory()
    const environment = { TMPDIR: directory, PATH: directory }
    const first = await startCandor(['--port', '0'], environment)
    const { port } = new URL(first.url)
    const second = await startCandor(['--port', port], environment)
    expect(Number(new URL(second.url).port)).toBeGreaterThan(Number(port))
    expect(second.lines.join('\n')).toContain(`port ${port} is in use`)
  })
})
