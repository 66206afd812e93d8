import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { createMonitorState } from '../verdicts/monitor-profile.ts'
import { openMonitorStore } from './monitor-store.node.ts'

describe('openMonitorStore', () => {
  test('keeps a state for the next program, in a file that is nobody else’s', async () => {
    const directory = makeTemporaryDirectory()
    const state = { ...createMonitorState(), failedRounds: 2 }
    {
      await using store = await openMonitorStore(directory, 'a test')
      expect(await store.load('zone.example/A')).toBeUndefined()
      expect(await store.update('zone.example/A', () => ({ state, result: 7 }))).toBe(7)
      await expect(openMonitorStore(directory, 'another')).rejects.toThrow('a test')
    }
    await using store = await openMonitorStore(directory, null)
    expect(await store.load('zone.example/A')).toEqual(state)
    expect(statSync(join(directory, 'monitor/monitor.db')).mode & 0o777).toBe(0o600)
  })

  test('leaves a state as it was when the change fails', async () => {
    await using store = await openMonitorStore(makeTemporaryDirectory(), null)
    const state = createMonitorState()
    await store.update('a/A', () => ({ state, result: 0 }))
    const change = (): never => {
      throw new Error('no')
    }
    await expect(store.update('a/A', change)).rejects.toThrow('no')
    expect(await store.load('a/A')).toEqual(state)
  })

  test('refuses a schema that is newer than the program', async () => {
    const directory = makeTemporaryDirectory()
    const store = await openMonitorStore(directory, null)
    await store[Symbol.asyncDispose]()
    const database = new DatabaseSync(join(directory, 'monitor/monitor.db'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openMonitorStore(directory, null)).rejects.toThrow('schema version 99')
  })
})
