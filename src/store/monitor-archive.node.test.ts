import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import type { MonitorState } from '../model/monitor-state.ts'
import type { SeenRound } from '../model/monitor-view.ts'
import { createMonitorState } from '../verdicts/monitor-profile.ts'
import { openMonitorArchive, type MonitorArchive } from './monitor-archive.node.ts'
import { openMonitorStore } from './monitor-store.node.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const KEY = 'shop.zone.example/A'
const POLICY = { roundsMs: 7 * DAY_MS, hoursMs: 400 * DAY_MS, budgetOctets: 2 ** 40 }
const turn = (): Promise<void> => Promise.resolve()

function roundAt(atMs: number, value: string): SeenRound {
  const answers = ['one', 'two'].map(
    (resolver) => ({ resolver, outcome: 'answer', reason: null, values: [value], class: 'K0' }) as const,
  )
  return { atMs, untilMs: atMs, count: 1, class: 'K0', answers }
}

/** A round a minute; `valueOf` says which value a minute has. */
function fill(archive: MonitorArchive, minutes: number, valueOf: (minute: number) => string): void {
  for (let minute = 0; minute < minutes; minute++)
    archive.addRound(KEY, roundAt(START_MS + minute * MINUTE_MS, valueOf(minute)))
}

describe('openMonitorArchive', () => {
  test('keeps equal rounds in a row as one row, over restarts and over writes in between', async () => {
    const directory = makeTemporaryDirectory()
    {
      await using archive = await openMonitorArchive(directory, 'a test')
      fill(archive, 10, (minute) => (minute < 6 ? 'a' : 'b'))
      archive.flush(false)
      archive.addRound(KEY, roundAt(START_MS + 10 * MINUTE_MS, 'b'))
    }
    await using archive = await openMonitorArchive(directory, 'a test')
    archive.addRound(KEY, roundAt(START_MS + 11 * MINUTE_MS, 'b'))
    archive.flush(true)
    expect(archive.rounds(KEY, 0, 10)).toMatchObject([
      {
        count: 6,
        atMs: START_MS + 6 * MINUTE_MS,
        untilMs: START_MS + 11 * MINUTE_MS,
        answers: [{ values: ['b'] }, {}],
      },
      {
        count: 6,
        atMs: START_MS,
        untilMs: START_MS + 5 * MINUTE_MS,
        answers: [{ resolver: 'one', values: ['a'] }, {}],
      },
    ])
  })

  test('does not bridge a time in which nobody watched', async () => {
    await using archive = await openMonitorArchive(makeTemporaryDirectory(), 'a test')
    archive.addRound(KEY, roundAt(START_MS, 'a'))
    archive.addRound(KEY, roundAt(START_MS + 3 * HOUR_MS, 'a'))
    archive.flush(true)
    expect(archive.rounds(KEY, 0, 10)).toMatchObject([{ count: 1 }, { count: 1 }])
  })

  test('makes hours of rounds that are older than a week, and loses none', async () => {
    await using archive = await openMonitorArchive(makeTemporaryDirectory(), 'a test')
    const minutes = 10 * 1_440
    // Static for two days, a quarter of an hour of something else, static again.
    fill(archive, minutes, (minute) => (minute >= 2_890 && minute < 2_905 ? 'b' : 'a'))
    const nowMs = START_MS + minutes * MINUTE_MS
    expect(await archive.retain(POLICY, nowMs, turn)).toBe(7)
    const hours = archive.hours(KEY, 0, 100)
    const rounds = archive.rounds(KEY, 0, 100)
    const sum = (items: readonly number[]): number => items.reduce((total, item) => total + item, 0)
    expect(sum(hours.map((each) => each.rounds)) + sum(rounds.map(({ count }) => count))).toBe(minutes)
    expect(hours).toMatchObject([
      { hours: 23, values: ['a'], rounds: 23 * 60 },
      { hours: 1, fromMs: START_MS + 48 * HOUR_MS, values: ['a', 'b'], rounds: 60 },
      { hours: 48, fromMs: START_MS, values: ['a'], rounds: 48 * 60, failed: 0 },
    ])
    expect(rounds).toMatchObject([{ atMs: nowMs - 7 * DAY_MS, count: 7 * 1_440 }])
    // Once more changes nothing, and what grows goes on in the row that is left.
    archive.addRound(KEY, roundAt(nowMs, 'a'))
    await archive.retain(POLICY, nowMs, turn)
    expect(archive.rounds(KEY, 0, 100)).toMatchObject([{ count: 7 * 1_440 + 1 }])
    expect(archive.hours(KEY, 0, 100)).toHaveLength(3)
    await archive.retain({ ...POLICY, hoursMs: 8 * DAY_MS - HOUR_MS }, nowMs, turn)
    expect(archive.hours(KEY, 0, 100)).toHaveLength(2)
  })

  test('rolls up earlier where its budget is nearly used', async () => {
    await using archive = await openMonitorArchive(makeTemporaryDirectory(), 'a test')
    const minutes = 6 * 1_440
    fill(archive, minutes, (minute) => `value-${minute % 97}`)
    archive.flush(true)
    const before = archive.usedOctets()
    const days = await archive.retain({ ...POLICY, budgetOctets: before * 0.8 }, START_MS + minutes * MINUTE_MS, turn)
    expect(days).toBeLessThan(6)
    expect(archive.usedOctets()).toBeLessThan(before * 0.72)
    expect(archive.rounds(KEY, 0, 10_000).at(-1)?.atMs).toBeGreaterThanOrEqual(START_MS + (6 - days) * DAY_MS - HOUR_MS)
  })

  test('reads again what a command has acknowledged beside it', async () => {
    const directory = makeTemporaryDirectory()
    await using archive = await openMonitorArchive(directory, 'a test')
    const incident = {
      key: 'ab'.repeat(32),
      openedAtMs: START_MS,
      closedAtMs: null,
      status: 'open',
      acknowledgement: null,
      units: {},
    }
    const open = { ...createMonitorState(), incidents: [incident] } as unknown as MonitorState
    await archive.states.update(KEY, () => ({ state: open, result: 0 }))
    expect(archive.isPressing()).toBe(true)
    archive.flush(false)
    {
      await using beside = await openMonitorStore(directory, null)
      const acknowledgement = { who: 'Ada', note: '', untilMs: START_MS + DAY_MS }
      const change = { ...open, incidents: [{ ...incident, acknowledgement }] } as unknown as MonitorState
      await beside.update(KEY, () => ({ state: change, result: 0 }))
    }
    const seen = await archive.states.update(KEY, (before) => ({ state: before ?? open, result: before }))
    expect(seen?.incidents[0]?.acknowledgement).toMatchObject({ who: 'Ada' })
    expect(archive.incidents({ limit: 5, status: 'open' })).toMatchObject([{ key: KEY, incident: { status: 'open' } }])
  })

  test('brings a file of schema 1 to its own, and leaves a copy of it', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'monitor/monitor.db')
    await (await openMonitorStore(directory, null))[Symbol.asyncDispose]()
    const database = new DatabaseSync(path)
    database.exec(`DROP INDEX incident_open; DROP INDEX incident_time; ALTER TABLE incident DROP COLUMN closed_ms;
      DROP TABLE name; DROP TABLE resolver; DROP TABLE answer; DROP TABLE round; DROP TABLE hour; DROP TABLE change;
      INSERT INTO state VALUES ('${KEY}', '${JSON.stringify({ ...createMonitorState(), failedRounds: 2 })}');
      INSERT INTO incident (name, key, opened_ms, record)
        VALUES ('${KEY}', 'ab', ${START_MS}, '{"key":"ab","openedAtMs":${START_MS},"closedAtMs":${START_MS + 1}}');
      PRAGMA user_version = 1`)
    database.close()
    await using archive = await openMonitorArchive(directory, 'a test')
    expect(archive.states.peek(KEY)?.failedRounds).toBe(2)
    expect(archive.incidents({ limit: 5, status: 'closed' })).toMatchObject([{ incident: { key: 'ab' } }])
    expect(archive.incidents({ limit: 5, status: 'open' })).toEqual([])
    const copy = `${path}.schema-1`
    expect([existsSync(copy), statSync(copy).mode & 0o777]).toEqual([true, 0o600])
  })
})
