/**
 * Watches whether a run may accuse anybody: feeds the direct control, the verdicts and the second zone into the state
 * machine of `verdicts/run-validity.ts`, and stops the run when it says `invalid`.
 *
 * Before a relay's failure is recorded, the zone is known to have worked after the question was asked: otherwise a
 * zone that went away between two periodic controls would be blamed on exits.
 */
import type { Log } from '../../core/log.ts'
import type { ExitErrorCode, ExitStatus } from '../../model/exit-result.ts'
import { INITIAL_RUN_VALIDITY, judgeRunValidity, type RunValidityEvent } from '../../verdicts/run-validity.ts'
import type { ControlOutcome, ZoneControl } from './zone-control.ts'

/** Asks the second zone through these exits. @returns How many were asked and how many answered right. */
export type AskSecondZone = (fingerprints: readonly string[]) => Promise<{ asked: number; succeeded: number }>

/** The guard of a run. */
export interface RunGuard {
  /** Why the run is invalid; `null` while it is valid. */
  invalid(): string | null
  /** Aborts when the run became invalid. */
  readonly signal: AbortSignal
  /** Takes the outcome of a direct control. */
  onControl(outcome: ControlOutcome): void
  /** Takes a verdict; on suspicion asks the second zone, without holding up the caller. */
  onVerdict(fingerprint: string, status: ExitStatus, errorCode: ExitErrorCode | null): void
  /** Makes sure that the zone works now: up to two controls. @returns `false` when it does not; the run is invalid then. */
  confirmZone(): Promise<boolean>
  /** Waits for what is being asked of the second zone. */
  settle(): Promise<void>
}

/** @param control - Gives the running control; `undefined` where the zone cannot be asked directly. */
export function createRunGuard(
  log: Log,
  control: () => ZoneControl | undefined,
  askSecondZone: AskSecondZone | undefined,
): RunGuard {
  let state = INITIAL_RUN_VALIDITY
  let probing: Promise<void> | undefined
  let lastWrong = ''
  const stop = new AbortController()
  const apply = (event: RunValidityEvent): void => {
    state = judgeRunValidity(state, event)
    if (state.invalid === null || stop.signal.aborted) return
    log.error('exits.run.invalid', { reason: state.invalid })
    stop.abort()
  }
  const probe = async (ask: AskSecondZone): Promise<void> => {
    const { asked, succeeded } = await ask(state.probes)
    apply({ kind: 'probes', asked, succeeded })
    probing = undefined
  }
  return {
    invalid: () =>
      state.invalid === null ? null : lastWrong === '' ? state.invalid : `${state.invalid}: ${lastWrong}`,
    signal: stop.signal,
    onControl: (outcome) => {
      if (!outcome.right) {
        lastWrong = outcome.description
        log.warn('exits.control.wrong', { description: outcome.description })
      }
      apply({ kind: 'control', ok: outcome.right })
    },
    onVerdict: (fingerprint, status, errorCode) => {
      apply({ kind: 'verdict', fingerprint, status, errorCode })
      if (state.probes.length > 0 && askSecondZone !== undefined) probing ??= probe(askSecondZone)
    },
    confirmZone: async () => {
      const running = control()
      if (running === undefined) return state.invalid === null
      const first = await running.check()
      if (!first.right && state.invalid === null) await running.check()
      return state.invalid === null
    },
    settle: async () => {
      await probing
    },
  }
}
