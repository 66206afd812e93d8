import { describe, expect, test } from 'vitest'
import { dayOf, isQuietTime, minuteOfDay } from './quiet-hours.ts'

const at = (iso: string): number => Date.parse(iso)

describe('isQuietTime', () => {
  const night = { fromMinute: 22 * 60, toMinute: 7 * 60, timeZone: 'UTC' }

  test.each([
    ['2026-01-31T21:59:59Z', false],
    ['2026-01-31T22:00:00Z', true],
    ['2026-01-31T23:59:59Z', true],
    ['2026-02-01T00:00:00Z', true],
    ['2026-02-01T06:59:59Z', true],
    ['2026-02-01T07:00:00Z', false],
  ])('goes over midnight: %s', (time, expected) => {
    expect(isQuietTime(night, at(time))).toBe(expected)
  })

  test('does not where it need not', () => {
    const noon = { fromMinute: 720, toMinute: 780, timeZone: 'UTC' }
    expect(['11:59', '12:00', '12:59', '13:00'].map((time) => isQuietTime(noon, at(`2026-01-31T${time}:00Z`)))).toEqual(
      [false, true, true, false],
    )
  })

  test('follows the clocks of its zone, in summer as in winter', () => {
    const berlin = { ...night, timeZone: 'Europe/Berlin' }
    expect(isQuietTime(berlin, at('2026-01-31T05:30:00Z'))).toBe(true) // 06:30
    expect(isQuietTime(berlin, at('2026-07-31T05:30:00Z'))).toBe(false) // 07:30
  })
})

describe('minuteOfDay', () => {
  test('counts from midnight of the zone', () => {
    expect(minuteOfDay(at('2026-01-31T00:00:00Z'), 'UTC')).toBe(0)
    expect(minuteOfDay(at('2026-01-31T23:59:00Z'), 'UTC')).toBe(1439)
    expect(minuteOfDay(at('2026-01-31T23:30:00Z'), 'Asia/Kolkata')).toBe(5 * 60)
  })
})

describe('dayOf', () => {
  test('is the day of the zone', () => {
    expect(dayOf(at('2026-01-31T23:30:00Z'), 'UTC')).toBe('2026-01-31')
    expect(dayOf(at('2026-01-31T23:30:00Z'), 'Asia/Kolkata')).toBe('2026-02-01')
  })
})
