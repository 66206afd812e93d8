/**
 * Whose round is due: regular ones at their interval, confirming ones when they were asked for.
 *
 * Invariant: a name has one round under way at most. Rounds that were missed are not made up for. Who has waited longest is
 * first, so that nobody starves where there are more names than time.
 */
import type { ZoneFacts } from '../../model/monitor-round.ts'
import { formatMonitorKey, type MonitoredName, type MonitorPlan } from '../../model/monitor-name.ts'

/** A name with what the watch remembers of it while it runs. Times are monotonic milliseconds. */
export interface WatchedName {
  readonly monitored: MonitoredName
  regularAtMs: number
  confirmAtMs: number | null
  /** Whether a round is under way. */
  isBusy: boolean
  /** Whether nobody answered in the newest round. */
  isFailed: boolean
  /** Whether nothing is being learned, confirmed or wrong. */
  isQuiet: boolean
  lastFullAtMs: number
  /** The serials of its zone's servers at the newest full round. */
  serials: string | undefined
  /** When its zone is looked at next. */
  zoneAtMs: number
  /** What its zone said too late for the round that asked. */
  zoneFacts: ZoneFacts | undefined
  /** The zone that it lies in; `undefined` until somebody looked. */
  zone: string | undefined
}

/** Names in the order of their plan. Those that were watched before keep their times. */
export function createSchedule(
  plan: MonitorPlan,
  before: readonly WatchedName[],
  nowMs: number,
): readonly WatchedName[] {
  const known = new Map(before.map((watched) => [formatMonitorKey(watched.monitored), watched]))
  return plan.names.map((monitored) => {
    const earlier = known.get(formatMonitorKey(monitored))
    const fresh: WatchedName = {
      monitored,
      regularAtMs: nowMs,
      confirmAtMs: null,
      isBusy: false,
      isFailed: false,
      isQuiet: false,
      lastFullAtMs: -Infinity,
      serials: undefined,
      zoneAtMs: nowMs,
      zoneFacts: undefined,
      zone: undefined,
    }
    if (earlier === undefined) return fresh
    return {
      ...fresh,
      confirmAtMs: earlier.confirmAtMs,
      regularAtMs: Math.min(earlier.regularAtMs, nowMs + monitored.intervalMs),
    }
  })
}

/** When a name is due, monotonic milliseconds. */
export function dueAt({ regularAtMs, confirmAtMs }: WatchedName): number {
  return Math.min(regularAtMs, confirmAtMs ?? Infinity)
}

/** Takes at most `count` names that are due; they are busy from here on. @returns Each with whether it is a confirmation. */
export function takeDue(
  all: readonly WatchedName[],
  nowMs: number,
  count: number,
): readonly { readonly watched: WatchedName; readonly isConfirmation: boolean }[] {
  const waiting = all.filter((watched) => !watched.isBusy && dueAt(watched) <= nowMs)
  return waiting
    .toSorted((a, b) => dueAt(a) - dueAt(b))
    .slice(0, count)
    .map((watched) => {
      const isConfirmation = watched.regularAtMs > nowMs
      watched.isBusy = true
      watched.confirmAtMs = null
      if (!isConfirmation) watched.regularAtMs = Math.max(watched.regularAtMs + watched.monitored.intervalMs, nowMs)
      return { watched, isConfirmation }
    })
}

/** The name that speaks for a zone: the first of the plan that lies in it, as far as is known where others lie. */
export function findWitness(all: readonly WatchedName[], zone: string): WatchedName | undefined {
  return all.find(({ monitored: { domain }, zone: own }) =>
    own === undefined ? domain === zone || domain.endsWith(`.${zone}`) : own === zone,
  )
}
