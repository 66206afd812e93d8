import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import { isQuiet, withQuietHours } from './quiet-hours.ts'

const at = (time: string): number => Date.parse(`2026-01-31T${time}Z`)

describe('isQuiet', () => {
  test('knows hours within a day and over midnight', () => {
    const night = { fromMinute: 23 * 60, toMinute: 6 * 60 }
    const noon = { fromMinute: 12 * 60, toMinute: 13 * 60 }
    const moments = ['22:59:59', '23:00:00', '05:59:00', '06:00:00', '12:30:00', '13:00:00'].map(at)
    expect(moments.map((moment) => isQuiet(moment, night))).toEqual([false, true, true, false, false, false])
    expect(moments.map((moment) => isQuiet(moment, noon))).toEqual([false, false, false, false, true, false])
  })
})

describe('withQuietHours', () => {
  test('lets nothing start before they are over', async () => {
    const clock = createVirtualClock(at('12:30:00'))
    const pacer = withQuietHours({ next: () => Promise.resolve(true) }, clock, { fromMinute: 720, toMinute: 780 })
    let startedAtMs: number | undefined
    void pacer.next(new AbortController().signal).then(() => (startedAtMs = clock.wallNowMs()))
    await clock.advance(29 * 60_000)
    expect(startedAtMs).toBeUndefined()
    await clock.advance(2 * 60_000)
    expect(startedAtMs).toBe(at('13:00:00'))
  })
})
