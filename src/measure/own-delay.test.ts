import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import type { Clock } from '../core/clock.ts'
import { measureOwnDelay } from './own-delay.ts'

describe('measureOwnDelay', () => {
  test('sees nothing while timers fire in time', async () => {
    const clock = createVirtualClock()
    using delay = measureOwnDelay(clock)
    await clock.advance(1_000)
    expect(delay.since(0)).toBe(0)
  })

  test('sees a blocked loop, and only in the window asked for', async () => {
    const inner = createVirtualClock()
    let skewMs = 0
    // A loop that is blocked shows as a clock that is ahead of its timers.
    const clock: Clock = { ...inner, nowMs: () => inner.nowMs() + skewMs }
    using delay = measureOwnDelay(clock)
    await inner.advance(100)
    skewMs = 700
    await inner.advance(20)
    expect(delay.since(0)).toBeGreaterThanOrEqual(680)
    const laterMs = clock.nowMs() + 1
    await inner.advance(1_000)
    expect(delay.since(laterMs)).toBe(0)
  })

  test('sees a loop that is blocked right now', async () => {
    const inner = createVirtualClock()
    let skewMs = 0
    const clock: Clock = { ...inner, nowMs: () => inner.nowMs() + skewMs }
    using delay = measureOwnDelay(clock)
    await inner.advance(100)
    skewMs = 500
    expect(delay.since(0)).toBeGreaterThanOrEqual(480)
  })
})
