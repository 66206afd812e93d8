/**
 * What is really wrong with generated relays, and for how long: the truth that measurements are compared with.
 *
 * **Invariant**: whatever makes a relay fail on purpose is in the truth; noise of single measurements is not, because it
 * says nothing about the relay.
 */
import { randomInt, type Random } from '../core/random.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import { exponential, fraction, skewed, type GeneratedPopulation, type GeneratedRelay } from './history-population.ts'

/** Why a relay fails. */
export type FailureCause = 'chronic' | 'flapping' | 'episode' | 'network_outage' | 'rewriting'

/** A relay that really failed: from the first to the last run that could see it. */
export interface FailureInterval {
  readonly fingerprint: string
  readonly cause: FailureCause
  /** What a measurement that reaches it finds. A flapping relay is found well about every other time. */
  readonly status: ExitStatus
  /** Ids of the first and the last run, 14 digits. */
  readonly firstRun: string
  readonly lastRun: string
}

/** What is wrong with a relay just now. */
export interface ActiveFault {
  readonly cause: FailureCause
  readonly status: ExitStatus
}

/** Knows what is wrong, run by run. */
export interface HistoryFaults {
  /** What is wrong with a relay in a run; `undefined` for nothing. Runs must not go back. */
  faultOf(relay: GeneratedRelay, run: number): ActiveFault | undefined
  /** Whether nobody can reach the network of a relay. */
  isCutOff(relay: GeneratedRelay, run: number): boolean
  /** Whether a relay is hard to reach all its life. */
  isRemote(relay: GeneratedRelay): boolean
}

/** Relays that are broken from the first day, in 1,000. */
const CHRONIC_PER_MILLE = 8
const FLAPPING_PER_MILLE = 6
const REMOTE_PER_MILLE = 20
/** Mean of runs between two episodes of a relay, and of their length. */
const EPISODE_GAP_RUNS = 800
const EPISODE_RUNS = 7
/** One in 30 days, at four runs a day. */
const OUTAGE_GAP_RUNS = 120
const OUTAGE_RUNS = 6
const REWRITING_GAP_RUNS = 360
const REWRITING_RUNS = 60

interface Window {
  readonly index: number
  readonly from: number
  readonly to: number
  readonly isUnreachable: boolean
}

interface RelayState {
  readonly lasting: ActiveFault | undefined
  readonly isRemote: boolean
  episodeFrom: number
  episodeTo: number
  episode: ActiveFault
}

/** @param runs - How many runs will be asked about. */
export function createHistoryFaults(random: Random, population: GeneratedPopulation, runs: number): HistoryFaults {
  const outages = planWindows(random, runs, {
    gap: OUTAGE_GAP_RUNS,
    length: OUTAGE_RUNS,
    of: population.networks.length,
  })
  const rewritings = planWindows(random, runs, {
    gap: REWRITING_GAP_RUNS,
    length: REWRITING_RUNS,
    of: population.operators.length,
  })
  const states = new Map<string, RelayState>()
  const stateOf = (relay: GeneratedRelay, run: number): RelayState => {
    let state = states.get(relay.fingerprint)
    if (state === undefined) {
      state = createState(random, run)
      states.set(relay.fingerprint, state)
    }
    if (run >= relay.leavesAt - 1) states.delete(relay.fingerprint)
    return state
  }
  const isIn = (windows: readonly Window[], index: number, run: number): Window | undefined =>
    windows.find((window) => window.index === index && run >= window.from && run < window.to)
  return {
    faultOf: (relay, run) => {
      const state = stateOf(relay, run)
      if (state.lasting !== undefined) return state.lasting
      if (isIn(rewritings, relay.operator.index, run) !== undefined) return { cause: 'rewriting', status: 'wrong_ip' }
      const outage = isIn(outages, relay.network.index, run)
      if (outage?.isUnreachable === false) return { cause: 'network_outage', status: 'timeout' }
      return episodeIn(random, state, run)
    },
    isCutOff: (relay, run) => isIn(outages, relay.network.index, run)?.isUnreachable === true,
    isRemote: (relay) => states.get(relay.fingerprint)?.isRemote === true,
  }
}

function planWindows(
  random: Random,
  runs: number,
  { gap, length, of }: { readonly gap: number; readonly length: number; readonly of: number },
): readonly Window[] {
  const windows: Window[] = []
  for (let from = exponential(random, gap); from < runs; from += 1 + exponential(random, gap)) {
    const to = from + 2 + exponential(random, length)
    // Small ones break more often than the largest, but not only they.
    windows.push({ index: skewed(random, of), from, to, isUnreachable: fraction(random) < 0.3 })
  }
  return windows
}

function createState(random: Random, run: number): RelayState {
  const draw = randomInt(random, 1000)
  const isChronic = draw < CHRONIC_PER_MILLE
  const isFlapping = !isChronic && draw < CHRONIC_PER_MILLE + FLAPPING_PER_MILLE
  const status = failingStatus(random)
  const lasting: ActiveFault | undefined = isChronic
    ? { cause: 'chronic', status }
    : isFlapping
      ? { cause: 'flapping', status }
      : undefined
  const episodeFrom = run + exponential(random, EPISODE_GAP_RUNS)
  return {
    lasting,
    isRemote: lasting === undefined && draw >= 1000 - REMOTE_PER_MILLE,
    episodeFrom,
    episodeTo: episodeFrom + 1 + exponential(random, EPISODE_RUNS),
    episode: { cause: 'episode', status: failingStatus(random) },
  }
}

function episodeIn(random: Random, state: RelayState, run: number): ActiveFault | undefined {
  if (run < state.episodeFrom) return undefined
  if (run < state.episodeTo) return state.episode
  state.episodeFrom = run + 1 + exponential(random, EPISODE_GAP_RUNS)
  state.episodeTo = state.episodeFrom + 1 + exponential(random, EPISODE_RUNS)
  state.episode = { cause: 'episode', status: failingStatus(random) }
  return undefined
}

function failingStatus(random: Random): ExitStatus {
  const draw = fraction(random)
  return draw < 0.55 ? 'dns_fail' : draw < 0.95 ? 'timeout' : 'wrong_ip'
}
