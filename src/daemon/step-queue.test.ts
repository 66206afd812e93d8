import { describe, expect, test } from 'vitest'
import { silentLog } from '../core/log.ts'
import type { PendingStep } from '../model/daemon-control.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createStepQueue, type RunStep } from './step-queue.ts'

/** Runs with steps to be done, in memory. */
function createPending(runs: readonly string[], steps: readonly string[]) {
  let pending: readonly PendingStep[] = runs.flatMap((runId) =>
    steps.map((step) => ({ runId, step, attempts: 0, message: null })),
  )
  const isSame = (runId: string, step: string, other: PendingStep): boolean =>
    other.runId === runId && other.step === step
  return {
    pendingSteps: () => pending,
    stepDone: (runId: string, step: string) => {
      pending = pending.filter((other) => !isSame(runId, step, other))
    },
    stepFailed: (runId: string, step: string, message: string) => {
      pending = pending.map((other) =>
        isSame(runId, step, other) ? { ...other, attempts: other.attempts + 1, message } : other,
      )
    },
  }
}

/** Steps that write down what they did; `failures` says how often each fails first. */
function createWorld(runs: readonly string[], failures: Readonly<Record<string, number>> = {}) {
  const clock = createVirtualClock()
  const state = createPending(runs, ['keep', 'tell', 'publish'])
  const left = new Map(Object.entries(failures))
  const done: string[] = []
  const steps: readonly RunStep[] = ['keep', 'tell', 'publish'].map((name) => ({
    name,
    run: (runId) => {
      const count = left.get(name) ?? 0
      if (count > 0) {
        left.set(name, count - 1)
        return Promise.reject(new Error(`${name} fails`))
      }
      done.push(`${name} ${runId}`)
      return Promise.resolve()
    },
  }))
  return { clock, state, done, queue: createStepQueue({ clock, log: silentLog, state, steps }) }
}

describe('createStepQueue', () => {
  test('does the steps of each run in their order, and runs in theirs', async () => {
    const { clock, done, state, queue } = createWorld(['1', '2'])
    queue.wake()
    await clock.advance(0)
    expect(done.filter((text) => text.endsWith('1'))).toEqual(['keep 1', 'tell 1', 'publish 1'])
    expect(done.filter((text) => text.startsWith('tell'))).toEqual(['tell 1', 'tell 2'])
    expect(done).toHaveLength(6)
    expect(state.pendingSteps()).toEqual([])
  })

  test('tries a step that failed again, later and later, and holds up nothing but its own kind', async () => {
    const { clock, done, state, queue } = createWorld(['1', '2'], { publish: 3 })
    queue.wake()
    await clock.advance(25_000)
    expect(done.toSorted()).toEqual(['keep 1', 'keep 2', 'tell 1', 'tell 2'])
    expect(state.pendingSteps()[0]).toEqual({ runId: '1', step: 'publish', attempts: 2, message: 'publish fails' })
    await clock.advance(60_000)
    expect(done.slice(4)).toEqual(['publish 1', 'publish 2'])
  })

  test('begins no later step of a run before the one that fails', async () => {
    const { clock, done, queue } = createWorld(['1'], { keep: 1 })
    queue.wake()
    await clock.advance(5_000)
    expect(done).toEqual([])
    await clock.advance(10_000)
    expect(done).toEqual(['keep 1', 'tell 1', 'publish 1'])
  })

  test('takes up what comes while it works, and stops', async () => {
    const { clock, done, queue } = createWorld(['1'], { tell: 100 })
    queue.wake()
    queue.wake()
    await clock.advance(0)
    expect(done).toEqual(['keep 1'])
    const stopped = queue.stop()
    await clock.advance(0)
    await stopped
    queue.wake()
    await clock.advance(3_600_000)
    expect(done).toEqual(['keep 1'])
  })
})
