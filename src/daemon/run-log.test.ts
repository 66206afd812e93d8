import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileError } from '../core/files.ts'
import { createLog } from '../core/log.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { openRunLog, removeOldRunLogs } from './run-log.ts'

const RUN_ID = '20260131120000'

describe('openRunLog', () => {
  test('writes entries of all levels for its owner alone, and goes on where it was', async () => {
    const directory = join(makeTemporaryDirectory(), 'logs')
    const dependencies = { clock: createVirtualClock(), files: nodeFiles, onFailure: () => {} }
    for (const event of ['first', 'second']) {
      const runLog = await openRunLog(dependencies, directory, RUN_ID)
      createLog(runLog.sink).debug(event, { count: 1 })
      await runLog.close()
    }
    const path = join(directory, `run_${RUN_ID}.jsonl`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { timestamp: '2026-01-31T12:00:00.000Z', level: 'debug', event: 'first', count: 1 },
      { timestamp: '2026-01-31T12:00:00.000Z', level: 'debug', event: 'second', count: 1 },
    ])
  })

  test('says once that the disk is full, and stops nothing', async () => {
    const failures: string[] = []
    const openAppend: typeof nodeFiles.openAppend = async (path, mode) => ({
      ...(await nodeFiles.openAppend(path, mode)),
      append: () => Promise.reject(new FileError('ENOSPC', path)),
    })
    const files = { ...nodeFiles, openAppend }
    const dependencies = { clock: createVirtualClock(), files, onFailure: (message: string) => failures.push(message) }
    const runLog = await openRunLog(dependencies, makeTemporaryDirectory(), RUN_ID)
    const log = createLog(runLog.sink)
    log.info('first')
    await new Promise((resolve) => setTimeout(resolve, 20))
    log.info('second')
    await runLog.close()
    expect(failures).toEqual([expect.stringContaining('ENOSPC')])
  })
})

describe('removeOldRunLogs', () => {
  test('keeps the newest logs, and whatever is none', async () => {
    const directory = makeTemporaryDirectory()
    for (const name of ['run_20260101000000.jsonl', 'run_20260102000000.jsonl', 'run_20260103000000.jsonl', 'other'])
      writeFileSync(join(directory, name), '')
    expect(await removeOldRunLogs(nodeFiles, directory, 2)).toBe(1)
    expect(readdirSync(directory).toSorted()).toEqual(['other', 'run_20260102000000.jsonl', 'run_20260103000000.jsonl'])
  })
})
