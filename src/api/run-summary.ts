/**
 * A run in numbers, each with its denominator.
 *
 * Invariant: a relay that was not reached counts for nothing: neither as sound nor as failing.
 *
 * Sources: the published format of exits runs (`dns_tested`, `total_relays`, `candidates`).
 */
import type { ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView, ExitTruth } from '../model/run-view.ts'
import { exitStanding, type ExitStanding } from './exit-standing.ts'

/** Every status, the worst news about DNS first. */
export const EXIT_STATUSES: readonly ExitStatus[] = [
  'wrong_ip',
  'dns_fail',
  'timeout',
  'success',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
]

/** Counts of one run, so far or whole. */
export interface RunSummary {
  /** Relays that are to be tested. */
  readonly candidates: number
  /** Relays with a result. */
  readonly finished: number
  readonly counts: Readonly<Record<ExitStatus, number>>
  /** Relays with a verdict about DNS: success + wrong_ip + dns_fail + timeout. */
  readonly measured: number
  /** Measured, and nothing was wrong. */
  readonly sound: number
  /** Measured, with evidence that does not carry an accusation: see {@link exitStanding}. */
  readonly suspect: number
  /** Measured, and a DNS failure that was confirmed. */
  readonly failing: number
  /** circuit_fail. */
  readonly unreachable: number
  /** error + exception: no answer that could be judged, so nothing is said about DNS at the relay. */
  readonly notJudged: number
  /** not_tested: the run ended before their turn. */
  readonly notTested: number
  /** Results that agree and disagree with the truth, and those that are open; `null` where the truth is not known. */
  readonly truth: { readonly agreeing: number; readonly disagreeing: number; readonly open: number } | null
}

/** How a verdict compares with the truth. */
export type TruthAgreement =
  | 'right'
  | 'wrong'
  /** Not what the truth asks for, but not final either: what our authority saw is joined at the end of the run. */
  | 'open'

/** Counts what the run at hand has found. */
export function summarizeRun(view: ExitRunView): RunSummary {
  return summarizeExits(view.results, view.candidates, view)
}

/**
 * Counts relays of any run.
 *
 * @param candidates - Relays that were to be tested: at least as many as there are rows.
 * @param view - What is true about them, in a laboratory.
 */
export function summarizeExits(
  rows: readonly Pick<ExitResult, 'exit_fingerprint' | 'status' | 'error_code' | 'flags'>[],
  candidates: number,
  view?: ExitRunView,
): RunSummary {
  const counts: Record<ExitStatus, number> = {
    success: 0,
    wrong_ip: 0,
    dns_fail: 0,
    timeout: 0,
    circuit_fail: 0,
    error: 0,
    exception: 0,
    not_tested: 0,
  }
  const standings: Record<ExitStanding, number> = {
    sound: 0,
    suspect: 0,
    failing: 0,
    unreachable: 0,
    not_judged: 0,
    not_tested: 0,
  }
  const agreements = { right: 0, wrong: 0, open: 0 }
  for (const row of rows) {
    counts[row.status] += 1
    standings[exitStanding(row)] += 1
    const truth = view?.truth.get(row.exit_fingerprint)
    if (view !== undefined && truth !== undefined) agreements[compareWithTruth(view, row, truth)] += 1
  }
  return {
    candidates: Math.max(candidates, rows.length),
    finished: rows.length,
    counts,
    measured: standings.sound + standings.suspect + standings.failing,
    sound: standings.sound,
    suspect: standings.suspect,
    failing: standings.failing,
    unreachable: standings.unreachable,
    notJudged: standings.not_judged,
    notTested: standings.not_tested,
    truth:
      view === undefined || view.truth.size === 0
        ? null
        : { agreeing: agreements.right, disagreeing: agreements.wrong, open: agreements.open },
  }
}

/** Compares a verdict with those that are right for the fault. */
export function compareWithTruth(
  view: ExitRunView,
  result: Pick<ExitResult, 'status' | 'error_code'>,
  truth: ExitTruth,
): TruthAgreement {
  const isRight = truth.expected.some(
    ({ status, errorCode }) => status === result.status && errorCode === result.error_code,
  )
  if (isRight) return 'right'
  return isRunning(view) ? 'open' : 'wrong'
}

/** @returns Whether anything more is to come from this run. */
export function isRunning(view: ExitRunView): boolean {
  return view.phase !== 'done' && view.phase !== 'failed'
}
