import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseAwake, Cooldown, type CooldownPolicy } from './cooldown.ts'

const POLICY: CooldownPolicy = {
  failuresInARow: 3,
  failureShare: 0,
  lookedBack: 50,
  outcomesMin: 10,
  restMs: 1_000,
  restMsMax: 60_000,
  answersWanted: 1,
  forgetMs: 600_000,
}

function failTimes(cooldown: Cooldown, times: number, nowMs: number): boolean {
  let isResting = false
  for (let i = 0; i < times; i++) isResting = cooldown.failed(0, nowMs)
  return isResting
}

describe('Cooldown', () => {
  test('lets a resolver rest after failures in a row, and not after failures with answers between', () => {
    const cooldown = new Cooldown(1, POLICY)
    for (let i = 0; i < 10; i++) {
      expect(failTimes(cooldown, 2, 0)).toBe(false)
      cooldown.answered(0, 0)
    }
    expect(failTimes(cooldown, 3, 0)).toBe(true)
    expect(cooldown.mayAsk(0, 999)).toBe(false)
    expect(cooldown.mayAsk(0, 1_000)).toBe(true)
  })
  test('doubles the rest with each probe that fails, up to its bound', () => {
    const cooldown = new Cooldown(1, POLICY)
    failTimes(cooldown, 3, 0)
    let nowMs = 0
    const rests: number[] = []
    for (let probe = 0; probe < 9; probe++) {
      const beganMs = nowMs
      while (!cooldown.mayAsk(0, nowMs)) nowMs += 100
      rests.push(nowMs - beganMs)
      cooldown.asks(0, nowMs)
      cooldown.failed(0, nowMs)
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })
  test('has one probe at a time', () => {
    const cooldown = new Cooldown(1, { ...POLICY, answersWanted: 2 })
    failTimes(cooldown, 3, 0)
    expect(cooldown.mayAsk(0, 1_000)).toBe(true)
    cooldown.asks(0, 1_000)
    expect(cooldown.mayAsk(0, 2_000)).toBe(false)
    cooldown.answered(0, 2_000)
    expect(cooldown.mayAsk(0, 2_000)).toBe(true)
    cooldown.asks(0, 2_000)
    expect(cooldown.mayAsk(0, 2_000)).toBe(false)
    cooldown.answered(0, 2_001)
    cooldown.asks(0, 2_001)
    expect(cooldown.mayAsk(0, 2_001)).toBe(true)
  })
  test('sends another probe when nothing is heard of one for as long as a rest', () => {
    const cooldown = new Cooldown(1, POLICY)
    failTimes(cooldown, 3, 0)
    cooldown.asks(0, 1_000)
    expect(cooldown.mayAsk(0, 2_999)).toBe(false)
    expect(cooldown.mayAsk(0, 3_000)).toBe(true)
  })
  test('rests for as long as the first time again after a long time without a rest', () => {
    const cooldown = new Cooldown(1, POLICY)
    const rest = (nowMs: number): number => {
      failTimes(cooldown, 3, nowMs)
      let untilMs = nowMs
      while (!cooldown.mayAsk(0, untilMs)) untilMs += 100
      cooldown.asks(0, untilMs)
      cooldown.answered(0, untilMs)
      return untilMs - nowMs
    }
    expect([rest(0), rest(10_000), rest(20_000)]).toEqual([1_000, 2_000, 4_000])
    cooldown.answered(0, 700_000)
    expect(rest(700_000)).toBe(1_000)
  })
  test('ends a rest when an answer comes after all', () => {
    const cooldown = new Cooldown(1, POLICY)
    failTimes(cooldown, 3, 0)
    cooldown.answered(0, 10)
    expect(cooldown.mayAsk(0, 10)).toBe(true)
  })
  test('lets a resolver rest whose failures are too large a share of what is looked back at', () => {
    const policy = { ...POLICY, failuresInARow: 5, failureShare: 0.3 }
    const rests = (outcomes: readonly boolean[]): boolean => {
      const cooldown = new Cooldown(1, policy)
      return outcomes.some((isFailure) => (isFailure ? cooldown.failed(0, 0) : (cooldown.answered(0, 0), false)))
    }
    const every = (n: number, count: number): boolean[] => Array.from({ length: count }, (_, i) => i % n === n - 1)
    expect(rests(every(3, 9))).toBe(false)
    expect(rests(every(3, 12))).toBe(true)
    expect(rests(every(4, 500))).toBe(false)
    // Failures that are longer ago than fifty outcomes do not count.
    expect(rests([...every(4, 100), ...Array<boolean>(50).fill(false), true, false, true, false, true])).toBe(false)
  })
  test('never rests for longer than its bound, whatever happens', () => {
    const event = fc.constantFrom('failed', 'answered', 'asks')
    const step = fc.tuple(event, fc.integer({ min: 0, max: 3_000 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const cooldown = new Cooldown(1, POLICY)
        let nowMs = 0
        for (const [name, gapMs] of steps) {
          nowMs += gapMs
          if (name !== 'asks') cooldown[name](0, nowMs)
          else cooldown.asks(0, nowMs)
        }
        cooldown.failed(0, nowMs)
        expect(cooldown.mayAsk(0, nowMs + POLICY.restMsMax)).toBe(true)
      }),
    )
  })
})

describe('chooseAwake', () => {
  test('passes over those who rest, and asks somebody when all do', () => {
    const cooldown = new Cooldown(3, { ...POLICY, failuresInARow: 1 })
    const order = Int32Array.of(2, 0, 1)
    cooldown.failed(0, 0)
    expect([0, 1, 2, 3].map((from) => chooseAwake(order, from, cooldown, 0))).toEqual([2, 1, 1, 2])
    cooldown.failed(1, 0)
    cooldown.failed(2, 0)
    expect(chooseAwake(order, 4, cooldown, 0)).toBe(0)
    expect(chooseAwake(order, 4, undefined, 0)).toBe(0)
  })
  test('gives a probe to one question', () => {
    const cooldown = new Cooldown(2, { ...POLICY, failuresInARow: 1 })
    const order = Int32Array.of(0, 1)
    cooldown.failed(0, 0)
    expect([0, 0, 0].map((from) => chooseAwake(order, from, cooldown, 1_000))).toEqual([0, 1, 1])
  })
})
