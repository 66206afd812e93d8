import { describe, expect, test } from 'vitest'
import { adaptBatch, BATCH_FIRST } from './domain-batch.ts'
import { NX_GUARD_POLICY, STORM_GUARD_POLICY, wasAlive, WindowGuard } from './domain-guards.ts'

describe('WindowGuard', () => {
  test('is on beyond its share of enough samples, and off when they are old', () => {
    const guard = new WindowGuard(STORM_GUARD_POLICY)
    guard.add(0, false, 35)
    guard.add(0, true, 14)
    expect(guard.isOn(0)).toBe(false)
    guard.add(1_000, true)
    expect([guard.counts(1_000), guard.isOn(1_000)]).toEqual([{ samples: 50, bad: 15 }, false])
    guard.add(2_000, true)
    expect([guard.isOn(2_000), guard.isOn(59_999), guard.isOn(70_000)]).toEqual([true, true, false])
  })

  test('forgets samples of a clock that was set back', () => {
    const guard = new WindowGuard(NX_GUARD_POLICY)
    guard.add(10_000_000, true, 100)
    guard.add(1_000, false)
    expect(guard.counts(1_000)).toEqual({ samples: 1, bad: 0 })
  })
})

describe('wasAlive', () => {
  test('means an address within a week', () => {
    const week = 7 * 86_400_000
    expect([wasAlive(null, 0), wasAlive(0, week), wasAlive(0, week + 1)]).toEqual([false, true, false])
  })
})

describe('adaptBatch', () => {
  const calm = { attempts: 1000, timeouts: 0, p95Ms: 100, hasCooled: false }
  test('grows by steps, halves in trouble, and stays within its bounds', () => {
    expect(adaptBatch(BATCH_FIRST, calm)).toBe(1_600)
    expect(adaptBatch(4_900, calm)).toBe(5_000)
    expect(adaptBatch(5_000, { ...calm, timeouts: 101 })).toBe(2_500)
    expect(adaptBatch(2_000, { ...calm, hasCooled: true })).toBe(1_200)
    expect(adaptBatch(2_000, { ...calm, timeouts: 20 })).toBe(2_000)
    expect(adaptBatch(2_000, { ...calm, p95Ms: 600 })).toBe(2_000)
    expect(adaptBatch(2_000, { ...calm, attempts: 0 })).toBe(2_000)
  })
})
