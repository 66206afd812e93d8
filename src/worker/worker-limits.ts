/**
 * What one invocation and one day may cost on each plan of Cloudflare, and how many names that is enough for.
 *
 * The table of docs/manual/worker.md is computed by the same functions that the Worker plans with.
 *
 * **Invariant**: pure. Everything that leaves the Worker counts: each `fetch`, and each operation on KV.
 *
 * **Sources**: Cloudflare's limits of Workers (subrequests) and of KV (writes a day).
 */

/** The two plans. */
export type WorkerPlanName = 'free' | 'paid'

/** What a plan allows. */
export interface WorkerLimits {
  /** Of one invocation: fetches and operations on KV together. */
  readonly subrequests: number
  /** A day, for what cannot wait: candidates, incidents, first rounds. */
  readonly urgentWrites: number
  /** A day, for what can: counters, values seen again. */
  readonly lazyWrites: number
}

/** On the free plan 1,000 writes a day are allowed; the two sums leave a tenth of them. */
export const WORKER_LIMITS: Readonly<Record<WorkerPlanName, WorkerLimits>> = {
  free: { subrequests: 50, urgentWrites: 450, lazyWrites: 400 },
  paid: { subrequests: 1_000, urgentWrites: 15_000, lazyWrites: 15_000 },
}

/** Names in one value of KV. */
export const BATCH_NAMES_MAX = 24
/** Reading and writing what all names share. */
export const INDEX_COST = 2
/** Reading and writing one batch. */
export const BATCH_COST = 2
/** Lookups of the AS of new addresses that every invocation can make. */
export const ORIGIN_RESERVE = 6
/** Parts of messages that every invocation can send. */
export const MESSAGE_RESERVE = 2
/** The heartbeat. */
export const HEARTBEAT_COST = 1
/** Records `dns:…` that every invocation can read (at a take-over) or write. */
export const RECORD_RESERVE = 2

/** What is left for questions and batches. */
export function questionBudget({ subrequests }: WorkerLimits): number {
  return subrequests - INDEX_COST - ORIGIN_RESERVE - MESSAGE_RESERVE - RECORD_RESERVE - HEARTBEAT_COST
}

/** Names of one interval. */
export interface IntervalClass {
  /** The interval that was asked for, in minutes; at least 1. */
  readonly minutes: number
  readonly names: number
  /** Resolvers of the name that has most. */
  readonly resolvers: number
}

/** What the names of one minute cost at most. */
function minuteCost(classes: readonly IntervalClass[], stretch: number): number {
  const batchesMax = Math.ceil(classes.reduce((sum, { names }) => sum + names, 0) / BATCH_NAMES_MAX) + classes.length
  let questions = 0
  let batches = 0
  for (const { minutes, names, resolvers } of classes) {
    const size = Math.ceil(names / (minutes * stretch))
    questions += size * resolvers
    // A group begins anywhere in a batch, so that it reaches into one more than its size says.
    batches += size === 0 ? 0 : 1 + Math.ceil((size - 1) / BATCH_NAMES_MAX)
  }
  return questions + BATCH_COST * Math.min(batches, batchesMax)
}

/** A name's interval in the Worker is the one it asks for, times this: whole, and as small as the budget allows. */
export function findStretch(limits: WorkerLimits, classes: readonly IntervalClass[]): number {
  const budget = questionBudget(limits)
  const total = classes.reduce((sum, { names }) => sum + names, 0)
  let stretch = 1
  // With one name a minute nothing gets cheaper any more.
  while (minuteCost(classes, stretch) > budget && stretch <= total) stretch += 1
  return stretch
}

/** How many seconds lie between two rounds of names that ask for one a minute. */
export function secondsPerRound(limits: WorkerLimits, names: number, resolvers: number): number {
  return findStretch(limits, [{ minutes: 1, names, resolvers }]) * 60
}

/** How many minutes lie between two writes of a batch for what can wait. */
export function lazyMinutes({ lazyWrites }: WorkerLimits, batches: number): number {
  return Math.max(1, Math.ceil((batches * 1_440) / lazyWrites))
}

/** The most writes of a day. */
export function writesPerDay({ urgentWrites, lazyWrites }: WorkerLimits): number {
  return urgentWrites + lazyWrites
}
