/**
 * Work that is done now and then beside the measurements: retention, taking in earlier reports.
 *
 * Invariant: a chore that fails is tried again every hour until it was done once, and is visible meanwhile; one never goes
 * on twice at the same time.
 */
import { sleep, type Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'

const AGAIN_MS = 3_600_000

/** What is done. */
export interface Chore {
  readonly name: string
  /** Does it; doing it twice changes nothing. Rejects when something is left to be done. */
  run(signal: AbortSignal): Promise<void>
}

/** A chore that can be started. */
export interface ChoreRunner {
  start(): 'started' | 'busy'
  /** Why it failed the last time, one sentence; `null` when it did not. */
  problem(): string | null
  /** Ends it, and waits for that. */
  stop(): Promise<void>
}

/** Makes a chore that can be started. */
export function createChoreRunner(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  chore: Chore,
): ChoreRunner {
  const { name } = chore
  const controller = new AbortController()
  const { signal } = controller
  let running: Promise<void> | undefined
  let problem: string | null = null
  const untilDone = async (): Promise<void> => {
    // The caller first notes that it runs.
    await Promise.resolve()
    while (!signal.aborted) {
      try {
        await chore.run(signal)
        problem = null
        log.info('daemon.chore.done', { chore: name })
        break
      } catch (error) {
        if (signal.aborted) break
        const message = error instanceof Error ? error.message : String(error)
        problem = `What is called ${name} failed and is tried again within an hour: ${message}`
        log.error('daemon.chore.failed', { chore: name, message })
      }
      await sleep(clock, AGAIN_MS, signal)
    }
    running = undefined
  }
  return {
    start: () => {
      if (running !== undefined || signal.aborted) return 'busy'
      running = untilDone()
      return 'started'
    },
    problem: () => problem,
    stop: async () => {
      controller.abort()
      await running
    },
  }
}
