/**
 * Detector `run-validity`: whether a run may accuse anybody.
 *
 * When the zone itself is down, every exit looks broken. Two signs make a run invalid: the direct control of the zone
 * fails twice in a row, or most of the last verdicts are one and the same failure while a second zone, on another
 * server, works through most of those very exits.
 *
 * ```
 *          two failed controls in a row
 *   valid ──────────────────────────────► invalid   (for the rest of the run)
 *     │ ▲                                    ▲
 *     │ └──── the exits fail there too ────┐ │ the second zone works there
 *     └──► suspicious: ask the second zone ┴─┘
 *          through three of the failing exits
 * ```
 *
 * **Invariant**: pure. An invalid run stays invalid; whoever reads it blames no exit.
 *
 * Specification: docs/detectors/run-validity.md
 */
import { assertNever } from '../core/assert.ts'
import type { ExitErrorCode, ExitStatus } from '../model/exit-result.ts'
import { isDnsVerdict } from './exit-relay.ts'

/** Direct controls in a row that must fail: one lost datagram is no outage. */
const CONTROLS_FAILED_MAX = 2
/** How many of the newest DNS verdicts are looked at. */
const VERDICTS_WINDOW = 50
/** Share of the window that one and the same failure must reach. */
const ALIKE_SHARE = 0.5
/** Failing exits through which the second zone is asked. */
const PROBES = 3
/** How many of them must succeed there. */
const PROBES_SUCCESS_MIN = 2

/** A DNS verdict of the window. */
interface WindowEntry {
  readonly fingerprint: string
  /** `status/code`; `null` for success. */
  readonly failure: string | null
}

/** Where a run stands. */
export interface RunValidity {
  /** One sentence; `null` while the run is valid. */
  readonly invalid: string | null
  /** Direct controls that failed in a row. */
  readonly controlsFailed: number
  /** The newest DNS verdicts, oldest first; at most 50. */
  readonly window: readonly WindowEntry[]
  /** Exits through which the second zone is to be asked now; empty when there is no suspicion. */
  readonly probes: readonly string[]
  /** DNS verdicts that must still come in before the next suspicion: an answered one is not raised again at once. */
  readonly quietVerdicts: number
}

/** What happens in a run. */
export type RunValidityEvent =
  /** The zone was asked directly (every 30 s). */
  | { readonly kind: 'control'; readonly ok: boolean }
  /** A relay is decided; others than DNS verdicts change nothing. */
  | {
      readonly kind: 'verdict'
      readonly fingerprint: string
      readonly status: ExitStatus
      readonly errorCode: ExitErrorCode | null
    }
  /** The second zone was asked through the exits of `probes`; a circuit that was not built counts as not asked. */
  | { readonly kind: 'probes'; readonly asked: number; readonly succeeded: number }

/** The state before anything happened. */
export const INITIAL_RUN_VALIDITY: RunValidity = {
  invalid: null,
  controlsFailed: 0,
  window: [],
  probes: [],
  quietVerdicts: 0,
}

/**
 * Moves on.
 *
 * @returns The next state. When its `probes` are not empty, ask the second zone through them and report `probes`;
 *   without a second zone ignore them.
 */
export function judgeRunValidity(state: RunValidity, event: RunValidityEvent): RunValidity {
  if (state.invalid !== null) return state
  switch (event.kind) {
    case 'control':
      return onControl(state, event.ok)
    case 'verdict':
      return onVerdict(state, event.fingerprint, event.status, event.errorCode)
    case 'probes':
      return onProbes(state, event.asked, event.succeeded)
    default:
      return assertNever(event)
  }
}

function onControl(state: RunValidity, ok: boolean): RunValidity {
  const controlsFailed = ok ? 0 : state.controlsFailed + 1
  if (controlsFailed < CONTROLS_FAILED_MAX) return { ...state, controlsFailed }
  return {
    ...state,
    controlsFailed,
    probes: [],
    invalid: `The zone did not answer right ${controlsFailed} times in a row when asked directly`,
  }
}

function onVerdict(
  state: RunValidity,
  fingerprint: string,
  status: ExitStatus,
  errorCode: ExitErrorCode | null,
): RunValidity {
  if (!isDnsVerdict(status)) return state
  const failure = status === 'success' ? null : `${status}/${errorCode}`
  const window = [...state.window, { fingerprint, failure }].slice(-VERDICTS_WINDOW)
  const quietVerdicts = Math.max(0, state.quietVerdicts - 1)
  const next = { ...state, window, quietVerdicts }
  if (state.probes.length > 0 || quietVerdicts > 0 || window.length < VERDICTS_WINDOW) return next
  return { ...next, probes: failingAlike(window) }
}

/** @returns The newest exits of the commonest failure when it has reached its share; else none. */
function failingAlike(window: readonly WindowEntry[]): readonly string[] {
  const groups = Map.groupBy(
    window.filter((entry) => entry.failure !== null),
    (entry) => entry.failure,
  )
  const alike = [...groups.values()].find((group) => group.length >= window.length * ALIKE_SHARE)
  return alike === undefined ? [] : alike.slice(-PROBES).map((entry) => entry.fingerprint)
}

function onProbes(state: RunValidity, asked: number, succeeded: number): RunValidity {
  const alike = state.probes.length
  const next = { ...state, probes: [], quietVerdicts: VERDICTS_WINDOW }
  if (alike === 0 || succeeded < PROBES_SUCCESS_MIN) return next
  return {
    ...next,
    invalid: `At least half of the last ${VERDICTS_WINDOW} verdicts are the same failure, but the second zone works through ${succeeded} of ${asked} of those exits`,
  }
}
