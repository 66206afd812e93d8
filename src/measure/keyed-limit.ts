/**
 * Caps on what goes on at once per key: per first hop, per address, per family, per resolver.
 *
 * Invariant: a key never counts more than its cap; what was taken is given back exactly once.
 */
import { assert } from '../core/assert.ts'

/** A counter per key with a common cap. */
export interface KeyedLimit {
  /** How many are taken for a key. */
  count(key: string): number
  /** @returns Whether every one of the keys had room; if so, all are taken, else none. */
  tryTake(keys: readonly string[]): boolean
  /** Gives back what {@link tryTake} took, and wakes who waits. */
  release(keys: readonly string[]): void
  /** Resolves at the next release, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>
}

/** A limit of `max` per key; `Infinity` counts without capping. */
export function createKeyedLimit(max: number): KeyedLimit {
  const counts = new Map<string, number>()
  const waiting = new Set<() => void>()
  return {
    count: (key) => counts.get(key) ?? 0,
    tryTake: (keys) => {
      if (keys.some((key) => (counts.get(key) ?? 0) >= max)) return false
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
      return true
    },
    release: (keys) => {
      for (const key of keys) {
        const count = counts.get(key) ?? 0
        assert(count > 0, `released ${key} more often than it was taken`)
        if (count === 1) counts.delete(key)
        else counts.set(key, count - 1)
      }
      const woken = [...waiting]
      waiting.clear()
      for (const wake of woken) wake()
    },
    changed: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve()
          return
        }
        const wake = (): void => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
      }),
  }
}
