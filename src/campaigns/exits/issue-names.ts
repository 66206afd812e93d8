/** Hands out the unique names of a run, each with a moment of its own. */
import type { Clock } from '../../core/clock.ts'
import { createMomentAllocator, formatQueryName } from './query-name.ts'

/** Hands out names. */
export interface QueryNames {
  /** A name that was never asked before. `attempt` counts from 1 per relay. */
  issue(fingerprint: string, attempt: number): string
}

/** Names of one run under one base domain. */
export function createQueryNames(clock: Clock, runId: string, baseDomain: string): QueryNames {
  const moments = createMomentAllocator()
  return {
    issue: (fingerprint, attempt) =>
      formatQueryName({
        runId,
        attempt,
        timestampMs: moments.next(clock.wallNowMs()),
        fingerprint,
        baseDomain,
      }),
  }
}
