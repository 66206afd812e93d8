/**
 * One holder per key; others wait their turn, first come first served, for a bounded time.
 *
 * Invariant: every wait ends, and a key has at most one holder.
 */
import { assert } from '../core/assert.ts'
import type { Clock } from '../core/clock.ts'

/** Those that may wait for one key. */
const WAITING_PER_KEY_MAX = 256

/** Turns of holders `T`. */
export interface KeyedTurns<T> {
  /** @returns Whether `holder` has the key now; `false` after `timeoutMs`, when too many wait, or after the end. */
  take(key: string, holder: T, timeoutMs: number): Promise<boolean>
  /** Gives the key to the next in line; does nothing when `holder` does not have it. */
  release(key: string, holder: T): void
  holder(key: string): T | undefined
  /** Refuses everybody who waits or comes later. @returns The holders. */
  end(): readonly T[]
}

interface Turn<T> {
  readonly holder: T
  readonly settle: (isTaken: boolean) => void
}

/** Creates turns without holders. */
export function createKeyedTurns<T>(clock: Clock): KeyedTurns<T> {
  const holders = new Map<string, T>()
  const queues = new Map<string, Turn<T>[]>()
  let ended = false

  const leave = (key: string, turn: Turn<T>): void => {
    const queue = queues.get(key) ?? []
    queue.splice(queue.indexOf(turn), 1)
    if (queue.length === 0) queues.delete(key)
  }
  const wait = (key: string, holder: T, timeoutMs: number): Promise<boolean> => {
    const queue = queues.get(key) ?? []
    if (queue.length >= WAITING_PER_KEY_MAX) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const turn: Turn<T> = {
      holder,
      settle: (isTaken) => {
        timer.cancel()
        leave(key, turn)
        resolve(isTaken)
      },
    }
    const timer = clock.setTimer(timeoutMs, () => {
      turn.settle(false)
    })
    queue.push(turn)
    queues.set(key, queue)
    return promise
  }

  return {
    take: (key, holder, timeoutMs) => {
      if (ended) return Promise.resolve(false)
      if (holders.has(key)) return wait(key, holder, timeoutMs)
      holders.set(key, holder)
      return Promise.resolve(true)
    },
    release: (key, holder) => {
      if (holders.get(key) !== holder) return
      holders.delete(key)
      const next = queues.get(key)?.[0]
      if (next === undefined) return
      assert(!ended, 'nobody waits after the end')
      holders.set(key, next.holder)
      next.settle(true)
    },
    holder: (key) => holders.get(key),
    end: () => {
      ended = true
      for (const queue of queues.values()) for (const turn of queue.toReversed()) turn.settle(false)
      const last = [...holders.values()]
      holders.clear()
      return last
    },
  }
}
