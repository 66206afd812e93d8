import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ExitHistoryRow } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import { openExitHistory } from './exit-history.node.ts'

const A = 'A'.repeat(40)
const B = 'B'.repeat(40)

async function historyPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-history-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'history.db')
}

function row(fingerprint: string, status: ExitStatus, statusIpv6: ExitStatus | null = null): ExitHistoryRow {
  return { fingerprint, status, statusIpv6, errorCode: null, exitAddress: '192.0.2.1' }
}

function runOf(number: number, rows: readonly ExitHistoryRow[]) {
  const runId = `2026010100${String(number).padStart(4, '0')}`
  return { runId, shard: '0/1', timestamp: `run ${number}`, rows }
}

describe('openExitHistory', () => {
  test('gives back the verdicts of earlier runs, earliest first, also after reopening', async () => {
    const path = await historyPath()
    const first = await openExitHistory(path)
    await first.append(runOf(2, [row(A, 'timeout', 'success'), row(B, 'success')]))
    await first.append(runOf(1, [row(A, 'success')]))
    await first.append(runOf(3, [row(A, 'wrong_ip')]))
    await first.close()
    await first.close()
    const again = await openExitHistory(path)
    expect(await again.verdicts('20260101000003')).toEqual(
      new Map([
        [
          A,
          [
            { runId: '20260101000001', timestamp: 'run 1', status: 'success', statusIpv6: null },
            { runId: '20260101000002', timestamp: 'run 2', status: 'timeout', statusIpv6: 'success' },
          ],
        ],
        [B, [{ runId: '20260101000002', timestamp: 'run 2', status: 'success', statusIpv6: null }]],
      ]),
    )
    await again.close()
  })

  test('leaves out what is no DNS verdict', async () => {
    const history = await openExitHistory(await historyPath())
    await history.append(runOf(1, [row(A, 'circuit_fail'), row(B, 'error', 'dns_fail')]))
    expect([...(await history.verdicts('99999999999999')).keys()]).toEqual([B])
    await history.close()
  })

  test('counts a run once that is appended again, with what it found last', async () => {
    const history = await openExitHistory(await historyPath())
    await history.append(runOf(1, [row(A, 'not_tested'), row(B, 'success')]))
    await history.append({ ...runOf(1, [row(A, 'dns_fail')]), runId: '20260101_000001' })
    const found = await history.verdicts('20260101_000002')
    expect(found.get(A)).toMatchObject([{ status: 'dns_fail', runId: '20260101000001' }])
    expect(found.get(B)).toHaveLength(1)
    await history.close()
  })

  test('gives the very first verdict and the last 99', async () => {
    const history = await openExitHistory(await historyPath())
    for (let i = 1; i <= 150; i++)
      await history.append(runOf(i, [row(A, 'success'), ...(i > 51 ? [row(B, 'timeout')] : [])]))
    const found = await history.verdicts('99999999999999')
    const timestamps = found.get(A)?.map(({ timestamp }) => timestamp)
    expect(timestamps).toHaveLength(100)
    expect(timestamps?.slice(0, 2)).toEqual(['run 1', 'run 52'])
    expect(timestamps?.at(-1)).toBe('run 150')
    expect(found.get(B)).toHaveLength(99)
    await history.close()
  })

  test('keeps everything in files of mode 0600', async () => {
    const path = await historyPath()
    const history = await openExitHistory(path)
    await history.append(runOf(1, [row(A, 'success')]))
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(path + suffix)).mode & 0o777).toBe(0o600)
    await history.close()
  })

  test('refuses a newer schema without touching it, and a file that is no database', async () => {
    const path = await historyPath()
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 7')
    newer.close()
    await expect(openExitHistory(path)).rejects.toMatchObject({
      name: 'RunError',
      message: `the history ${path} has schema version 7, and this program knows 1`,
    })
    await writeFile(path, 'this is a text file, long enough to be looked at'.repeat(20))
    await expect(openExitHistory(path)).rejects.toMatchObject({ name: 'RunError' })
    await expect(openExitHistory('/no/such/directory/history.db')).rejects.toMatchObject({ name: 'RunError' })
  })
})
