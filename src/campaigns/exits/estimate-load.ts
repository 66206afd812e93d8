/** What a run will do to the network, said before it begins. */
import type { ExitPace } from '../../model/exit-options.ts'

/** The load of a run, at its pace. */
export interface LoadEstimate {
  /** Circuits that the run will build. */
  readonly circuits: number
  /** How many of them in an hour, at this pace; `null` without one. */
  readonly circuitsPerHour: number | null
  /** Share of all circuits that goes through one first hop, 0 to 1. */
  readonly hopShare: number
  /** Expected duration in seconds. */
  readonly seconds: number
}

/** Circuits per relay on average: most need one, a failing one up to three (public network: 16 % of circuits fail). */
const CIRCUITS_PER_RELAY = 1.25
/** What an unpaced scan of a healthy network did on two cores, relays per second. */
const UNPACED_PER_SECOND = 30
/** Seconds that the last relays take when they have to be confirmed. */
const TAIL_SECONDS = 15

/** Estimates the load of testing `relays` relays over `hops` first hops. */
export function estimateLoad(relays: number, hops: number, crossValidate: number, pace: ExitPace): LoadEstimate {
  const circuits = relays * CIRCUITS_PER_RELAY * crossValidate
  const byDelay = pace.buildDelayMs > 0 ? 1000 / pace.buildDelayMs : UNPACED_PER_SECOND
  const perSecond = pace.circuitsPerSecond > 0 ? Math.min(byDelay, pace.circuitsPerSecond) : byDelay
  const seconds = circuits / perSecond + TAIL_SECONDS
  const isPaced = pace.buildDelayMs > 0 || pace.circuitsPerSecond > 0
  return {
    circuits: Math.round(circuits),
    circuitsPerHour: isPaced ? Math.round(perSecond * 3600) : null,
    hopShare: hops === 0 ? 1 : Math.min(1, 1 / hops),
    seconds: Math.round(seconds),
  }
}

/** Formats an estimate as the sentence that is printed before the start. */
export function formatLoad(estimate: LoadEstimate, relays: number, hops: number): string {
  const share = (estimate.hopShare * 100).toFixed(estimate.hopShare < 0.01 ? 2 : 1)
  return (
    `${relays} relays over ${hops} first hops: about ${estimate.circuits} circuits ` +
    `(${estimate.circuitsPerHour === null ? 'unpaced' : `${estimate.circuitsPerHour} circuits/h`}), ` +
    `${share} % of them through one hop, about ${formatSeconds(estimate.seconds)}`
  )
}

/** Formats seconds as `45 s`, `12 min` or `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
