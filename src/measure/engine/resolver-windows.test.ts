import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ResolverWindows } from './resolver-windows.ts'

describe('ResolverWindows', () => {
  test('grows by one for each window that was answered', () => {
    const windows = new ResolverWindows(1, { start: 4, min: 1, max: 100 })
    for (let i = 0; i < 5; i++) {
      windows.begin(0)
      windows.end(0, 'answered', 0, 1)
    }
    expect(windows.size(0)).toBe(5)
  })
  test('halves once for the losses of what was sent together', () => {
    const windows = new ResolverWindows(1, { start: 32, min: 1, max: 100 })
    for (let i = 0; i < 10; i++) windows.begin(0)
    for (let i = 0; i < 10; i++) windows.end(0, 'lost', 5, 500 + i)
    expect(windows.size(0)).toBe(16)
    windows.begin(0)
    windows.end(0, 'lost', 600, 1_100)
    expect(windows.size(0)).toBe(8)
  })
  test('stays between its bounds, and knows how many are in flight, whatever happens', () => {
    const outcome = fc.constantFrom('answered', 'lost', 'neither')
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, fc.integer({ min: 0, max: 50 })), { maxLength: 500 }), (ends) => {
        const windows = new ResolverWindows(1, { start: 8, min: 2, max: 20 })
        let nowMs = 0
        for (const [what, gapMs] of ends) {
          const sentAtMs = nowMs
          let begun = 0
          while (windows.hasRoom(0)) {
            windows.begin(0)
            begun++
          }
          expect(begun).toBe(windows.size(0))
          nowMs += gapMs
          for (let i = 0; i < begun; i++) windows.end(0, what, sentAtMs, nowMs)
          expect(windows.size(0)).toBeGreaterThanOrEqual(2)
          expect(windows.size(0)).toBeLessThanOrEqual(20)
        }
      }),
    )
  })
})
