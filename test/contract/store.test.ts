/** `candor exits import`, `candor store` and `candor lab history`: what they print and end with. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { formatExitReport } from '../../src/campaigns/exits/exit-report.ts'
import { openExitArchive } from '../../src/store/exit-archive.node.ts'
import { exampleFingerprint, exampleReport } from '../exit-fixtures/example-report.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

function textOf(runId: string): string {
  const timestamp = `${runId.slice(0, 4)}-${runId.slice(4, 6)}-${runId.slice(6, 8)}T12:10:00.000Z`
  return formatExitReport(exampleReport(['success', 'timeout'], { run_id: runId, timestamp }))
}

/** An older scanner's report: other name, fewer fields, no counters. */
function olderText(): string {
  const row = { exit_fingerprint: exampleFingerprint(2), exit_nickname: 'old', status: 'timeout', timestamp: 1 }
  return JSON.stringify({ metadata: { run_id: '20260104_120000', timestamp: '2026-01-04 12:10:00' }, results: [row] })
}

async function tarOf(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const stream = pack()
  for (const [name, text] of Object.entries(files)) stream.entry({ name }, text)
  stream.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return gzipSync(Buffer.concat(chunks))
}

async function makeReports(): Promise<{ readonly reports: string; readonly dataDir: string }> {
  const directory = makeTemporaryDirectory()
  const reports = join(directory, 'reports')
  await mkdir(join(reports, 'archives'), { recursive: true })
  await writeFile(join(reports, 'dnshealth_20260103_120000.json'), textOf('20260103120000'))
  await writeFile(join(reports, 'dnshealth_20260102_120000.json.gz'), gzipSync(textOf('20260102120000')))
  await writeFile(join(reports, 'dns_health_2026-01-04_12-00-00.json'), olderText())
  await writeFile(join(reports, 'latest.json'), textOf('20260103120000'))
  await writeFile(join(reports, 'notes.json'), '{}')
  const archive = await tarOf({
    'dnshealth_20251201_120000.json': textOf('20251201120000'),
    'dnshealth_20251202_120000.json.gz': 'no gzip',
    README: 'nothing',
  })
  await writeFile(join(reports, 'archives', '2025-12.tar.gz'), archive)
  return { reports, dataDir: join(directory, 'data') }
}

describe('candor exits import', () => {
  test('takes every form of report, earliest first, and names what is damaged', async () => {
    const { reports, dataDir } = await makeReports()
    await writeFile(join(reports, 'dnshealth_20260105_120000.json'), '{"results": 3}')
    const first = await runSimulatedCli(['exits', 'import', reports, '--data-dir', dataDir])
    expect(first.status).toBe(3)
    const records = first.stdout
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { readonly run_id: string | null; readonly outcome: string; readonly note: string },
      )
    expect(records.map(({ run_id: runId, outcome }) => `${runId ?? ''} ${outcome}`)).toEqual([
      '20251201120000 kept',
      ' refused',
      '20260102120000 kept',
      '20260103120000 kept',
      '20260104120000 kept',
      ' refused',
    ])
    expect(first.stderr).toContain('2025-12.tar.gz:dnshealth_20251202_120000.json.gz: it is damaged')
    expect(first.stderr).toContain('dnshealth_20260105_120000.json: it has no list "results"')
    const again = await runSimulatedCli(['exits', 'import', reports, '--data-dir', dataDir, '--format', 'table'])
    expect(again.stdout).toMatch(/^kept +known +refused\n0 +4 +2\n$/)
  })

  test('counts failures where the scanner did not', async () => {
    const { reports, dataDir } = await makeReports()
    await runSimulatedCli(['exits', 'import', reports, '--data-dir', dataDir])
    const archive = await openExitArchive(join(dataDir, 'history.db'))
    expect(await archive.newest(exampleFingerprint(2))).toMatchObject({
      run_id: '20260104120000',
      exit_nickname: 'old',
      consecutive_failures: 4,
    })
    await archive.close()
  })

  test('refuses a file that is not there, and asks for a data directory', async () => {
    const missing = await runSimulatedCli(['exits', 'import', '/no/such.json', '--data-dir', makeTemporaryDirectory()])
    expect([missing.status, missing.stderr]).toEqual([3, expect.stringContaining('it cannot be read (ENOENT)')])
    const without = await runSimulatedCli(['exits', 'import', '/no/such.json'])
    expect([without.status, without.stderr]).toEqual([2, expect.stringContaining('--data-dir /var/lib/candor')])
  })
})

describe('candor store', () => {
  test('says what there is, gives up what is old, and finds the rest whole', async () => {
    const dataDir = join(makeTemporaryDirectory(), 'data')
    const made = await runSimulatedCli([
      'lab',
      'history',
      '--data-dir',
      dataDir,
      '--runs',
      '30',
      '--relays',
      '40',
      '--truth',
      join(dataDir, 'truth'),
    ])
    expect([made.status, made.stderr]).toEqual([0, expect.stringMatching(/: (30|29|28) runs with 1\d\d\d rows/)])
    const twice = await runSimulatedCli(['lab', 'history', '--data-dir', dataDir])
    expect([twice.status, twice.stderr]).toEqual([2, expect.stringContaining('there are runs in its archive already')])
    const status = await runSimulatedCli(['store', 'status', '--data-dir', dataDir])
    const held = JSON.parse(status.stdout) as Readonly<Record<string, unknown>>
    expect(held).toMatchObject({ budget: 'within', relays: expect.any(Number) as number })
    expect(held['runs_with_evidence']).toBeGreaterThan(20)
    const retain = ['store', 'retain', '--data-dir', dataDir, '--exits-evidence', '2', '--exits-rows', '5']
    const dry = await runSimulatedCli([...retain, '--dry-run'])
    const real = await runSimulatedCli(retain)
    expect(real.status).toBe(0)
    const counts = JSON.parse(real.stdout) as Readonly<Record<string, unknown>>
    expect(counts).toMatchObject({ dry_run: false, early_runs: 0 })
    expect(counts['evidence_runs']).toBeGreaterThan(10)
    expect(counts['row_runs']).toBeGreaterThan(3)
    for (const name of ['evidence_runs', 'failure_evidence_runs', 'row_runs', 'relay_days']) {
      expect((JSON.parse(dry.stdout) as Readonly<Record<string, unknown>>)[name]).toBe(counts[name])
    }
    const check = await runSimulatedCli(['store', 'check', '--data-dir', dataDir])
    expect([check.status, check.stdout, check.stderr]).toEqual([0, '', expect.stringContaining('is whole')])
    const none = await runSimulatedCli(['store', 'check', '--data-dir', makeTemporaryDirectory()])
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('there is no archive in it')])
  })

  test('stays silent within the budget, and refuses one that is too small', async () => {
    const dataDir = join(makeTemporaryDirectory(), 'data')
    await runSimulatedCli(['lab', 'history', '--data-dir', dataDir, '--runs', '8', '--relays', '900'])
    const { usedOctets } = await withUsage(dataDir)
    expect(usedOctets).toBeGreaterThan(1_000_000)
    const settings = ['--disk-budget', '16', '--data-dir', dataDir, '--quiet']
    expect((await runSimulatedCli(['store', 'retain', ...settings])).stderr).toBe('')
    const refused = await runSimulatedCli(['store', 'retain', '--disk-budget', '1', '--data-dir', dataDir])
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('16 to')])
  })
})

async function withUsage(dataDir: string): Promise<{ readonly usedOctets: number }> {
  const archive = await openExitArchive(join(dataDir, 'history.db'))
  try {
    return await archive.usage()
  } finally {
    await archive.close()
  }
}
