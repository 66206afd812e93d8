import { describe, expect, test } from 'vitest'
import { TimerWheel } from './timer-wheel.ts'

function expireAll(wheel: TimerWheel, nowMs: number): number[] {
  const items: number[] = []
  for (let item = wheel.expire(nowMs); item >= 0; item = wheel.expire(nowMs)) items.push(item)
  return items.toSorted((a, b) => a - b)
}

describe('TimerWheel', () => {
  test('expires items at their time, never before, and at most a tick late', () => {
    const wheel = new TimerWheel(4, 10, 16, 1000)
    wheel.set(0, 1005)
    wheel.set(1, 1020)
    expect(expireAll(wheel, 1004)).toEqual([])
    expect(expireAll(wheel, 1010)).toEqual([0])
    expect(expireAll(wheel, 1019)).toEqual([])
    expect(expireAll(wheel, 1020)).toEqual([1])
    expect(wheel.size).toBe(0)
  })
  test('forgets what was cleared, in the middle of a list too', () => {
    const wheel = new TimerWheel(3, 10, 16, 0)
    for (const item of [0, 1, 2]) wheel.set(item, 50)
    wheel.clear(1)
    wheel.clear(1)
    expect(wheel.has(1)).toBe(false)
    expect(expireAll(wheel, 60)).toEqual([0, 2])
  })
  test('sees everything after a sleep of many rounds, and goes on', () => {
    const wheel = new TimerWheel(2, 10, 16, 0)
    wheel.set(0, 100)
    expect(expireAll(wheel, 100_000)).toEqual([0])
    wheel.set(1, 100_050)
    expect(expireAll(wheel, 100_040)).toEqual([])
    expect(expireAll(wheel, 100_050)).toEqual([1])
  })
  test('expires at once what should have expired before', () => {
    const wheel = new TimerWheel(1, 10, 16, 1000)
    wheel.set(0, 10)
    expect(expireAll(wheel, 1000)).toEqual([0])
  })
})
