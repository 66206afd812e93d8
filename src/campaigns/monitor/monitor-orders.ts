/**
 * Names that somebody wants asked now, beside their intervals.
 *
 * **Invariant**: a name waits once, however often it is wanted.
 */

/** What waits. */
export interface MonitorOrders {
  /** Wants names, by their keys `www.zone.example/A`. */
  add(keys: readonly string[]): void
  /** Hands out what waits, and forgets it. */
  take(): readonly string[]
  /** Aborts with the next order, so that a watch that sleeps wakes up. */
  signal(): AbortSignal
}

/** Makes an empty list. */
export function createMonitorOrders(): MonitorOrders {
  const waiting = new Set<string>()
  let controller = new AbortController()
  return {
    add: (keys) => {
      for (const key of keys) waiting.add(key)
      controller.abort()
    },
    take: () => {
      const taken = [...waiting]
      waiting.clear()
      controller = new AbortController()
      return taken
    },
    signal: () => controller.signal,
  }
}
