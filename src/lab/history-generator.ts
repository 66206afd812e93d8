/**
 * A history that never happened: runs over a network whose relays come and go and fail in known ways, so that pages,
 * alerts and storage can be looked at full.
 *
 * **Invariant**: the same seed gives the same history. What is generated says so in its notes, and nothing in it is an
 * address or a name of somebody real.
 */
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import { createSeededRandom, randomInt, type Random } from '../core/random.ts'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitResult } from '../model/exit-result.ts'
import { createHistoryFaults, type FailureInterval } from './history-faults.ts'
import { fraction, createPopulation, type GeneratedRelay } from './history-population.ts'
import { createResultMaker } from './history-results.ts'

/** What is generated. */
export interface HistoryPlan {
  readonly seed: string
  readonly runs: number
  /** Relays at any time. */
  readonly relays: number
  /** When the last run begins, Unix milliseconds. */
  readonly endsAtMs: number
  /** Between two runs. */
  readonly intervalMs: number
  /** Which results of a run, counted from the first, get attempts. */
  readonly evidenceOf: (run: number) => KeptEvidence
}

/** One run. */
export interface GeneratedRun {
  /** Counted from 0, those that failed to take place included. */
  readonly index: number
  readonly runId: string
  /** ISO 8601 UTC. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly durationMs: number
  readonly invalid: string | null
  readonly interrupted: boolean
  /** In order of fingerprint. */
  readonly results: readonly ExitResult[]
}

/** A history, run by run. */
export interface GeneratedHistory {
  /** Earliest first. To be gone through once. */
  readonly runs: Iterable<GeneratedRun>
  /** Who really failed and when; complete once all runs were gone through. */
  truth(): readonly FailureInterval[]
}

/** Of 1,000 runs: the zone did not answer, somebody ended it, the machine was off. */
const INVALID_PER_MILLE = 4
const INTERRUPTED_PER_MILLE = 5
const MISSING_PER_MILLE = 3
const RUN_MS = 110 * 60_000
const MS_PER_SECOND = 1000

/** Makes a history. */
export function generateHistory(plan: HistoryPlan): GeneratedHistory {
  const truth = createTruth()
  return { runs: generateRuns(plan, truth), truth: () => truth.intervals() }
}

function* generateRuns(plan: HistoryPlan, truth: Truth): Generator<GeneratedRun, void> {
  const random = createSeededRandom(plan.seed)
  const population = createPopulation(random, plan.relays)
  const faults = createHistoryFaults(random, population, plan.runs)
  const make = createResultMaker(random)
  for (let index = 0; index < plan.runs; index++) {
    population.advance(index)
    const moment =
      Math.floor((plan.endsAtMs - (plan.runs - 1 - index) * plan.intervalMs) / MS_PER_SECOND) * MS_PER_SECOND
    const runId = formatCompactTime(moment)
    const fate = drawFate(random, index === plan.runs - 1)
    if (fate === 'missing') continue
    const finishedAt = formatIsoTime(moment + RUN_MS)
    const run = {
      runId,
      startedAtMs: moment,
      finishedAt,
      isInvalid: fate === 'invalid',
      evidence: plan.evidenceOf(index),
    }
    const testedUntil = fate === 'interrupted' ? 0.3 + fraction(random) * 0.6 : 1
    const results: ExitResult[] = []
    for (const relay of population.relays) {
      const fault = faults.faultOf(relay, index)
      truth.note(relay, fault, runId)
      // Some are missing from one consensus and back in the next.
      if (randomInt(random, 1000) < 5) continue
      const isReachable = !faults.isCutOff(relay, index) && (!faults.isRemote(relay) || fraction(random) < 0.2)
      const isTested = testedUntil === 1 || fraction(random) < testedUntil
      results.push(make(relay, run, { fault, isReachable, isTested }))
    }
    yield {
      index,
      runId,
      startedAt: formatIsoTime(moment),
      finishedAt,
      durationMs: RUN_MS,
      invalid: fate === 'invalid' ? 'more than half of all exits failed at once, and so did our own control' : null,
      interrupted: fate === 'interrupted',
      results,
    }
  }
}

type Fate = 'complete' | 'invalid' | 'interrupted' | 'missing'

/** The newest run is always complete: there is something to look at. */
function drawFate(random: Random, isLast: boolean): Fate {
  const draw = randomInt(random, 1000)
  if (isLast) return 'complete'
  if (draw < INVALID_PER_MILLE) return 'invalid'
  if (draw < INVALID_PER_MILLE + INTERRUPTED_PER_MILLE) return 'interrupted'
  return draw < INVALID_PER_MILLE + INTERRUPTED_PER_MILLE + MISSING_PER_MILLE ? 'missing' : 'complete'
}

interface Truth {
  note(relay: GeneratedRelay, fault: Pick<FailureInterval, 'cause' | 'status'> | undefined, runId: string): void
  intervals(): readonly FailureInterval[]
}

function createTruth(): Truth {
  const closed: FailureInterval[] = []
  const open = new Map<string, FailureInterval>()
  return {
    note: ({ fingerprint }, fault, runId) => {
      const current = open.get(fingerprint)
      if (current !== undefined && (fault?.cause !== current.cause || fault.status !== current.status)) {
        closed.push(current)
        open.delete(fingerprint)
      }
      if (fault === undefined) return
      const firstRun = open.get(fingerprint)?.firstRun ?? runId
      open.set(fingerprint, { fingerprint, cause: fault.cause, status: fault.status, firstRun, lastRun: runId })
    },
    intervals: () =>
      [...closed, ...open.values()].toSorted((a, b) =>
        `${a.firstRun}${a.fingerprint}` < `${b.firstRun}${b.fingerprint}` ? -1 : 1,
      ),
  }
}
