/** How a bulk run over connections asks: the policy of the engine, from the options of the command. */
import type { EnginePolicy } from '../measure/engine/engine-policy.ts'
import type { BulkJob } from './bulk-job.ts'

/** More at a time makes nothing faster; servers of HTTP/2 let a hundred pass. */
const WINDOW = { start: 16, min: 1, max: 128 }
const TASKS_MAX = 2_048
/** Over UDP each question has a socket of its own, and systems give some thousand. */
const UDP_TASKS_MAX = 512
/** After a refused connection. */
const PAUSE_MS = 250
const TIMEOUT_MS_MAX = 16_000
/** Nine in ten answers are not hedged. */
const HEDGED_QUANTILE = 0.9
const HEDGE_SHARE = 0.1
const HEDGE_RANGE = 4

/** Makes the policy. */
export function makeStreamPolicy(job: BulkJob): EnginePolicy {
  const timeoutsMs = Array.from({ length: job.retries }, (_, k) =>
    Math.min(job.timeoutMs * 2 ** (k + 1), TIMEOUT_MS_MAX),
  )
  return {
    retry: {
      attempts: job.retries + 1,
      timeoutsMs: [job.timeoutMs, ...timeoutsMs],
      pauseMs: PAUSE_MS,
      failures: 'all',
      rcodes: job.retriedRcodes,
      truncatedOverTcp: true,
    },
    caps: { ...job.pace, isPaced: Uint8Array.from(job.resolvers, ({ isPaced }) => (isPaced ? 1 : 0)) },
    cooldown: job.cooldown,
    window: WINDOW,
    hedge:
      job.hedgeMs === null
        ? null
        : { quantile: HEDGED_QUANTILE, minMs: job.hedgeMs, maxMs: job.hedgeMs * HEDGE_RANGE, share: HEDGE_SHARE },
    tasksMax: job.streams?.some(({ target }) => target.transport === 'udp') === true ? UDP_TASKS_MAX : TASKS_MAX,
    lateWindowMs: 0,
    deadlineMs: job.deadlineMs,
    graceMs: timeoutsMs.reduce((sum, ms) => sum + ms, job.timeoutMs),
  }
}
