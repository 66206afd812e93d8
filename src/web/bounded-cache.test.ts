import { describe, expect, test } from 'vitest'
import { createBoundedCache } from './bounded-cache.ts'

describe('createBoundedCache', () => {
  test('makes a value once, and again when it was dropped', async () => {
    const made: string[] = []
    const cache = createBoundedCache<string>(2)
    const take = (key: string): Promise<string> =>
      cache.take(key, () => {
        made.push(key)
        return Promise.resolve(key)
      })
    await Promise.all([take('a'), take('a')])
    await take('b')
    await take('a')
    await take('c')
    await take('a')
    await take('b')
    expect(made).toEqual(['a', 'b', 'c', 'b'])
  })

  test('does not keep a failure', async () => {
    const cache = createBoundedCache<number>(2)
    await expect(cache.take('a', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    expect(await cache.take('a', () => Promise.resolve(1))).toBe(1)
  })
})
