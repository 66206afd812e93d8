/**
 * Changes of incidents in their order, for readers of events.
 *
 * A run opens, prolongs and closes incidents at its own time, and later runs have later times; so time and id of a change
 * say what a reader knows, in whichever process it asks.
 *
 * Invariant: what an incident became is told once; of several changes that a reader missed it gets the last.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { ExitIncident } from '../model/incident.ts'
import type { IncidentSource } from './incidents-resource.ts'

/** How often the store is asked, in milliseconds: nobody tells when incidents change. */
const POLL_MS = 5_000
const INCIDENTS_MAX = 10_000

/** What stands before every change. */
export const BEFORE_ALL_INCIDENTS = '0~0'

/** One change. */
export interface IncidentChange {
  /** `TIME~ID`: its place; marks sort as text. */
  readonly mark: string
  readonly incident: ExitIncident
}

/** The feed. */
export interface IncidentFeed {
  /** Asks the store again and again from now on. @returns A function that ends it. */
  start(onChange: () => void): () => void
  /** Changes after a mark, earliest first; `undefined` before the store has answered. */
  after(mark: string): readonly IncidentChange[] | undefined
  /** Mark of the newest change; `undefined` before the store has answered. */
  newest(): string | undefined
}

/** Makes a feed that is not started. */
export function createIncidentFeed(incidents: IncidentSource, clock: Clock): IncidentFeed {
  let changes: readonly IncidentChange[] | undefined
  const poll = async (): Promise<boolean> => {
    try {
      const since = changes?.at(-1)?.mark.split('~')[0]
      const found = await incidents.list({ limit: INCIDENTS_MAX, ...(since === undefined ? {} : { since }) })
      const marks = new Set(changes?.map(({ mark }) => mark))
      const fresh = found.map(toChange).filter(({ mark }) => !marks.has(mark))
      if (changes !== undefined && fresh.length === 0) return false
      const changed = new Set(fresh.map(({ incident }) => incident.id))
      const kept = (changes ?? []).filter(({ incident }) => !changed.has(incident.id))
      changes = [...kept, ...fresh].toSorted((a, b) => (a.mark < b.mark ? -1 : 1)).slice(-INCIDENTS_MAX)
      return true
    } catch {
      // A store that cannot be read is for /readyz and the log; readers get what there was.
      return false
    }
  }
  return {
    start: (onChange) => {
      let timer: Timer | undefined
      let isOver = false
      const turn = async (): Promise<void> => {
        const isNew = await poll()
        if (isOver) return
        if (isNew) onChange()
        timer = clock.setTimer(POLL_MS, () => void turn())
      }
      void turn()
      return () => {
        isOver = true
        timer?.cancel()
      }
    },
    after: (mark) => changes?.filter((change) => change.mark > mark),
    newest: () => (changes === undefined ? undefined : (changes.at(-1)?.mark ?? BEFORE_ALL_INCIDENTS)),
  }
}

function toChange(incident: ExitIncident): IncidentChange {
  return { mark: `${incident.closedAt ?? incident.lastSeen}~${incident.id}`, incident }
}
