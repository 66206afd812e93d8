import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Hedges } from './hedges.ts'

const POLICY = { quantile: 0.9, minMs: 100, maxMs: 150, share: 0.1 }

describe('Hedges', () => {
  test('waits for the quantile of the latest times, between its bounds', () => {
    const hedges = new Hedges(2, POLICY)
    expect(hedges.delayMs(0)).toBe(150)
    for (let i = 0; i < 32; i++) hedges.answered(0, 10)
    expect(hedges.delayMs(0)).toBe(100)
    for (let i = 0; i < 32; i++) hedges.answered(0, i < 28 ? 120 : 900)
    expect(hedges.delayMs(0)).toBe(150)
    for (let i = 0; i < 32; i++) hedges.answered(0, i < 29 ? 120 : 900)
    expect(hedges.delayMs(0)).toBe(120)
    expect(hedges.delayMs(1)).toBe(150)
  })
  test('has never spent more than its share of the questions, and saves up little', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 2_000 })
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 0.05, 0.1, 0.5, 1), (wishes, share) => {
        const hedges = new Hedges(1, { ...POLICY, share })
        let asked = 0
        let spent = 0
        for (const isWish of wishes) {
          if (!isWish) hedges.asked()
          asked += isWish ? 0 : 1
          spent += isWish && hedges.trySpend() ? 1 : 0
          expect(spent).toBeLessThanOrEqual(asked * share + 1e-6)
        }
        let storm = 0
        while (hedges.trySpend()) storm++
        expect(storm).toBeLessThanOrEqual(16)
      }),
    )
  })
})
