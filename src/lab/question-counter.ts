/** Counts questions by whoever is asked, and the most that came within a second. */
import type { Clock } from '../core/clock.ts'

const SECOND_MS = 1_000

/** What was counted of one. */
export interface QuestionCount {
  readonly total: number
  /** In the worst span of a second. */
  readonly mostInSecond: number
}

/** A counter. */
export interface QuestionCounter {
  /** Counts one question. */
  count(who: string): void
  /** Who → what was counted. */
  counts(): Readonly<Record<string, QuestionCount>>
}

/** Starts counting. */
export function createQuestionCounter(clock: Clock): QuestionCounter {
  const counted = new Map<string, { total: number; mostInSecond: number; recent: number[] }>()
  return {
    count: (who) => {
      const nowMs = clock.nowMs()
      const entry = counted.get(who) ?? { total: 0, mostInSecond: 0, recent: [] }
      counted.set(who, entry)
      entry.total += 1
      entry.recent.push(nowMs)
      while ((entry.recent[0] ?? nowMs) <= nowMs - SECOND_MS) entry.recent.shift()
      entry.mostInSecond = Math.max(entry.mostInSecond, entry.recent.length)
    },
    counts: () =>
      Object.fromEntries([...counted].map(([who, { total, mostInSecond }]) => [who, { total, mostInSecond }])),
  }
}
