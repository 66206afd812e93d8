import { describe, expect, test } from 'vitest'
import type { StateSample } from '../../model/domain-view.ts'
import { addStateSample, formatStateHistory, readStateHistory } from './state-history.ts'

const STATES = new Map([
  ['ACTIVE', 5],
  ['HARD', 1],
] as const)
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

describe('addStateSample', () => {
  test('counts every ten minutes, in the order of the states', () => {
    const first = addStateSample([], () => STATES, START_MS) ?? []
    expect(first).toEqual([{ atMs: START_MS, counts: [5, 0, 0, 0, 1] }])
    expect(addStateSample(first, () => STATES, START_MS + 9 * MINUTE_MS)).toBeUndefined()
    expect(addStateSample(first, () => STATES, START_MS + 10 * MINUTE_MS)).toHaveLength(2)
  })

  test('thins out what is older than a day and a month, and forgets what is older than 400 days', () => {
    let samples: readonly StateSample[] = []
    const endMs = START_MS + 500 * DAY_MS
    const fineMs = endMs - 2 * DAY_MS
    for (let atMs = START_MS; atMs <= endMs; atMs += (atMs < fineMs ? 60 : 10) * MINUTE_MS)
      samples = addStateSample(samples, () => STATES, atMs) ?? samples
    const within = (fromDays: number, toDays: number): number =>
      samples.filter(({ atMs }) => endMs - atMs > fromDays * DAY_MS && endMs - atMs <= toDays * DAY_MS).length
    expect(within(-1, 0.99)).toBe(143)
    expect(within(1, 30)).toBeGreaterThanOrEqual(29 * 24 - 1)
    expect(within(1, 30)).toBeLessThanOrEqual(29 * 24 + 1)
    expect(within(31, 400)).toBeGreaterThanOrEqual(368)
    expect(within(31, 400)).toBeLessThanOrEqual(370)
    expect(within(400, 1_000)).toBe(0)
    expect(readStateHistory(formatStateHistory(samples))).toEqual(samples)
  })

  test('goes on when the clock was set back', () => {
    const later = addStateSample([], () => STATES, START_MS + DAY_MS) ?? []
    expect(addStateSample(later, () => STATES, START_MS)).toEqual([{ atMs: START_MS, counts: [5, 0, 0, 0, 1] }])
  })
})

describe('readStateHistory', () => {
  test('reads nothing from nothing, and passes over what is no sample', () => {
    expect(readStateHistory(undefined)).toEqual([])
    expect(readStateHistory('{"a":1}')).toEqual([])
    expect(readStateHistory('[[1,2,3,4,5,6],["x"],null]')).toEqual([{ atMs: 1, counts: [2, 3, 4, 5, 6] }])
  })
})
