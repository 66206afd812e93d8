/**
 * What is done about a run after it: keep it, judge incidents and tell people, publish it.
 *
 * Each step has a worker of its own, which takes runs in their order and a run only after its earlier steps. A step that
 * fails is tried again, later and later, and holds up its own kind alone: never the next measurement.
 *
 * Invariant: a step is forgotten only after it was done. Killed in between it is done again, so every step must be able to
 * be done twice without anybody noticing.
 */
import { sleep, type Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { PendingStep } from '../model/daemon-control.ts'
import type { DaemonState } from './daemon-state.ts'

const RETRY_FIRST_MS = 10_000
const RETRY_MAX_MS = 900_000
const MESSAGE_CHARACTERS_MAX = 500

/** One kind of work after a run. */
export interface RunStep {
  readonly name: string
  /** Does it; doing it again changes nothing. Rejects when it has to be tried again. */
  run(runId: string, signal: AbortSignal): Promise<void>
}

/** The workers. */
export interface StepQueue {
  /** Looks for work: at the start, and after each run. */
  wake(): void
  /** Ends what goes on and begins nothing any more. */
  stop(): Promise<void>
}

/** What the workers need. */
export interface StepDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly state: Pick<DaemonState, 'pendingSteps' | 'stepDone' | 'stepFailed'>
  /** In the order in which they follow each other. */
  readonly steps: readonly RunStep[]
}

/** Makes the workers; they begin with the first {@link StepQueue.wake}. */
export function createStepQueue(dependencies: StepDependencies): StepQueue {
  const controller = new AbortController()
  const { signal } = controller
  const working = new Map<RunStep, Promise<void>>()
  const asked = new Set<RunStep>()
  const wake = (): void => {
    for (const step of dependencies.steps) {
      asked.add(step)
      if (!signal.aborted && !working.has(step)) working.set(step, keepWorking(step))
    }
  }
  const keepWorking = async (step: RunStep): Promise<void> => {
    // The caller first notes that this worker works.
    await Promise.resolve()
    // Somebody may have asked while the worker found nothing more: it looks again.
    while (asked.delete(step) && !signal.aborted) await work(dependencies, step, signal, wake)
    working.delete(step)
  }
  return {
    wake,
    stop: async () => {
      controller.abort()
      await Promise.all(working.values())
    },
  }
}

/** Does everything that can be done of one kind. */
async function work(
  { clock, log, state }: StepDependencies,
  step: RunStep,
  signal: AbortSignal,
  wake: () => void,
): Promise<void> {
  let delayMs = RETRY_FIRST_MS
  while (!signal.aborted) {
    let runId = ''
    try {
      const next = findNext(state.pendingSteps(), step.name)
      if (next === undefined) return
      runId = next.runId
      await step.run(runId, signal)
      state.stepDone(runId, step.name)
      log.info('daemon.step.done', { run_id: runId, step: step.name })
      delayMs = RETRY_FIRST_MS
      wake()
      continue
    } catch (error) {
      if (signal.aborted) return
      const message = (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_CHARACTERS_MAX)
      log.error('daemon.step.failed', { run_id: runId, step: step.name, message, retry_in_seconds: delayMs / 1000 })
      note(state, runId, step.name, message)
    }
    await sleep(clock, delayMs, signal)
    delayMs = Math.min(RETRY_MAX_MS, delayMs * 2)
  }
}

/** The earliest run that has this step to do, unless an earlier step of the same run is still to be done. */
function findNext(pending: readonly PendingStep[], name: string): PendingStep | undefined {
  const next = pending.find(({ step }) => step === name)
  return next !== undefined && pending.find(({ runId }) => runId === next.runId) === next ? next : undefined
}

/** With a full disk even the failure cannot be kept; the log has it. */
function note(state: StepDependencies['state'], runId: string, step: string, message: string): void {
  try {
    state.stepFailed(runId, step, message)
  } catch {
    // Nothing depends on it.
  }
}
