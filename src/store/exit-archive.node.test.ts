import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { buildExitReport } from '../campaigns/exits/exit-report.ts'
import type { ExitReport, ExitResult, ExitStatus } from '../model/exit-result.ts'
import { exampleFacts, exampleFingerprint, exampleResult } from '../../test/exit-fixtures/example-report.ts'
import { openExitArchive } from './exit-archive.node.ts'

const HOUR_MS = 3_600_000

async function archivePath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-archive-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'history.db')
}

/** A run at an hour of the first of January. */
function runAt(
  hour: number,
  statuses: Readonly<Record<number, ExitStatus>>,
  changes: Partial<ExitResult> = {},
): ExitReport {
  const digits = String(hour).padStart(2, '0')
  const runId = `20260101${digits}0000`
  const results = Object.entries(statuses).map(([number, status]) =>
    exampleResult(Number(number), status, { run_id: runId, ...changes }),
  )
  return buildExitReport(results, exampleFacts({ run_id: runId, timestamp: `2026-01-01T${digits}:10:00.000Z` }))
}

function shardOf(report: ExitReport, shard: string): ExitReport {
  return { ...report, metadata: { ...report.metadata, shard } }
}

const attempt = {
  attempt: 1,
  circuit: 1,
  query_type: 'A' as const,
  query_domain: 'name.zone.example',
  timestamp: 1_769_860_801.5,
  path: [exampleFingerprint(7), exampleFingerprint(1)],
  dns_rcode: 2,
  socks_reply: null,
  stream_reason: null,
  addresses: [],
  ttl_seconds: null,
  latency_ms: 40,
  circuit_rtt_ms: 80,
  own_delay_ms: 1,
  status: 'dns_fail' as const,
  error_code: 'SERVFAIL_CLASS' as const,
  error: 'the resolver failed',
  unsure: false,
}

describe('openExitArchive', () => {
  test('gives back rows and whole results as they were, also after reopening', async () => {
    const path = await archivePath()
    const family = [exampleFingerprint(1), exampleFingerprint(2)]
    const report = runAt(
      6,
      { 1: 'success', 2: 'dns_fail', 3: 'circuit_fail' },
      { attempts: [attempt], family, operator: 'operator.example', first_seen: '2026-01-01T00:00:00.000Z' },
    )
    const archive = await openExitArchive(path)
    await archive.append(report)
    await archive.close()
    await archive.close()
    const again = await openExitArchive(path)
    const rows = await again.rows('20260101060000')
    expect(rows).toHaveLength(3)
    for (const [index, row] of (rows ?? []).entries()) expect(report.results[index]).toMatchObject(row)
    expect(Object.keys(rows?.[0] ?? {})).toHaveLength(19)
    for (const result of report.results) {
      expect(await again.record('20260101_060000', result.exit_fingerprint)).toEqual({ result, hasEvidence: true })
    }
    expect(await again.run('20260101060000')).toEqual({
      runId: '20260101060000',
      metadata: report.metadata,
      evidence: 'all',
      hasRows: true,
    })
    const [sound, ...failing] = report.results
    expect(await again.results('20260101060000')).toEqual([
      {
        ...sound,
        query_domain: null,
        attempts: [],
        bandwidth_weight: null,
        attempt: 0,
        timestamp: Math.round(sound?.timestamp ?? 0),
      },
      ...failing,
    ])
    expect(await again.results('20260101070000')).toBeUndefined()
    expect(await again.record('20260101060000', exampleFingerprint(9))).toBeUndefined()
    expect(await again.rows('20260101070000')).toBeUndefined()
    await again.close()
  })

  test('gives back the DNS verdicts of earlier runs, earliest first, and only of those asked about', async () => {
    const archive = await openExitArchive(await archivePath())
    await archive.append(runAt(2, { 1: 'timeout', 2: 'success', 3: 'circuit_fail' }))
    await archive.append(runAt(1, { 1: 'success' }))
    await archive.append(runAt(3, { 1: 'wrong_ip' }))
    const [one, two] = [exampleFingerprint(1), exampleFingerprint(2)]
    const found = await archive.verdicts('20260101_030000')
    expect([...found.keys()]).toEqual([one, two])
    expect(found.get(one)).toEqual([
      { runId: '20260101010000', timestamp: '2026-01-01T01:10:00.000Z', status: 'success', statusIpv6: null },
      { runId: '20260101020000', timestamp: '2026-01-01T02:10:00.000Z', status: 'timeout', statusIpv6: null },
    ])
    expect([...(await archive.verdicts('20260101030000', [two, 'unknown'])).keys()]).toEqual([two])
    await archive.close()
  })

  test('counts a run once that is kept again, and the whole instead of its parts', async () => {
    const archive = await openExitArchive(await archivePath())
    await archive.append(shardOf(runAt(1, { 1: 'success', 3: 'timeout' }), '0/2'))
    await archive.append(shardOf(runAt(1, { 2: 'dns_fail' }), '1/2'))
    expect((await archive.rows('20260101010000'))?.map((row) => row.status)).toEqual(['success', 'dns_fail', 'timeout'])
    expect((await archive.run('20260101010000'))?.metadata).toMatchObject({ candidates: 3, success: 1, dns_tested: 3 })
    expect(await archive.trend('2026-01-01T00:00:00.000Z', 10)).toMatchObject([{ candidates: 3 }])
    await archive.append(runAt(1, { 1: 'timeout', 2: 'success' }))
    await archive.append(shardOf(runAt(1, { 1: 'success' }), '0/2'))
    expect((await archive.rows('20260101010000'))?.map((row) => row.status)).toEqual(['timeout', 'success'])
    expect((await archive.verdicts('99999999999999')).get(exampleFingerprint(3))).toBeUndefined()
    expect(await archive.runs(null, 10)).toHaveLength(1)
    await archive.close()
  })

  test('gives the very first verdict and the last 99', async () => {
    const archive = await openExitArchive(await archivePath())
    for (let number = 1; number <= 120; number++) {
      const runId = `202601010${String(100_000 + number).slice(1)}`.padEnd(14, '0')
      const results = [exampleResult(1, 'success'), ...(number > 21 ? [exampleResult(2, 'timeout')] : [])]
      await archive.append(buildExitReport(results, exampleFacts({ run_id: runId, timestamp: `run ${number}` })))
    }
    const found = await archive.verdicts('99999999999999')
    const timestamps = found.get(exampleFingerprint(1))?.map(({ timestamp }) => timestamp)
    expect(timestamps).toHaveLength(100)
    expect(timestamps?.slice(0, 2)).toEqual(['run 1', 'run 22'])
    expect(timestamps?.at(-1)).toBe('run 120')
    expect(found.get(exampleFingerprint(2))).toHaveLength(99)
    await archive.close()
  })

  test('lists runs newest first, knows the newest valid one, and draws a trend', async () => {
    const archive = await openExitArchive(await archivePath())
    for (const hour of [1, 3, 2, 4]) await archive.append(runAt(hour, { 1: 'success', 2: 'timeout' }))
    const bad = runAt(5, { 1: 'timeout', 2: 'timeout', 4: 'timeout' })
    await archive.append({ ...bad, metadata: { ...bad.metadata, invalid: 'the zone did not answer' } })
    const hours = (runs: readonly { readonly runId: string }[]): readonly number[] =>
      runs.map(({ runId }) => Number(runId.slice(8, 10)))
    expect(hours(await archive.runs(null, 3))).toEqual([5, 4, 3])
    expect(hours(await archive.runs('20260101_030000', 3))).toEqual([2, 1])
    expect((await archive.latest())?.runId).toBe('20260101040000')
    const trend = await archive.trend('2026-01-01T02:00:00.000Z', 10)
    expect(hours(trend)).toEqual([2, 3, 4, 5])
    expect(trend.at(-1)).toMatchObject({ invalid: 'the zone did not answer', candidates: 3, counts: { timeout: 3 } })
    expect(hours(await archive.trend('2026-01-01T00:00:00.000Z', 3))).toEqual([1, 3, 5])
    // An invalid run accuses nobody, but its rows can be looked at.
    expect((await archive.newest(exampleFingerprint(1)))?.status).toBe('success')
    expect((await archive.newest(exampleFingerprint(4)))?.run_id).toBe('20260101050000')
    expect(await archive.newest(exampleFingerprint(5))).toBeUndefined()
    await archive.close()
  })

  test('shows one relay over time, absence included, and its days', async () => {
    const archive = await openExitArchive(await archivePath())
    await archive.append(runAt(1, { 1: 'success' }))
    await archive.append(runAt(2, { 2: 'success' }))
    await archive.append(runAt(3, { 1: 'dns_fail', 2: 'success' }))
    expect(await archive.points(exampleFingerprint(1), 10)).toMatchObject([
      { runId: '20260101030000', status: 'dns_fail', errorCode: 'SERVFAIL_CLASS', latencyMs: 101 },
      { runId: '20260101020000', status: null, errorCode: null, latencyMs: null },
      { runId: '20260101010000', status: 'success', timestamp: '2026-01-01T01:10:00.000Z' },
    ])
    expect(await archive.points(exampleFingerprint(1), 1)).toHaveLength(1)
    expect(await archive.points(exampleFingerprint(8), 2)).toMatchObject([{ status: null }, { status: null }])
    const days = [{ day: '2026-01-01', counts: { success: 1, dns_fail: 1 } }]
    expect(await archive.relayDays(exampleFingerprint(1), '2026-01-01T12:00:00.000Z')).toEqual(days)
    expect(await archive.relayDays(exampleFingerprint(1), '2026-01-02T00:00:00.000Z')).toEqual([])
    await archive.close()
  })

  test('says what changed since an earlier run', async () => {
    const archive = await openExitArchive(await archivePath())
    await archive.append(runAt(1, { 1: 'success', 2: 'timeout', 3: 'circuit_fail', 5: 'success' }))
    await archive.append(runAt(6, { 1: 'success' }))
    await archive.append(runAt(7, { 1: 'wrong_ip', 2: 'success', 3: 'success', 4: 'timeout' }))
    const changes = await archive.changes('20260101070000', 6 * HOUR_MS)
    expect(changes).toMatchObject({ since: '20260101010000', appeared: 1, gone: 1 })
    const names = (rows: readonly { readonly exit_nickname: string }[] = []): readonly string[] =>
      rows.map((row) => row.exit_nickname)
    expect([names(changes?.newlyFailing), names(changes?.recovered)]).toEqual([['exit1', 'exit4'], ['exit2']])
    expect(await archive.changes('20260101010000', HOUR_MS)).toMatchObject({ since: null, appeared: 0 })
    expect(await archive.changes('20260101020000', HOUR_MS)).toBeUndefined()
    await archive.close()
  })

  test('sees what another process wrote, while it is open', async () => {
    const path = await archivePath()
    const [reading, writing] = [await openExitArchive(path), await openExitArchive(path)]
    await writing.append(runAt(1, { 1: 'success' }))
    expect(await reading.rows('20260101010000')).toHaveLength(1)
    await writing.append(runAt(1, { 1: 'timeout', 2: 'success' }))
    expect((await reading.rows('20260101010000'))?.map((row) => row.status)).toEqual(['timeout', 'success'])
    await Promise.all([reading.append(runAt(2, { 1: 'success' })), writing.append(runAt(3, { 1: 'success' }))])
    expect(await reading.runs(null, 10)).toHaveLength(3)
    await Promise.all([reading.close(), writing.close()])
  })

  test('keeps everything in files of mode 0600', async () => {
    const path = await archivePath()
    const archive = await openExitArchive(path)
    await archive.append(runAt(1, { 1: 'success' }))
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(path + suffix)).mode & 0o777).toBe(0o600)
    await archive.close()
  })

  test('refuses a newer schema without touching it, and a file that is no database', async () => {
    const path = await archivePath()
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 7')
    newer.close()
    await expect(openExitArchive(path)).rejects.toMatchObject({
      name: 'RunError',
      message: `the archive ${path} has schema version 7, and this program knows 2`,
    })
    await writeFile(path, 'this is a text file, long enough to be looked at'.repeat(20))
    await expect(openExitArchive(path)).rejects.toMatchObject({ name: 'RunError' })
    await expect(openExitArchive('/no/such/directory/history.db')).rejects.toMatchObject({ name: 'RunError' })
  })
})

describe('openArchiveDatabase', () => {
  test('takes over every verdict of schema 1, and keeps a copy of the file', async () => {
    const path = await archivePath()
    const old = new DatabaseSync(path)
    old.exec(`PRAGMA journal_mode = WAL; CREATE TABLE exit_verdict (fingerprint TEXT NOT NULL, run_id TEXT NOT NULL,
      shard TEXT NOT NULL, timestamp TEXT NOT NULL, status TEXT NOT NULL, status_ipv6 TEXT, error_code TEXT,
      exit_address TEXT, PRIMARY KEY (fingerprint, run_id, shard)) STRICT, WITHOUT ROWID; PRAGMA user_version = 1`)
    const insert = old.prepare('INSERT INTO exit_verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    const one = exampleFingerprint(1)
    insert.run(one, '20260101000000', '0/1', '2026-01-01T00:10:00.000Z', 'success', null, null, '192.0.2.1')
    insert.run(one, '20260101060000', '0/1', '2026-01-01T06:10:00.000Z', 'timeout', 'success', 'RESOLVER_TIMEOUT', null)
    insert.run(exampleFingerprint(2), '20260101060000', '0/1', '2026-01-01T06:10:00.000Z', 'success', null, null, null)
    old.close()
    const archive = await openExitArchive(path)
    expect((await archive.verdicts('99999999999999')).get(one)).toEqual([
      { runId: '20260101000000', timestamp: '2026-01-01T00:10:00.000Z', status: 'success', statusIpv6: null },
      { runId: '20260101060000', timestamp: '2026-01-01T06:10:00.000Z', status: 'timeout', statusIpv6: 'success' },
    ])
    expect(await archive.points(one, 5)).toMatchObject([
      { status: 'timeout', errorCode: 'RESOLVER_TIMEOUT' },
      { status: 'success' },
    ])
    expect(await archive.run('20260101060000')).toMatchObject({
      evidence: 'none',
      hasRows: true,
      metadata: { candidates: 2, success: 1, timeout: 1, success_rate_percent: 50 },
    })
    expect(await archive.record('20260101000000', one)).toMatchObject({
      hasEvidence: false,
      result: { exit_address: '192.0.2.1', exit_nickname: 'unknown', attempts: [] },
    })
    await archive.close()
    const names = await readdir(join(path, '..'))
    expect(names.toSorted()).toEqual(['history.db', 'history.db.schema-1'])
    expect((await stat(`${path}.schema-1`)).mode & 0o777).toBe(0o600)
    const copy = new DatabaseSync(`${path}.schema-1`, { readOnly: true })
    expect(copy.prepare('SELECT count(*) AS n FROM exit_verdict').get()).toEqual({ n: 3 })
    copy.close()
  })
})
