import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { createRunNameGate } from './run-name-gate.ts'
import { parseRunName, type RunName } from './run-name.ts'

const FINGERPRINT = 'ab'.repeat(20)
const MOMENT = '20260131120000123'
const SENT_AT_MS = Date.UTC(2026, 0, 31, 12, 0, 0, 123)

describe('parseRunName', () => {
  test('reads a whole name and what is left of it by minimisation', () => {
    const whole = { fingerprint: FINGERPRINT.toUpperCase(), sentAtMs: SENT_AT_MS, runId: '20260131120000' }
    expect(parseRunName(['20260131120000', '1', MOMENT, FINGERPRINT])).toEqual(whole)
    expect(parseRunName(['1', MOMENT, FINGERPRINT])).toEqual({ ...whole, runId: undefined })
    expect(parseRunName(['_', MOMENT, FINGERPRINT])).toEqual({ ...whole, runId: undefined })
    expect(parseRunName([FINGERPRINT])).toEqual({ ...whole, runId: undefined, sentAtMs: undefined })
  })

  test.each([
    [[]],
    [['_']],
    [['www']],
    [['x', '20260131120000', '1', MOMENT, FINGERPRINT]],
    [['2026013112000', '1', MOMENT, FINGERPRINT]],
    [['20260131120000', '-1', MOMENT, FINGERPRINT]],
    [['20260131120000', '1', '20261331120000123', FINGERPRINT]],
    [['20260131120000', '1', '2026013112000012', FINGERPRINT]],
    [['20260131120000', '1', MOMENT, `${FINGERPRINT}0`]],
  ])('refuses %j', (labels: readonly string[]) => {
    expect(parseRunName(labels)).toBeUndefined()
  })
})

describe('createRunNameGate', () => {
  const at = (sentAtMs: number | undefined): RunName => ({ fingerprint: 'A', runId: 'r', sentAtMs })

  test('admits names of the last and the next five minutes', () => {
    const clock = createVirtualClock(SENT_AT_MS)
    const gate = createRunNameGate(clock, 1000)
    const admitted = [-300_001, -300_000, 0, 300_000, 300_001].map((ms) => gate.admit(`n${ms}`, at(SENT_AT_MS + ms)))
    expect(admitted).toEqual([false, true, true, true, false])
    expect(gate.admit('minimised', at(undefined))).toBe(true)
  })

  test('admits a name 16 times', () => {
    const gate = createRunNameGate(createVirtualClock(SENT_AT_MS), 1000)
    const admitted = Array.from({ length: 20 }, () => gate.admit('n', at(SENT_AT_MS)))
    expect(admitted.filter(Boolean)).toHaveLength(16)
  })

  test('has one budget for all names, which fills up again', async () => {
    const clock = createVirtualClock(SENT_AT_MS)
    const gate = createRunNameGate(clock, 10)
    let number = 0
    const admitOf = (count: number): number =>
      Array.from({ length: count }, () => gate.admit(`n${number++}`, at(SENT_AT_MS))).filter(Boolean).length
    expect(admitOf(30)).toBe(10)
    await clock.advance(500)
    expect(admitOf(30)).toBe(5)
    await clock.advance(60_000)
    expect(admitOf(30)).toBe(10)
  })
})

describe('createRateLimiter', () => {
  test('gives each network four seconds of its rate at once, then the rate', async () => {
    const clock = createVirtualClock()
    const limiter = createRateLimiter(clock, 5)
    const takeOf = (address: string, count: number, cost = 1): number =>
      Array.from({ length: count }, () => limiter.take(address, cost)).filter(Boolean).length
    expect(takeOf('192.0.2.1', 50)).toBe(20)
    // The same /24, then another one; the same /56, then another one.
    expect(takeOf('192.0.2.250', 5)).toBe(0)
    expect(takeOf('192.0.3.1', 50)).toBe(20)
    expect(takeOf('2001:db8:0:1::1', 50)).toBe(20)
    expect(takeOf('2001:db8:0:ff::1', 5)).toBe(0)
    expect(takeOf('2001:db8:0:100::1', 50)).toBe(20)
    await clock.advance(1_000)
    expect(takeOf('192.0.2.1', 50)).toBe(5)
    await clock.advance(4_000)
    expect(takeOf('192.0.2.1', 50, 6)).toBe(3)
  })

  test('forgets the network that was unused for longest when the table is full', () => {
    const limiter = createRateLimiter(createVirtualClock(), 1)
    for (let count = 0; count < 4; count++) limiter.take('192.0.2.1', 1)
    expect(limiter.take('192.0.2.1', 1)).toBe(false)
    for (let index = 0; index < 65_536; index++) limiter.take(`10.${index >> 8}.${index & 255}.1`, 1)
    expect(limiter.take('192.0.2.1', 1)).toBe(true)
  })
})
