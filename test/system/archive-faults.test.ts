/** What happens to the archive when its writer is killed, or the disk is full: nothing that was acknowledged is lost. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { buildExitReport } from '../../src/campaigns/exits/exit-report.ts'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import type { ExitRelayDay } from '../../src/model/exit-archive.ts'
import type { ExitReport, ExitStatus } from '../../src/model/exit-result.ts'
import { openExitArchive, type ExitArchiveStore } from '../../src/store/exit-archive.node.ts'
import { exampleFacts, exampleFingerprint, exampleResult } from '../exit-fixtures/example-report.ts'
import { HOME } from '../tidy/source-tree.ts'

const CANDOR = join(HOME, 'bin/candor')
const KILLS = 20
/** Where on the way of some seconds a kill falls is drawn anew each time. */
const random = createSeededRandom(`archive-faults ${process.pid}`)
const SINCE = '2025-01-01T00:00:00.000Z'
const STATUSES: readonly ExitStatus[] = ['success', 'success', 'success', 'timeout', 'dns_fail', 'circuit_fail']

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-archive-faults-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

function runIdOf(run: number): string {
  const [day, hour] = [Math.floor(run / 4) + 1, (run % 4) * 6]
  return `202601${String(day).padStart(2, '0')}${String(hour).padStart(2, '0')}1500`
}

function reportOf(run: number, relays: number): ExitReport {
  const runId = runIdOf(run)
  const results = Array.from({ length: relays }, (_, index) =>
    exampleResult(index + 1, STATUSES[(index + run) % STATUSES.length] ?? 'success', { run_id: runId }),
  )
  return buildExitReport(
    results,
    exampleFacts({ run_id: runId, timestamp: `2026-01-01T00:00:${10 + (run % 50)}.000Z` }),
  )
}

/** Runs a command and kills it after a while. @returns What it had said by then, and how long it ran. */
async function runAndKill(args: readonly string[], afterMs: number): Promise<{ stdout: string; ended: boolean }> {
  const child = spawn(CANDOR, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const closed = once(child, 'close')
  const ended = await Promise.race([closed.then(() => true), pause(afterMs, false)])
  if (!ended) child.kill('SIGKILL')
  await closed
  return { stdout, ended }
}

async function withArchive<T>(dataDir: string, work: (archive: ExitArchiveStore) => Promise<T>): Promise<T> {
  const archive = await openExitArchive(join(dataDir, 'history.db'))
  try {
    return await work(archive)
  } finally {
    await archive.close()
  }
}

/** Verdicts of some relays per status, over all days: what neither a roll-up nor a crash may change. */
function countVerdicts(
  archive: ExitArchiveStore,
  relays: readonly number[],
): Promise<readonly (readonly ExitRelayDay[])[]> {
  return Promise.all(relays.map((relay) => archive.relayDays(exampleFingerprint(relay), SINCE)))
}

/** How long a command takes that is left alone, in milliseconds. */
async function timeOf(args: readonly string[]): Promise<number> {
  const startedAtMs = performance.now()
  expect((await runAndKill(args, 120_000)).ended).toBe(true)
  return performance.now() - startedAtMs
}

describe('candor exits import, killed', () => {
  test(`keeps every run that it acknowledged, ${KILLS} times over`, async () => {
    const directory = await makeDirectory()
    const reports = join(directory, 'reports')
    await mkdir(reports)
    const runs = 40
    for (let run = 0; run < runs; run++) {
      const id = runIdOf(run)
      await writeFile(
        join(reports, `dnshealth_${id.slice(0, 8)}_${id.slice(8)}.json`),
        JSON.stringify(reportOf(run, 120)),
      )
    }
    const importInto = (dataDir: string): readonly string[] => ['exits', 'import', reports, '--data-dir', dataDir]
    const wholeMs = await timeOf(importInto(join(directory, 'whole')))
    let dataDir = join(directory, 'data-0')
    const acknowledged = new Set<string>()
    for (let kill = 0; kill < KILLS; kill++) {
      const { stdout } = await runAndKill(
        importInto(dataDir),
        wholeMs * 0.02 + randomInt(random, Math.ceil(wholeMs * 0.88)),
      )
      // The last line may be cut off.
      for (const line of stdout.split('\n').slice(0, -1)) {
        const { run_id: runId, outcome } = JSON.parse(line) as { readonly run_id: string; readonly outcome: string }
        if (outcome === 'kept') acknowledged.add(runId)
      }
      // A kill may fall before the directory is made.
      await mkdir(dataDir, { recursive: true })
      const known = await withArchive(dataDir, async (archive) => {
        expect(await archive.check()).toEqual([])
        return (await archive.runs(null, 100)).map((each) => each.runId)
      })
      expect([...acknowledged].filter((runId) => !known.includes(runId))).toEqual([])
      if (known.length < runs) continue
      dataDir = join(directory, `data-${kill + 1}`)
      acknowledged.clear()
    }
    await timeOf(importInto(dataDir))
    const relays = [1, 2, 60, 120]
    const count = (path: string): ReturnType<typeof countVerdicts> =>
      withArchive(path, (archive) => countVerdicts(archive, relays))
    expect(await count(dataDir)).toEqual(await count(join(directory, 'whole')))
  })
})

describe('candor store retain, killed', () => {
  test(`loses and repeats no count, ${KILLS} times over`, async () => {
    const directory = await makeDirectory()
    const [relays, runs] = [[1, 7, 300, 900], 60]
    const template = join(directory, 'template')
    await mkdir(template)
    const expected = await withArchive(template, async (archive) => {
      for (let run = 0; run < runs; run++) await archive.append(reportOf(run, 900))
      return countVerdicts(archive, relays)
    })
    const copy = async (number: number): Promise<string> => {
      await cp(template, join(directory, `data-${number}`), { recursive: true })
      return join(directory, `data-${number}`)
    }
    const retain = (dataDir: string): readonly string[] => [
      'store',
      'retain',
      '--data-dir',
      dataDir,
      '--exits-rows',
      '2',
      '--exits-relay-days',
      '36500',
    ]
    let dataDir = await copy(0)
    const wholeMs = await timeOf(retain(dataDir))
    const expectComplete = (): Promise<void> =>
      withArchive(dataDir, async (archive) => {
        expect(await archive.usage()).toMatchObject({ runs, runsWithRows: 0, runsWithEvidence: 0 })
        expect(await countVerdicts(archive, relays)).toEqual(expected)
        expect(await archive.check()).toEqual([])
      })
    await expectComplete()
    dataDir = await copy(1)
    for (let kill = 0; kill < KILLS; kill++) {
      const { ended } = await runAndKill(retain(dataDir), wholeMs * 0.15 + randomInt(random, Math.ceil(wholeMs * 0.6)))
      await withArchive(dataDir, async (archive) => {
        expect(await archive.check()).toEqual([])
        expect(await countVerdicts(archive, relays)).toEqual(expected)
      })
      if (ended) dataDir = await copy(kill + 2)
    }
    await timeOf(retain(dataDir))
    await expectComplete()
  })
})

/** A history as the first version of the program left it. */
function writeSchema1(path: string, runs: number, relays: number): void {
  const old = new DatabaseSync(path)
  old.exec(`PRAGMA journal_mode = WAL; CREATE TABLE exit_verdict (fingerprint TEXT NOT NULL, run_id TEXT NOT NULL,
    shard TEXT NOT NULL, timestamp TEXT NOT NULL, status TEXT NOT NULL, status_ipv6 TEXT, error_code TEXT,
    exit_address TEXT, PRIMARY KEY (fingerprint, run_id, shard)) STRICT, WITHOUT ROWID; PRAGMA user_version = 1; BEGIN`)
  const insert = old.prepare('INSERT INTO exit_verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (let run = 0; run < runs; run++) {
    for (const result of reportOf(run, relays).results) {
      const { exit_fingerprint: fingerprint, status, error_code: code, exit_address: address } = result
      insert.run(fingerprint, runIdOf(run), '0/1', `time ${run}`, status, null, code, address)
    }
  }
  old.exec('COMMIT')
  old.close()
}

describe('a migration, killed', () => {
  test(`is completed by the next start, ${KILLS} times over`, async () => {
    const directory = await makeDirectory()
    const [runs, relays] = [40, 1000]
    const measured = join(directory, 'measured')
    await mkdir(measured)
    writeSchema1(join(measured, 'history.db'), runs, relays)
    const status = (dataDir: string): readonly string[] => ['store', 'status', '--data-dir', dataDir]
    const wholeMs = await timeOf(status(measured))
    const expected = await withArchive(measured, (archive) => countVerdicts(archive, [1, 500, 1000]))
    let completed = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const dataDir = join(directory, `data-${kill}`)
      await mkdir(dataDir)
      writeSchema1(join(dataDir, 'history.db'), runs, relays)
      const { ended } = await runAndKill(status(dataDir), wholeMs * 0.15 + randomInt(random, Math.ceil(wholeMs * 0.8)))
      if (ended) completed++
      await withArchive(dataDir, async (archive) => {
        expect(await countVerdicts(archive, [1, 500, 1000])).toEqual(expected)
        expect(await archive.usage()).toMatchObject({ runs, runsWithRows: runs, relays })
        expect((await archive.verdicts('99999999999999', [exampleFingerprint(1)])).size).toBe(1)
        expect(await archive.check()).toEqual([])
      })
      await rm(dataDir, { recursive: true })
    }
    expect(completed).toBeLessThan(KILLS)
  })
})

/** Whether a file system of our own can be made here. */
const canMount =
  spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

describe('a full disk', () => {
  test.skipIf(!canMount)(
    'loses no run that was there, and takes the rest once there is room (needs unshare)',
    async () => {
      const directory = await makeDirectory()
      const [reports, disk] = [join(directory, 'reports'), join(directory, 'disk')]
      await mkdir(reports)
      await mkdir(disk)
      for (let run = 0; run < 60; run++) {
        const id = runIdOf(run)
        const text = JSON.stringify(reportOf(run, 400))
        await writeFile(join(reports, `dnshealth_${id.slice(0, 8)}_${id.slice(8)}.json`), text)
      }
      const script = `mount -t tmpfs -o size=1m none "$1" || exit 99
      "$0" exits import "$2" --data-dir "$1" --format table; echo "status $?"
      "$0" store check --data-dir "$1"; echo "status $?"
      mount -o remount,size=64m "$1" || exit 99
      "$0" exits import "$2" --data-dir "$1" --format table; echo "status $?"
      "$0" store check --data-dir "$1"; echo "status $?"
      "$0" store status --data-dir "$1" --format jsonl`
      const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, CANDOR, disk, reports])
      const texts = { stdout: '', stderr: '' }
      child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
      expect((await once(child, 'close'))[0]).toBe(0)
      expect(texts.stderr).toContain('full')
      expect(texts.stdout.match(/^status \d+$/gm)).toEqual(['status 1', 'status 0', 'status 0', 'status 0'])
      const last = texts.stdout.trim().split('\n').at(-1) ?? ''
      expect(JSON.parse(last)).toMatchObject({ runs: 60, runs_with_rows: 60 })
    },
  )
})
