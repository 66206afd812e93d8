/** A cache that holds a number of entries and forgets the one that was not asked for the longest. */

/** A bounded cache. */
export interface LruCache<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
  clear(): void
}

/** @param entriesMax - How many entries are kept, at least 1. */
export function createLruCache<K, V>(entriesMax: number): LruCache<K, V> {
  // A Map keeps the order of insertion: the first key is the one that was used the longest ago.
  const entries = new Map<K, V>()
  return {
    get: (key) => {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set: (key, value) => {
      entries.delete(key)
      if (entries.size >= entriesMax) {
        const oldest = entries.keys().next()
        if (oldest.done !== true) entries.delete(oldest.value)
      }
      entries.set(key, value)
    },
    clear: () => {
      entries.clear()
    },
  }
}
