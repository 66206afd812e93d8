/**
 * What one reader of events has seen, and what comes next.
 *
 * The id of an event is `RUN.INDEX~MARK`: the run, how many of its relays the reader knows, and the place of the last
 * change of an incident. A reader that comes back with
 * its last id gets every result after it and none twice: of the run at hand from its view, of runs that have ended
 * meanwhile from the archive, also when another process has taken over.
 *
 * Invariant: where that is not possible, a `gap` says so; nothing is left out silently.
 */
import { RUNS_REPLAYED_MAX, type EventHub } from './event-hub.ts'
import { createEventState, formatEvent } from './event-state.ts'
import { isFinished, type LoggedRun } from './run-event-log.ts'

/** Results in one chunk: the rest follows when the reader has taken these. */
const RESULTS_PER_CHUNK_MAX = 200
const LAST_ID = /^(\d{14})?\.(\d{1,7})(?:~([0-9T:.Z-]{1,30}~[0-9A-Za-z-]{1,100}))?$/

/** One reader. */
export interface EventCursor {
  /** Events that are new to the reader, at most one chunk; empty when there is none. */
  next(): Promise<string>
}

/** The index of a reader who knows all of a run, however many relays that are. */
const WHOLE = 9_999_999
/** Before the first run of all. */
const NO_RUN = '0'.repeat(14)

interface Position {
  /** `null` where there is no run yet. */
  readonly runId: string | null
  readonly index: number
}

/** Places a reader behind the last event that it has seen; `undefined`, or an id that is none, is the present. */
export function createEventCursor(hub: EventHub, lastEventId: string | undefined): EventCursor {
  const seen = LAST_ID.exec(lastEventId ?? '')
  let position: Position = seen === null ? positionOf(hub) : { runId: seen[1] ?? NO_RUN, index: indexOf(seen) }
  const state = createEventState(hub, seen?.[3])
  /** The last run whose end was told. */
  let toldEnd: string | undefined

  const takeResults = (run: LoggedRun, index: number): string => {
    const results = run.finished.slice(index, index + RESULTS_PER_CHUNK_MAX)
    position = { runId: run.runId, index: index + results.length }
    return results
      .map((result, offset) => formatEvent('result', state.idOf(run.runId, index + offset + 1), JSON.stringify(result)))
      .join('')
  }

  /** The rest of a run that is not the one at hand any more, then the next one. */
  const leaveRun = async (runId: string, index: number): Promise<string> => {
    const shownId = hub.view().runId
    const isWhole = index >= WHOLE
    const run = isWhole ? undefined : await hub.resolve(runId)
    if (run !== undefined && index < run.finished.length) return takeResults(run, index)
    const after = (await hub.runsAfter(runId)).filter((id) => id !== shownId)
    const next = after.length > RUNS_REPLAYED_MAX ? after[1] : after[0]
    const isNewest = next === undefined && (shownId === null || shownId < runId)
    // A run that nobody knows may be one that is about to be resumed: it is waited for until a later one is there.
    if (isNewest && (run === undefined || toldEnd === runId)) return state.take(runId, index)
    const ended = isWhole ? undefined : await hub.describeEndedRun(runId)
    let text = ''
    if (run === undefined && !isWhole) text += formatGap(runId, next ?? shownId ?? runId)
    if (after.length > RUNS_REPLAYED_MAX) text += formatGap(runId, next ?? runId)
    if (ended !== undefined && toldEnd !== runId)
      text += formatEvent('run', state.idOf(runId, run?.finished.length ?? index), ended)
    toldEnd = runId
    // The newest run may be resumed, and go on behind what is known of it.
    if (isNewest) return text + state.take(runId, index)
    position = { runId: next ?? shownId, index: 0 }
    return text
  }

  return {
    next: async () => {
      for (;;) {
        const view = hub.view()
        const live = hub.live()
        const { runId, index } = position
        if (runId === null) {
          const first = view.runId ?? (await hub.newestKept())
          if (first === undefined) return state.take(null, 0)
          position = { runId: first, index: view.runId === null ? WHOLE : 0 }
        } else if (runId !== view.runId) {
          const text = await leaveRun(runId, index)
          // Nothing to say and still at the same place: wait.
          if (text !== '' || (position.runId === runId && position.index === index)) return text
        } else {
          const run = live ?? (await hub.resolve(runId))
          const total = run?.finished.length ?? view.results.filter(isFinished).length
          if (run === undefined && index < total) {
            position = { runId, index: total }
            return formatGap(runId, runId) + state.take(runId, total)
          }
          const at = Math.min(index, total)
          const results = run === undefined ? '' : takeResults(run, at)
          const isWhole = at + RESULTS_PER_CHUNK_MAX >= total
          return isWhole ? results + state.take(runId, total) : results
        }
      }
    },
  }
}

/** @returns The index in an id. An id without run is older than every run, so all of nothing is known. */
function indexOf(seen: RegExpExecArray): number {
  return seen[1] === undefined ? WHOLE : Number(seen[2])
}

/** The present: behind everything that is finished. */
function positionOf(hub: EventHub): Position {
  const { runId, results } = hub.view()
  return { runId, index: hub.live()?.finished.length ?? results.filter(isFinished).length }
}

function formatGap(after: string, until: string): string {
  return formatEvent('gap', null, JSON.stringify({ after, until, runs_url: '/api/v1/runs' }))
}
