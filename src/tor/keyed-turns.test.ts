import { describe, expect, test } from 'vitest'
import { nodeClock } from '../platform/node-clock.ts'
import { createKeyedTurns } from './keyed-turns.ts'

describe('createKeyedTurns', () => {
  test('gives a key to one holder after the other, in the order of asking', async () => {
    const turns = createKeyedTurns<string>(nodeClock)
    expect(await turns.take('k', 'a', 1_000)).toBe(true)
    expect(await turns.take('other', 'x', 1_000)).toBe(true)
    const b = turns.take('k', 'b', 10_000)
    const c = turns.take('k', 'c', 10_000)
    turns.release('k', 'c')
    expect(turns.holder('k')).toBe('a')
    turns.release('k', 'a')
    expect(await b).toBe(true)
    expect(turns.holder('k')).toBe('b')
    turns.release('k', 'b')
    expect(await c).toBe(true)
  })

  test('ends a wait after its time, and does not give the key to who has left', async () => {
    const turns = createKeyedTurns<string>(nodeClock)
    await turns.take('k', 'a', 1_000)
    expect(await turns.take('k', 'b', 5)).toBe(false)
    turns.release('k', 'a')
    expect(turns.holder('k')).toBeUndefined()
  })

  test('refuses who comes when too many wait, and everybody at the end', async () => {
    const turns = createKeyedTurns<number>(nodeClock)
    await turns.take('k', 0, 1_000)
    const waits = Array.from({ length: 256 }, (_, i) => turns.take('k', i + 1, 60_000))
    expect(await turns.take('k', 999, 60_000)).toBe(false)
    expect(turns.end()).toEqual([0])
    expect(new Set(await Promise.all(waits))).toEqual(new Set([false]))
    expect(await turns.take('new', 1, 1_000)).toBe(false)
  })
})
