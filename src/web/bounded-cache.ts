/** A few values that were expensive to make, the longest unused one dropped first. */

/** Values by key. */
export interface BoundedCache<Value> {
  /** Gives the value of `key`, or makes it. A failure is not kept. */
  take(key: string, make: () => Promise<Value>): Promise<Value>
}

/** Makes a cache of at most `entriesMax` values. */
export function createBoundedCache<Value>(entriesMax: number): BoundedCache<Value> {
  const entries = new Map<string, Promise<Value>>()
  return {
    take: async (key, make) => {
      const known = entries.get(key)
      const value = known ?? make()
      entries.delete(key)
      entries.set(key, value)
      for (const oldest of entries.keys()) {
        if (entries.size <= entriesMax) break
        entries.delete(oldest)
      }
      try {
        return await value
      } catch (error) {
        if (entries.get(key) === value) entries.delete(key)
        throw error
      }
    },
  }
}
