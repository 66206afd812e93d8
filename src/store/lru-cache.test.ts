import { describe, expect, test } from 'vitest'
import { createLruCache } from './lru-cache.ts'

describe('createLruCache', () => {
  test('keeps what is asked for, and never more than its bound', () => {
    const cache = createLruCache<number, string>(10)
    for (let key = 0; key < 1000; key++) {
      cache.set(key, `value ${key}`)
      expect(cache.get(0)).toBe('value 0')
    }
    const kept = Array.from({ length: 1000 }, (_, key) => cache.get(key)).filter((value) => value !== undefined)
    expect(kept.length).toBeLessThanOrEqual(10)
    expect(cache.get(999)).toBe('value 999')
    expect(cache.get(500)).toBeUndefined()
  })

  test('gives the value that was set last', () => {
    const cache = createLruCache<string, number>(4)
    for (const value of [1, 2, 3]) cache.set('key', value)
    for (const key of ['a', 'b']) cache.set(key, 0)
    cache.set('key', 4)
    expect(cache.get('key')).toBe(4)
  })
})
