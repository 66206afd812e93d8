/**
 * Which names an invocation asks: the work of all names, spread over the minutes.
 *
 * **Invariant**: pure, and nothing has to be remembered: the minute alone says whose turn it is. A name that did not fit into
 * its turn is nearer to the front in its next one. The cost never exceeds what an invocation has for questions.
 */
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import {
  BATCH_COST,
  BATCH_NAMES_MAX,
  findStretch,
  questionBudget,
  type IntervalClass,
  type WorkerLimits,
} from './worker-limits.ts'

/** A name and the batch that its state lies in. */
export interface PlacedName {
  readonly monitored: MonitoredName
  /** `www.zone.example/A`. */
  readonly key: string
  /** From 0. */
  readonly batch: number
}

/** A name whose turn it is; `isConfirmation`: only to look again at something new. */
export interface DueName extends PlacedName {
  readonly isConfirmation: boolean
}

/** Where the states of all names lie. */
export interface NameLayout {
  /** Keys of each batch. */
  readonly batches: readonly (readonly string[])[]
  /** In the order of batches. */
  readonly names: readonly PlacedName[]
}

const MINUTE_MS = 60_000

/** Gives each name its batch: the one that it has, or one with room. Names that are watched no more lose theirs. */
export function layOutNames(before: readonly (readonly string[])[], names: readonly MonitoredName[]): NameLayout {
  const watched = new Map(names.map((monitored) => [formatMonitorKey(monitored), monitored]))
  const batches = before.map((keys) => keys.filter((key) => watched.has(key)))
  const placed = new Set(batches.flat())
  // Names of one interval have their turns together, so that few batches are touched in a minute.
  const fresh = names.toSorted((a, b) => a.intervalMs - b.intervalMs).map(formatMonitorKey)
  for (const key of fresh) {
    if (placed.has(key)) continue
    const free = batches.find((keys) => keys.length < BATCH_NAMES_MAX)
    if (free === undefined) batches.push([key])
    else free.push(key)
  }
  const sorted = batches.flatMap((keys, batch) =>
    keys.flatMap((key) => {
      const monitored = watched.get(key)
      return monitored === undefined ? [] : [{ monitored, key, batch }]
    }),
  )
  return { batches, names: sorted }
}

/** Names by interval. */
export function classesOf(names: readonly Pick<MonitoredName, 'intervalMs' | 'resolvers'>[]): readonly IntervalClass[] {
  const classes = new Map<number, IntervalClass>()
  for (const { intervalMs, resolvers } of names) {
    const minutes = minutesOf(intervalMs)
    const known = classes.get(minutes) ?? { minutes, names: 0, resolvers: 0 }
    classes.set(minutes, {
      minutes,
      names: known.names + 1,
      resolvers: Math.max(known.resolvers, resolvers.length),
    })
  }
  return [...classes.values()]
}

/** Chooses who is asked at a time: first what is being confirmed, with at most half of what there is, then whose turn it is. */
export function planMinute(
  { names }: NameLayout,
  confirming: readonly string[],
  limits: WorkerLimits,
  atMs: number,
): readonly DueName[] {
  const minute = Math.floor(atMs / MINUTE_MS)
  const stretch = findStretch(limits, classesOf(names.map(({ monitored }) => monitored)))
  const budget = questionBudget(limits)
  const regular = turnOf(names, stretch, minute)
  const inTurn = new Set(regular.map(({ key }) => key))
  const again = confirming.flatMap((key) => names.find((each) => each.key === key) ?? [])
  const first = fit(again, budget / 2, [])
  return fit(regular, budget, first).map((name) => ({ ...name, isConfirmation: !inTurn.has(name.key) }))
}

/** Of some names those that one invocation can ask, beside its interval. */
export function planNow(names: readonly PlacedName[], limits: WorkerLimits): readonly DueName[] {
  return fit(names, questionBudget(limits), []).map((name) => ({ ...name, isConfirmation: true }))
}

/** Adds names as long as their questions and batches fit. */
function fit(names: readonly PlacedName[], bound: number, before: readonly PlacedName[]): readonly PlacedName[] {
  const chosen = [...before]
  const costOf = ({ monitored, batch }: PlacedName, earlier: readonly PlacedName[]): number =>
    monitored.resolvers.length + (earlier.some((other) => other.batch === batch) ? 0 : BATCH_COST)
  let cost = before.reduce((sum, name, index) => sum + costOf(name, before.slice(0, index)), 0)
  for (const name of names) {
    const more = costOf(name, chosen)
    if (cost + more > bound || chosen.some(({ key }) => key === name.key)) continue
    cost += more
    chosen.push(name)
  }
  return chosen
}

/** Of each interval one group, which begins with another name each time. */
function turnOf(names: readonly PlacedName[], stretch: number, minute: number): readonly PlacedName[] {
  const classes = new Map<number, PlacedName[]>()
  for (const name of names) {
    const minutes = minutesOf(name.monitored.intervalMs)
    const known = classes.get(minutes)
    if (known === undefined) classes.set(minutes, [name])
    else known.push(name)
  }
  return [...classes].flatMap(([minutes, all]) => {
    const groups = minutes * stretch
    const group = minute % groups
    const own = all.filter((_, index) => Math.floor((index * groups) / all.length) === group)
    const from = own.length === 0 ? 0 : Math.floor(minute / groups) % own.length
    return [...own.slice(from), ...own.slice(0, from)]
  })
}

function minutesOf(intervalMs: number): number {
  return Math.max(1, Math.round(intervalMs / MINUTE_MS))
}
