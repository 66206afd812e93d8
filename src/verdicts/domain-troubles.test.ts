import { describe, expect, test } from 'vitest'
import { judgeDomainTroubles, type TroubleStates } from './domain-troubles.ts'

const START_MS = Date.parse('2026-01-31T12:00:00Z')
const MINUTE_MS = 60_000

/** Feeds one look a minute, and collects what people are told as `minute event trouble`. */
function watch(looks: readonly { pool_down?: boolean; nx_guard?: boolean }[]): readonly string[] {
  let states: TroubleStates = {}
  return looks.flatMap((look, minute) => {
    const holds = { pool_down: look.pool_down ?? false, nx_guard: look.nx_guard ?? false }
    const judged = judgeDomainTroubles(states, holds, START_MS + minute * MINUTE_MS)
    ;({ states } = judged)
    return judged.messages.map(({ event, tags, severity }) => `${minute} ${event} ${tags[1] ?? ''} ${severity}`)
  })
}

const away = (minutes: number): readonly object[] => Array.from({ length: minutes }, () => ({}))

describe('judgeDomainTroubles', () => {
  test('tells of a denial storm at once, and of its end after five minutes without it', () => {
    expect(watch([{ nx_guard: true }, { nx_guard: true }, ...away(7)])).toEqual([
      '0 new trouble:nx_guard medium',
      '6 recovered trouble:nx_guard medium',
    ])
  })

  test('waits a minute before it says that no resolver answers', () => {
    expect(watch([{ pool_down: true }, ...away(8)])).toEqual([])
    expect(watch([{ pool_down: true }, { pool_down: true }, { pool_down: true }])).toEqual([
      '1 new trouble:pool_down high',
    ])
  })

  test('takes coming and going for one trouble', () => {
    const looks = [{ nx_guard: true }, ...away(3), { nx_guard: true }, ...away(3), { nx_guard: true }, ...away(6)]
    expect(watch(looks)).toEqual(['0 new trouble:nx_guard medium', '13 recovered trouble:nx_guard medium'])
  })

  test('gives a message the same id when a killed process tells it again', () => {
    const holds = { pool_down: false, nx_guard: true }
    const [first, again] = [0, 0].map(() => judgeDomainTroubles({}, holds, START_MS).messages[0]?.id)
    expect(first).toBe('domains-nx_guard-20260131120000-new')
    expect(again).toBe(first)
  })

  test('does not stay for ever when the clock is set back', () => {
    const { states } = judgeDomainTroubles({}, { pool_down: false, nx_guard: true }, START_MS)
    const later = judgeDomainTroubles(states, { pool_down: false, nx_guard: false }, START_MS - 60 * MINUTE_MS)
    expect(later.messages.map(({ event }) => event)).toEqual(['recovered'])
    expect(later.states).toEqual({})
  })
})
