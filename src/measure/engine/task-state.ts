/** A question while an engine works on it. */
import type { Timer } from '../../core/clock.ts'
import type { EngineAnswer, EngineAttempt, EngineTask } from './engine-task.ts'

/** A question on its way. */
export interface TaskState<T> {
  readonly task: EngineTask<T>
  readonly attempts: EngineAttempt[]
  /** Attempts that were made or wait for their turn, those over TCP after a truncated answer left out. */
  asks: number
  /** Attempts that were made, the same left out. */
  started: number
  /** Attempts that wait for their turn. */
  waiting: number
  /** Ends each attempt that is in flight. */
  readonly running: Set<AbortController>
  /** Until a second resolver is asked, or the same question again. */
  timer: Timer | undefined
  /** The best answer so far that is asked again for. */
  fallback: EngineAnswer | undefined
  answer: EngineAnswer | undefined
  /** Whether nothing more will be asked. */
  isDone: boolean
  /** Whether it ended before its attempts were used up. */
  isCut: boolean
}

/** A question of which nothing was done yet. */
export function createTaskState<T>(task: EngineTask<T>): TaskState<T> {
  return {
    task,
    attempts: [],
    asks: 0,
    started: 0,
    waiting: 0,
    running: new Set(),
    timer: undefined,
    fallback: undefined,
    answer: undefined,
    isDone: false,
    isCut: false,
  }
}
