import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { buildExitReport } from '../campaigns/exits/exit-report.ts'
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import type { ExitReport, ExitStatus } from '../model/exit-result.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import { exampleFacts, exampleFingerprint, exampleResult } from '../../test/exit-fixtures/example-report.ts'
import { openExitArchive, type ExitArchiveStore } from './exit-archive.node.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 5, 30, 12)
const POLICY: RetentionPolicy = {
  evidenceDays: 7,
  failureEvidenceDays: 30,
  rowDays: 60,
  relayDayDays: 100,
  budgetOctets: 1_000_000_000,
}
const ONE = exampleFingerprint(1)

async function openArchive(): Promise<{ readonly archive: ExitArchiveStore; readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-retention-'))
  const path = join(directory, 'history.db')
  const archive = await openExitArchive(path)
  onTestFinished(async () => {
    await archive.close()
    await rm(directory, { recursive: true })
  })
  return { archive, path }
}

/** A run so many days (and some hours) before now; relay 1 is sound, relay 2 fails, relay 3 only was in old runs. */
function runBefore(days: number, hour = 6): ExitReport {
  const startMs = Math.floor((NOW_MS - days * DAY_MS) / DAY_MS) * DAY_MS + hour * 3_600_000
  const runId = formatCompactTime(startMs)
  const statuses: readonly ExitStatus[] = days > 80 ? ['success', 'dns_fail', 'timeout'] : ['success', 'dns_fail']
  const results = statuses.map((status, index) => exampleResult(index + 1, status, { run_id: runId }))
  return buildExitReport(results, exampleFacts({ run_id: runId, timestamp: formatIsoTime(startMs + 600_000) }))
}

const DAYS = [0, 5, 8, 29, 31, 59, 61, 61, 99, 102]

async function fill(archive: ExitArchiveStore): Promise<readonly ExitReport[]> {
  const reports = DAYS.map((days, index) => runBefore(days, DAYS[index - 1] === days ? 18 : 6))
  for (const report of reports) await archive.append(report)
  return reports
}

describe('retain', () => {
  test('gives up evidence, then evidence of failures, then rows, each at its age, and keeps the counts', async () => {
    const { archive } = await openArchive()
    const reports = await fill(archive)
    const outcome = await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    expect(outcome).toMatchObject({
      evidenceRuns: 8,
      failureEvidenceRuns: 6,
      rowRuns: 4,
      earlyRuns: 0,
      budget: 'within',
    })
    const kept = await archive.runs(null, 20)
    expect(kept.map(({ evidence, hasRows }) => `${evidence} ${hasRows}`)).toEqual([
      'all true',
      'all true',
      'failures true',
      'failures true',
      'none true',
      'none true',
      'none false',
      'none false',
      'none false',
      'none false',
    ])
    expect(kept.map(({ metadata }) => metadata)).toEqual(
      reports.map(({ metadata }) => metadata).toSorted((a, b) => (a.run_id < b.run_id ? 1 : -1)),
    )
    const atDay29 = reports[3]?.metadata.run_id ?? ''
    expect(await archive.record(atDay29, ONE)).toMatchObject({ hasEvidence: false, result: { attempts: [] } })
    expect(await archive.record(atDay29, exampleFingerprint(2))).toEqual({
      result: reports[3]?.results[1],
      hasEvidence: true,
    })
    expect(await archive.rows(reports[6]?.metadata.run_id ?? '')).toBeUndefined()
    expect(await archive.check()).toEqual([])
  })

  test('keeps counts per relay and day of what it gave up, for as long as they are kept', async () => {
    const { archive } = await openArchive()
    await fill(archive)
    const before = await archive.relayDays(ONE, '2026-01-01T00:00:00.000Z')
    const outcome = await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    expect(outcome.relayDays).toBe(3)
    const after = await archive.relayDays(ONE, '2026-01-01T00:00:00.000Z')
    expect(before.map(({ counts }) => counts.success)).toEqual([1, 1, 2, 1, 1, 1, 1, 1, 1])
    expect(after).toEqual(before.slice(1))
    expect((await archive.points(ONE, 20)).filter(({ status }) => status !== null)).toHaveLength(6)
  })

  test('remembers since when a relay is known, and the last row about one that is gone', async () => {
    const { archive } = await openArchive()
    const reports = await fill(archive)
    const before = await archive.verdicts('99999999999999')
    await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    const after = await archive.verdicts('99999999999999')
    expect(after.get(ONE)?.[0]).toEqual(before.get(ONE)?.[0])
    expect(after.get(ONE)).toHaveLength(7)
    expect(await archive.newest(exampleFingerprint(3))).toMatchObject({
      run_id: reports[8]?.metadata.run_id,
      status: 'timeout',
    })
  })

  test('changes nothing in a dry run, and finds nothing left to do after a real one', async () => {
    const { archive } = await openArchive()
    await fill(archive)
    const usage = await archive.usage()
    const dry = await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: true })
    expect(dry).toMatchObject({ dryRun: true, evidenceRuns: 8, failureEvidenceRuns: 6, rowRuns: 4 })
    expect(dry.freedOctets).toBeGreaterThan(0)
    expect(await archive.usage()).toEqual(usage)
    await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    expect(await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })).toMatchObject({
      evidenceRuns: 0,
      failureEvidenceRuns: 0,
      rowRuns: 0,
      relayDays: 0,
    })
    expect(await archive.usage()).toMatchObject({
      runs: 10,
      runsWithRows: 6,
      runsWithEvidence: 2,
      runsWithFailureEvidence: 4,
    })
  })

  test('stops after a piece of work when asked to, and goes on the next time', async () => {
    const { archive } = await openArchive()
    await fill(archive)
    const stopped = AbortSignal.abort()
    const first = await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false, signal: stopped })
    expect(first).toMatchObject({ interrupted: true, evidenceRuns: 0 })
    const second = await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    expect(second).toMatchObject({ interrupted: false, evidenceRuns: 8, rowRuns: 4 })
  })

  test('takes no run again whose rows became counts', async () => {
    const { archive } = await openArchive()
    const reports = await fill(archive)
    await archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    const before = await archive.relayDays(ONE, '2026-01-01T00:00:00.000Z')
    for (const report of reports) await archive.append(report)
    expect(await archive.relayDays(ONE, '2026-01-01T00:00:00.000Z')).toEqual(before)
  })

  test('gives up the oldest first when the budget is short, but never the newest, and shrinks the file', async () => {
    const { archive, path } = await openArchive()
    const results = (runId: string) =>
      Array.from({ length: 300 }, (_, index) =>
        exampleResult(index + 1, 'success', {
          run_id: runId,
          query_domain: Array.from({ length: 12 }, (_each, part) =>
            Math.sin(index * 12 + part + Number(runId)).toFixed(16),
          ).join('.'),
        }),
      )
    for (let days = 0; days < 12; days++) {
      const runId = runBefore(days / 2, days % 2 === 0 ? 6 : 18).metadata.run_id
      await archive.append(buildExitReport(results(runId), exampleFacts({ run_id: runId })))
    }
    const { usedOctets, fileOctets } = await archive.usage()
    const policy = { ...POLICY, budgetOctets: Math.ceil(usedOctets / 0.95) }
    const dry = await archive.retain({ policy, nowMs: NOW_MS, dryRun: true })
    const outcome = await archive.retain({ policy, nowMs: NOW_MS, dryRun: false })
    expect(dry.earlyRuns).toBeGreaterThan(0)
    expect(outcome.earlyRuns).toBeGreaterThan(0)
    expect(outcome.budget).toBe('within')
    expect(outcome.freedOctets).toBeGreaterThan(0)
    expect((await archive.usage()).fileOctets).toBeLessThan(fileOctets)
    expect((await stat(path)).size).toBeGreaterThan(0)
    const evidence = (await archive.runs(null, 20)).map((run) => run.evidence)
    expect(evidence[0]).toBe('all')
    expect(evidence.at(-1)).toBe('failures')
    const tiny = await archive.retain({ policy: { ...policy, budgetOctets: 1000 }, nowMs: NOW_MS, dryRun: false })
    expect(tiny.budget).toBe('exceeded')
    expect((await archive.runs(null, 1))[0]).toMatchObject({ evidence: 'all', hasRows: true })
  })

  test('lets runs be kept and read meanwhile', async () => {
    const { archive } = await openArchive()
    await fill(archive)
    const work = archive.retain({ policy: POLICY, nowMs: NOW_MS, dryRun: false })
    const kept = archive.append(runBefore(1))
    expect(await archive.rows(runBefore(0).metadata.run_id)).toHaveLength(2)
    await Promise.all([work, kept])
    expect(await archive.check()).toEqual([])
    expect((await archive.usage()).runs).toBe(11)
  })
})

describe('check', () => {
  test('names the run of which something is damaged', async () => {
    const { archive, path } = await openArchive()
    await fill(archive)
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(path)
    const seqs = database
      .prepare('SELECT seq FROM run ORDER BY run_id')
      .all()
      .map((row) => Number(row['seq']))
    database.prepare('UPDATE run_rows SET block = ? WHERE seq = ?').run(Uint8Array.of(1, 2, 3), seqs[0] ?? 0)
    database.prepare('UPDATE evidence SET block = ? WHERE seq = ?').run(Uint8Array.of(1, 2, 3), seqs[1] ?? 0)
    database.prepare('UPDATE run SET success = 99 WHERE seq = ?').run(seqs[2] ?? 0)
    database.prepare('DELETE FROM run_metadata WHERE seq = ?').run(seqs[3] ?? 0)
    database.close()
    const messages = (await archive.check()).map(({ message }) => message)
    expect([...new Set(messages)].toSorted()).toEqual([
      'a block of its evidence cannot be unpacked',
      expect.stringMatching(/^it has 2 rows, and its counts say 10\d$/),
      'it has no metadata',
      'its rows cannot be read',
    ])
  })
})
