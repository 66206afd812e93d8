/** A clock that a test owns: time passes only when the test says so, timers fire in order. */
import type { Clock, Timer } from '../../src/core/clock.ts'

/** A clock with the means to move it. */
/** A clock with a hand. */
export interface VirtualClock extends Clock {
  /** Lets time pass; timers that come due fire in order, and what waits for them runs in between. */
  advance(ms: number): Promise<void>
  /** Sets the wall clock without the monotonic one: a clock jump. */
  jumpWall(ms: number): void
}

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Makes a clock that stands at 0, with the wall clock at `wallStartMs` (Unix milliseconds). */
/** A clock at noon of January 31st, 2026. */
export function createVirtualClock(wallStartMs: number = Date.parse('2026-01-31T12:00:00Z')): VirtualClock {
  let nowMs = 0
  let wallOffsetMs = wallStartMs
  let order = 0
  const entries = new Set<Entry>()
  const settle = async (): Promise<void> => {
    // Enough turns for chains of promises that hand a result on.
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  }
  return {
    nowMs: () => nowMs,
    wallNowMs: () => wallOffsetMs + nowMs,
    setTimer: (delayMs, callback): Timer => {
      const entry = { atMs: nowMs + Math.max(0, delayMs), order: order++, callback }
      entries.add(entry)
      return { cancel: () => void entries.delete(entry) }
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms
      for (;;) {
        await settle()
        const next = [...entries].toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
        if (next === undefined || next.atMs > untilMs) break
        entries.delete(next)
        nowMs = next.atMs
        next.callback()
      }
      nowMs = untilMs
      await settle()
    },
    jumpWall: (ms) => {
      wallOffsetMs += ms
    },
  }
}
