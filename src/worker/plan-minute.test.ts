import { check, constantFrom, integer, property, record, array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MonitoredName } from '../model/monitor-name.ts'
import { classesOf, layOutNames, planMinute } from './plan-minute.ts'
import { BATCH_COST, BATCH_NAMES_MAX, findStretch, questionBudget, WORKER_LIMITS } from './worker-limits.ts'

function nameOf(index: number, minutes: number, resolvers: number): MonitoredName {
  return {
    name: `n${index}`,
    domain: `n${index}.zone.example`,
    type: 'A',
    category: '',
    owner: null,
    intervalMs: minutes * 60_000,
    mode: 'auto',
    expect: [],
    approve: [],
    maintenance: [],
    channels: [],
    resolvers: Array.from({ length: resolvers }, (_, each) => `r${each}`),
  }
}

const NAMES = array(record({ minutes: constantFrom(1, 1, 1, 5, 60), resolvers: integer({ min: 2, max: 8 }) }), {
  minLength: 1,
  maxLength: 150,
})

describe('planMinute', () => {
  test('never costs more than there is, and brings every name its turn', () => {
    const outcome = check(
      property(NAMES, integer({ min: 0, max: 1e6 }), (options, start) => {
        const names = options.map(({ minutes, resolvers }, index) => nameOf(index, minutes, resolvers))
        const layout = layOutNames([], names)
        const stretch = findStretch(WORKER_LIMITS.free, classesOf(names))
        const longest = Math.max(...options.map(({ minutes }) => minutes)) * stretch
        const asked = new Set<string>()
        // Confirmations take half of each minute, so that regular turns may be missed now and then.
        const confirming = layout.names.slice(0, 5).map(({ key }) => key)
        for (let minute = start; minute < start + longest * 3; minute++) {
          const due = planMinute(layout, minute % 2 === 0 ? confirming : [], WORKER_LIMITS.free, minute * 60_000)
          const questions = due.reduce((sum, { monitored }) => sum + monitored.resolvers.length, 0)
          const batches = new Set(due.map(({ batch }) => batch)).size
          if (questions + batches * BATCH_COST > questionBudget(WORKER_LIMITS.free)) return false
          for (const { key } of due) asked.add(key)
        }
        return asked.size === names.length
      }),
      { numRuns: 40 },
    )
    expect(outcome.counterexample).toBeNull()
  })

  test('asks a name at its interval where there is room', () => {
    const layout = layOutNames([], [nameOf(1, 5, 3), nameOf(2, 1, 3)])
    const minutes = Array.from({ length: 10 }, (_, minute) =>
      planMinute(layout, [], WORKER_LIMITS.free, minute * 60_000),
    )
    expect(minutes.map((due) => due.length)).toEqual([2, 1, 1, 1, 1, 2, 1, 1, 1, 1])
    expect(minutes.flat().every(({ isConfirmation }) => !isConfirmation)).toBe(true)
  })
})

describe('layOutNames', () => {
  test('leaves each name in its batch when others come and go', () => {
    const names = Array.from({ length: 60 }, (_, index) => nameOf(index, 1, 3))
    const before = layOutNames([], names)
    const after = layOutNames(before.batches, [...names.slice(10), nameOf(100, 1, 3)])
    const places = new Map(before.names.map(({ key, batch }) => [key, batch]))
    for (const { key, batch } of after.names) expect([key, places.get(key) ?? 0]).toEqual([key, batch])
    expect(after.batches.every((keys) => keys.length <= BATCH_NAMES_MAX)).toBe(true)
    expect(after.names).toHaveLength(51)
  })
})
