/**
 * Orders to the Worker: ask now, acknowledge.
 *
 * **Invariant**: a round that was asked for comes at most every half minute, so that nobody confirms something new faster than the
 * rules of confirmation, and no number of orders sends messages in bulk.
 */
import { formatMonitorKey } from '../model/monitor-name.ts'
import { acknowledgeWorkerIncidents } from './acknowledge-incidents.ts'
import { runInvocation, type InvocationResult } from './run-invocation.ts'
import type { RequestParts } from './worker-request.ts'
import { toSeenRound, type WorkerOrders, type WorkerSnapshot } from './worker-source.ts'

/** Between two rounds that somebody asked for. */
const CHECK_PAUSE_MS = 30_000

/** A round now, or how long to wait for it. */
export type CheckOutcome =
  | { readonly kind: 'done'; readonly result: InvocationResult }
  | { readonly kind: 'wait'; readonly waitMs: number }

/** Asks names now; those whose turn it is without any. @throws {RunError} When KV cannot be read or written. */
export async function checkNow(parts: RequestParts, keys: readonly string[]): Promise<CheckOutcome> {
  const { memory, subrequests, nowMs } = parts
  const { checkedAtMs } = await memory.loadIndex(subrequests.kv)
  const waitMs = checkedAtMs === null ? 0 : Math.min(checkedAtMs + CHECK_PAUSE_MS - nowMs, CHECK_PAUSE_MS)
  if (waitMs > 0) return { kind: 'wait', waitMs }
  return { kind: 'done', result: await runInvocation(parts, { atMs: nowMs, wanted: keys }) }
}

/** The orders of one request. `onDone` is called when something changed. */
export function createWorkerOrders(parts: RequestParts, snapshot: WorkerSnapshot, onDone: () => void): WorkerOrders {
  return {
    check: async (keys) => {
      const outcome = await checkNow(parts, keys)
      const judged = outcome.kind === 'done' ? outcome.result.judged : []
      onDone()
      return keys.map((key) => {
        const fresh = judged.find(({ due }) => formatMonitorKey(due.monitored) === key)?.after.last
        const last = fresh ?? snapshot.remembered.get(key)?.last ?? null
        return { key, round: last === null ? null : toSeenRound(last) }
      })
    },
    acknowledge: async (keyStart, acknowledgement, isAccepted) => {
      const count = await acknowledgeWorkerIncidents(parts, keyStart, acknowledgement, isAccepted, parts.nowMs)
      onDone()
      return count
    },
  }
}
