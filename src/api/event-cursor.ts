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

interface Position {
  /** `null` before there was any run. */
  readonly runId: string | null
  readonly index: number
}

/** Places a reader behind the last event that it has seen; `undefined`, or an id that is none, is the present. */
export function createEventCursor(hub: EventHub, lastEventId: string | undefined): EventCursor {
  const seen = LAST_ID.exec(lastEventId ?? '')
  let position: Position = seen?.[1] === undefined ? positionOf(hub) : { runId: seen[1], index: Number(seen[2]) }
  const state = createEventState(hub, seen?.[3])

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
    const run = await hub.resolve(runId)
    if (run !== undefined && index < run.finished.length) return takeResults(run, index)
    const after = (await hub.runsAfter(runId)).filter((id) => id !== shownId)
    const next = after.length > RUNS_REPLAYED_MAX ? after[1] : after[0]
    // A run that nobody knows may be one that is about to be resumed: it is waited for until a later one is there.
    if (run === undefined && next === undefined && (shownId === null || shownId < runId))
      return state.take(runId, index)
    const ended = await hub.describeEndedRun(runId)
    let text = ''
    if (run === undefined) text += formatGap(runId, next ?? shownId ?? runId)
    if (after.length > RUNS_REPLAYED_MAX) text += formatGap(runId, next ?? runId)
    if (ended !== undefined) text += formatEvent('run', state.idOf(runId, run?.finished.length ?? index), ended)
    position = { runId: next ?? shownId, index: 0 }
    return text
  }

  return {
    next: async () => {
      for (;;) {
        const view = hub.view()
        const live = hub.live()
        const { runId, index } = position
        if (runId === null && view.runId !== null) {
          position = { runId: view.runId, index: 0 }
        } else if (runId !== null && runId !== view.runId) {
          const text = await leaveRun(runId, index)
          // Nothing to say and still at the same place: wait.
          if (text !== '' || (position.runId === runId && position.index === index)) return text
        } else {
          const run = live ?? (runId === null ? undefined : await hub.resolve(runId))
          const total = run?.finished.length ?? view.results.filter(isFinished).length
          if (run === undefined && index < total) {
            position = { runId, index: total }
            return formatGap(runId ?? '', runId ?? '') + state.take(runId, total)
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

/** The present: behind everything that is finished. */
function positionOf(hub: EventHub): Position {
  const { runId, results } = hub.view()
  return { runId, index: hub.live()?.finished.length ?? results.filter(isFinished).length }
}

function formatGap(after: string, until: string): string {
  return formatEvent('gap', null, JSON.stringify({ after, until, runs_url: '/api/v1/runs' }))
}
