/** Waiting on a clock that the test owns, and the forms of time. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Clock, formatCompactTime, formatIsoTime, parseTime, sleep, withTimeout } from './clock.ts'

/** A clock that stands until it is told to advance. */
function createStandingClock(): Clock & { advance(ms: number): void; pending(): number } {
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    wallNowMs: () => nowMs,
    setTimer(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    advance(ms) {
      nowMs += ms
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue
        timers.delete(timer)
        timer.callback()
      }
    },
    pending: () => timers.size,
  }
}

/** @returns Whether a promise is settled once everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = (): void => {
    settled = true
  }
  promise.then(note, note)
  for (let i = 0; i < 10; i++) await Promise.resolve()
  return settled
}

describe('sleep', () => {
  test('ends after its time and not before', async () => {
    const clock = createStandingClock()
    const slept = sleep(clock, 100)
    clock.advance(99)
    expect(await isSettled(slept)).toBe(false)
    clock.advance(1)
    expect(await isSettled(slept)).toBe(true)
  })

  test('ends at once on abort, and forgets its timer', async () => {
    const clock = createStandingClock()
    const controller = new AbortController()
    const slept = sleep(clock, 100, controller.signal)
    controller.abort()
    expect(await isSettled(slept)).toBe(true)
    expect(clock.pending()).toBe(0)
  })

  test('does not start when the signal is aborted already', async () => {
    const clock = createStandingClock()
    expect(await isSettled(sleep(clock, 100, AbortSignal.abort()))).toBe(true)
    expect(clock.pending()).toBe(0)
  })
})

describe('withTimeout', () => {
  test('gives what the promise gives, and forgets its timer', async () => {
    const clock = createStandingClock()
    expect(await withTimeout(clock, Promise.resolve(7), 100)).toBe(7)
    expect(clock.pending()).toBe(0)
  })

  test('gives undefined when the time passes first, whatever comes later', async () => {
    const clock = createStandingClock()
    const late = Promise.withResolvers<number>()
    const bounded = withTimeout(clock, late.promise, 100)
    clock.advance(100)
    expect(await bounded).toBeUndefined()
    late.reject(new Error('too late to matter'))
    expect(await isSettled(late.promise)).toBe(true)
  })

  test('passes a rejection on, as an Error', async () => {
    const clock = createStandingClock()
    const error = new Error('refused')
    await expect(withTimeout(clock, Promise.reject(error), 100)).rejects.toBe(error)
    const textual = Promise.withResolvers<never>()
    textual.reject('text')
    await expect(withTimeout(clock, textual.promise, 100)).rejects.toThrow('text')
    expect(clock.pending()).toBe(0)
  })
})

describe('formatIsoTime', () => {
  test('has milliseconds and ends with Z', () => {
    expect(formatIsoTime(0)).toBe('1970-01-01T00:00:00.000Z')
    expect(formatIsoTime(1_769_903_999_000.9)).toBe('2026-01-31T23:59:59.000Z')
  })
})

describe('formatCompactTime', () => {
  test('has 14 digits', () => {
    expect(formatCompactTime(1_769_903_999_999)).toBe('20260131235959')
  })
})

describe('parseTime', () => {
  test('reads ISO 8601 and the form of Tor, both in UTC', () => {
    expect(parseTime('2026-01-31T23:59:59.000Z')).toBe(1_769_903_999_000)
    expect(parseTime('2026-01-31 23:59:59')).toBe(1_769_903_999_000)
    expect(parseTime('nonsense')).toBeNaN()
    expect(parseTime('2026-02-31 23:59:61')).toBeNaN()
  })

  test('undoes formatIsoTime', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (wallMs) => {
        expect(parseTime(formatIsoTime(wallMs))).toBe(wallMs)
      }),
    )
  })
})
