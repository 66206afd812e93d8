import { describe, expect, test } from 'vitest'
import { BugError } from '../core/assert.ts'
import { createKeyedLimit } from './keyed-limit.ts'

describe('createKeyedLimit', () => {
  test('takes all keys or none', () => {
    const limit = createKeyedLimit(2)
    expect(limit.tryTake(['a', 'b'])).toBe(true)
    expect(limit.tryTake(['a'])).toBe(true)
    expect(limit.tryTake(['b', 'a'])).toBe(false)
    expect([limit.count('a'), limit.count('b')]).toEqual([2, 1])
  })

  test('wakes everybody who waits at a release', async () => {
    const limit = createKeyedLimit(1)
    limit.tryTake(['a'])
    const { signal } = new AbortController()
    const waiting = Promise.all([limit.changed(signal), limit.changed(signal)])
    limit.release(['a'])
    await waiting
    expect(limit.count('a')).toBe(0)
  })

  test('stops waiting when the signal aborts, also before it began', async () => {
    const limit = createKeyedLimit(1)
    const abort = new AbortController()
    const waiting = limit.changed(abort.signal)
    abort.abort()
    expect(await Promise.all([waiting, limit.changed(abort.signal)])).toHaveLength(2)
  })

  test('calls it a bug to release what was not taken', () => {
    expect(() => {
      createKeyedLimit(1).release(['a'])
    }).toThrow(BugError)
  })
})
