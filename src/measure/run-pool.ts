/**
 * Works through a list with a bound on what is in flight, and hands results to whoever iterates.
 *
 * Back-pressure: a finished result that nobody has taken keeps its place in the pool, so a slow consumer slows the
 * start of new work instead of filling memory.
 *
 * Invariant: every item that was started yields exactly one result; nothing is started after the signal aborted.
 */

/** How to work through the list. */
export interface PoolOptions<T, R> {
  /** Items in flight at once, at least 1. */
  readonly inFlight: number
  /** Aborting stops the start of further items; what is in flight still finishes. */
  readonly signal: AbortSignal
  /** Must always end. A rejection ends the iteration with it, after what is in flight has finished. */
  readonly work: (item: T) => Promise<R>
}

/** Runs `work` for each item. @returns The results in order of finishing. */
export async function* runPool<T, R>(items: readonly T[], options: PoolOptions<T, R>): AsyncGenerator<R, void, void> {
  const running = new Map<number, Promise<{ readonly key: number; readonly result: R }>>()
  let next = 0
  const start = (): void => {
    while (running.size < options.inFlight && next < items.length && !options.signal.aborted) {
      const key = next++
      const item = items[key] as T
      running.set(
        key,
        options.work(item).then((result) => ({ key, result })),
      )
    }
  }
  try {
    for (start(); running.size > 0; start()) {
      const { key, result } = await Promise.race(running.values())
      running.delete(key)
      yield result
    }
  } finally {
    await Promise.allSettled(running.values())
  }
}
