import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RunRequest } from '../model/daemon-control.ts'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { openDaemonState, type DaemonState } from './daemon-state.ts'

const REQUEST: RunRequest = { campaign: 'exits', fingerprints: ['A'.repeat(40)], countries: ['DE'] }
const AT = '2026-01-31T12:00:00.000Z'

/** A state in a new file, or in one that is there. */
async function open(path = join(makeTemporaryDirectory(), 'daemon.db')): Promise<DaemonState> {
  const state = await openDaemonState(path)
  onTestFinished(() => {
    state[Symbol.dispose]()
  })
  return state
}

describe('openDaemonState', () => {
  test('keeps what began and what is still to be done for the next process', async () => {
    const path = join(makeTemporaryDirectory(), 'daemon.db')
    {
      using first = await openDaemonState(path)
      expect(first.beginRun('20260131120000', REQUEST, AT)).toBe(true)
      expect(first.beginRun('20260131120000', REQUEST, AT)).toBe(false)
      first.beginRun('20260131180000', REQUEST, AT)
      first.endRun({ runId: '20260131120000', outcome: 'invalid', message: 'no zone' }, AT, ['archive', 'publication'])
      first.stepFailed('20260131120000', 'archive', 'the disk is full')
    }
    const second = await open(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(second.unfinishedRuns('exits')).toEqual([{ runId: '20260131180000', request: REQUEST }])
    expect(second.lastRun('exits')).toEqual({ runId: '20260131120000', outcome: 'invalid', message: 'no zone' })
    expect(second.pendingSteps()).toEqual([
      { runId: '20260131120000', step: 'archive', attempts: 1, message: 'the disk is full' },
      { runId: '20260131120000', step: 'publication', attempts: 0, message: null },
    ])
    second.stepDone('20260131120000', 'archive')
    expect(second.pendingSteps().map(({ step }) => step)).toEqual(['publication'])
  })

  test('takes a run of somebody else once, and shows it as none of its own', async () => {
    const state = await open()
    expect(state.adoptRun('20260131120000', AT, ['archive'])).toBe(true)
    expect(state.adoptRun('20260131120000', AT, ['archive'])).toBe(false)
    expect(state.pendingSteps()).toHaveLength(1)
    expect(state.unfinishedRuns('exits')).toEqual([])
    expect(state.lastRun('exits')).toBeUndefined()
  })

  test('forgets old runs, but none with something to be done', async () => {
    const path = join(makeTemporaryDirectory(), 'daemon.db')
    const state = await open(path)
    const database = new DatabaseSync(path)
    database.exec(`
      WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 1509)
      INSERT INTO run SELECT CAST(20260101000000 + n AS TEXT), '{"campaign":"exits"}', '', '', 'complete', NULL FROM number;
      INSERT INTO step (run_id, step, place) VALUES ('20260101000003', 'archive', 0);
    `)
    state.beginRun('20260131120000', REQUEST, AT)
    state.endRun({ runId: '20260131120000', outcome: 'complete', message: null }, AT, [])
    expect(database.prepare('SELECT count(*) AS count FROM run').get()).toEqual({ count: 1_501 })
    database.close()
    expect(state.pendingSteps()).toMatchObject([{ runId: '20260101000003' }])
  })

  test('knows a schedule by its expression', async () => {
    const state = await open()
    expect(state.servedMs('exits', '* * * * *')).toBeUndefined()
    state.setServedMs('exits', '* * * * *', 1_769_860_800_000.5)
    expect(state.servedMs('exits', '* * * * *')).toBe(1_769_860_800_001)
    expect(state.servedMs('exits', '0 * * * *')).toBeUndefined()
  })

  test('refuses a file of a newer program, and one that is no database', async () => {
    const directory = makeTemporaryDirectory()
    const newer = new DatabaseSync(join(directory, 'newer.db'))
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await expect(openDaemonState(join(directory, 'newer.db'))).rejects.toThrow('schema version 99')
    writeFileSync(join(directory, 'text.db'), 'this is no database, whatever its name may say')
    await expect(openDaemonState(join(directory, 'text.db'))).rejects.toThrow('cannot be used')
  })
})
