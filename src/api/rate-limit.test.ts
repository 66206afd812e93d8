import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createRateLimit } from './rate-limit.ts'

describe('createRateLimit', () => {
  test('gives a burst, then as many a minute as were said', async () => {
    const clock = createVirtualClock()
    const limit = createRateLimit(clock, { perMinute: 6, burst: 2, keysMax: 10 })
    expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')]).toEqual([0, 0, 10, 0])
    await clock.advance(9_000)
    expect(limit.wait('a')).toBe(1)
    await clock.advance(1_000)
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 10])
  })

  test('forgets whoever was quiet for longest when there are too many', () => {
    const limit = createRateLimit(createVirtualClock(), { perMinute: 1, burst: 1, keysMax: 3 })
    for (const key of ['a', 'b', 'c', 'a', 'd']) limit.take(key)
    expect(limit.size()).toBe(3)
    expect(['a', 'b', 'c', 'd'].map((key) => limit.wait(key) > 0)).toEqual([true, false, true, true])
  })
})
