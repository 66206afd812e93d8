/** A run as it goes on, for pages and terminals: implements the port of `model/run-view.ts`. */
import { formatIsoTime, type Clock, type Timer } from '../../core/clock.ts'
import type { ExitMetadata, ExitResult } from '../../model/exit-result.ts'
import type { ExitRunView, ExitTruth, RunPhase, RunViewSource } from '../../model/run-view.ts'

/** Subscribers are told at most this often. */
const NOTIFY_MS = 100

/** Where a run reports to. */
export interface RunProgress extends RunViewSource {
  /** Enters a phase, with one sentence for people. */
  phase(phase: RunPhase, message: string): void
  /** Says what is true, in a laboratory. */
  truth(truth: ReadonlyMap<string, ExitTruth>): void
  /** The scan begins with this many candidates; `done` of them are finished already (a resumed run). */
  begin(runId: string, candidates: number, done: readonly ExitResult[]): void
  started(): void
  finished(result: ExitResult): void
  /** The results as they stand in the report (joined and counted), and what the run was. */
  end(metadata: ExitMetadata, results: readonly ExitResult[]): void
  /** Forgets everything but the subscribers, for the next run. */
  reset(): void
}

interface State {
  phase: RunPhase
  message: string
  runId: string | null
  startedAt: string | null
  startedAtMs: number
  candidates: number
  resumed: number
  inFlight: number
  results: ExitResult[]
  metadata: ExitMetadata | null
  truth: ReadonlyMap<string, ExitTruth>
}

function emptyState(): State {
  return {
    phase: 'starting_tor',
    message: 'Starting',
    runId: null,
    startedAt: null,
    startedAtMs: 0,
    candidates: 0,
    resumed: 0,
    inFlight: 0,
    results: [],
    metadata: null,
    truth: new Map(),
  }
}

/** A progress that nobody has reported to yet. */
export function createRunProgress(clock: Clock): RunProgress {
  const subscribers = new Set<() => void>()
  let state = emptyState()
  let timer: Timer | undefined
  const changed = (): void => {
    if (subscribers.size === 0) return
    timer ??= clock.setTimer(NOTIFY_MS, () => {
      timer = undefined
      for (const onChange of subscribers) onChange()
    })
  }
  const set = (change: Partial<State>): void => {
    Object.assign(state, change)
    changed()
  }
  return {
    view: () => viewOf(state, clock),
    subscribe: (onChange) => {
      subscribers.add(onChange)
      return () => {
        subscribers.delete(onChange)
      }
    },
    phase: (phase, message) => {
      set({ phase, message })
    },
    truth: (truth) => {
      set({ truth })
    },
    begin: (runId, candidates, done) => {
      const startedAt = formatIsoTime(clock.wallNowMs())
      set({ runId, candidates, startedAt, startedAtMs: clock.nowMs(), resumed: done.length, results: [...done] })
    },
    started: () => {
      set({ inFlight: state.inFlight + 1 })
    },
    finished: (result) => {
      state.results.push(result)
      set({ inFlight: Math.max(0, state.inFlight - 1) })
    },
    end: (metadata, results) => {
      set({ metadata, results: [...results] })
    },
    reset: () => {
      const { truth } = state
      state = { ...emptyState(), truth }
      changed()
    },
  }
}

function viewOf(state: State, clock: Clock): ExitRunView {
  const done = state.results.length
  const fresh = done - state.resumed
  const seconds = (clock.nowMs() - state.startedAtMs) / 1000
  const rate = state.runId === null || seconds <= 0 || state.metadata !== null ? 0 : fresh / seconds
  return {
    phase: state.phase,
    message: state.message,
    runId: state.runId,
    startedAt: state.startedAt,
    candidates: state.candidates,
    done,
    inFlight: state.inFlight,
    relaysPerSecond: rate,
    secondsLeft: rate > 0 ? (state.candidates - done) / rate : null,
    results: state.results,
    metadata: state.metadata,
    truth: state.truth,
  }
}
