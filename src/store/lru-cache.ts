/**
 * A bounded cache that forgets what was not asked for lately.
 *
 * Two generations: when the young one is full it becomes the old one, and what was old and not asked for is gone. Unlike a
 * strict order of use, this costs a reader one look-up and no more.
 */

/** A bounded cache. */
export interface LruCache<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
}

/** @param entriesMax - How many entries are kept at most, at least 2; half as many are kept for certain. */
export function createLruCache<K, V>(entriesMax: number): LruCache<K, V> {
  const youngMax = Math.floor(entriesMax / 2)
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  const set = (key: K, value: V): void => {
    if (young.size >= youngMax) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get: (key) => {
      const value = young.get(key)
      if (value !== undefined) return value
      const older = old.get(key)
      if (older !== undefined) set(key, older)
      return older
    },
    set,
  }
}
