/**
 * In which order the relays of a run were finished: what the ids of events count.
 *
 * A view lists its results in that order while the run goes on, and in another one after it has ended; this log keeps the
 * first. The runs before it are remembered for readers who are late.
 *
 * Relays whose turn did not come (not_tested) are not in it: nothing was finished about them.
 *
 * Invariant: a place in the order never changes its relay, also when the run goes on in another process: the journal has
 * the same order.
 */
import type { ExitErrorCode, ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView } from '../model/run-view.ts'

/** Runs that are remembered; readers further behind are served from the archive. */
const RUNS_MAX = 3

/** One finished relay, as its event tells it. */
export interface FinishedRelay {
  readonly exit_fingerprint: string
  readonly status: ExitStatus
  readonly error_code: ExitErrorCode | null
}

/** One run in the log. */
export interface LoggedRun {
  readonly runId: string
  /** In order of finishing. */
  readonly finished: readonly FinishedRelay[]
  /** Whether nothing will be added. */
  readonly hasEnded: boolean
  /** Whether the run ended before its last relays were seen one after the other: they stand in the order of the report. */
  readonly isTailSorted: boolean
}

/** The log. */
export interface RunEventLog {
  /** Takes in what a view shows. @returns Its run; `undefined` before there is one, or when its order is not known. */
  follow(view: ExitRunView): LoggedRun | undefined
  find(runId: string): LoggedRun | undefined
}

interface Entry extends LoggedRun {
  readonly finished: FinishedRelay[]
  readonly known: Set<string>
  hasEnded: boolean
  isTailSorted: boolean
  /** Results of the view that were looked at. */
  seen: number
}

/** Makes an empty log. */
export function createRunEventLog(): RunEventLog {
  const entries = new Map<string, Entry>()
  const entryOf = (view: ExitRunView, runId: string): Entry | undefined => {
    const entry = entries.get(runId)
    // Seen for the first time after its end, its results are sorted: the order of finishing is not known here.
    if (entry !== undefined || view.metadata !== null) return entry
    const created: Entry = { runId, finished: [], known: new Set(), hasEnded: false, isTailSorted: false, seen: 0 }
    entries.set(runId, created)
    const [oldest] = entries.keys()
    if (entries.size > RUNS_MAX && oldest !== undefined) entries.delete(oldest)
    return created
  }
  return {
    follow: (view) => {
      const entry = view.runId === null ? undefined : entryOf(view, view.runId)
      if (entry === undefined || entry.hasEnded) return entry
      const isOver = view.metadata !== null
      const before = entry.finished.length
      for (let at = isOver ? 0 : entry.seen; at < view.results.length; at++) {
        const result = view.results[at]
        if (result === undefined || entry.known.has(result.exit_fingerprint) || !isFinished(result)) continue
        entry.known.add(result.exit_fingerprint)
        entry.finished.push(toFinished(result))
      }
      entry.seen = view.results.length
      entry.hasEnded = isOver
      entry.isTailSorted = isOver && entry.finished.length > before + 1
      return entry
    },
    find: (runId) => entries.get(runId),
  }
}

/** @returns What the event about a relay says. */
export function toFinished({ exit_fingerprint, status, error_code }: FinishedRelay): FinishedRelay {
  return { exit_fingerprint, status, error_code }
}

/** @returns Whether a result is one of those that events count. */
export function isFinished({ status }: Pick<FinishedRelay, 'status'>): boolean {
  return status !== 'not_tested'
}
