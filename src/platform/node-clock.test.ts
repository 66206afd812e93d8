import { describe, expect, test } from 'vitest'
import { nodeClock } from './node-clock.ts'

describe('nodeClock', () => {
  test('never runs a timer before its time', async () => {
    for (const delayMs of [0, 1, 1.5, 7]) {
      const startedAtMs = nodeClock.nowMs()
      await new Promise<void>((resolve) => nodeClock.setTimer(delayMs, resolve))
      expect(nodeClock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(delayMs)
    }
  })

  test('forgets a cancelled timer', async () => {
    let ran = false
    nodeClock
      .setTimer(1, () => {
        ran = true
      })
      .cancel()
    await new Promise<void>((resolve) => nodeClock.setTimer(20, resolve))
    expect(ran).toBe(false)
  })

  test('does not run a timer at once whose delay is beyond the range of the platform', async () => {
    let ran = false
    const timer = nodeClock.setTimer(2 ** 33, () => {
      ran = true
    })
    await new Promise<void>((resolve) => nodeClock.setTimer(20, resolve))
    timer.cancel()
    expect(ran).toBe(false)
  })

  test('reads the wall clock in milliseconds since the epoch', () => {
    expect(Math.abs(nodeClock.wallNowMs() - Date.now())).toBeLessThan(1_000)
  })
})
