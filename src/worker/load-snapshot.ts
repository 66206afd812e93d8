/**
 * Reads everything that KV has about the names, for pages and the API.
 *
 * **Invariant**: what was read a moment ago is not read again: whoever asks in bulk costs nothing.
 */
import type { Clock } from '../core/clock.ts'
import { layOutNames } from './plan-minute.ts'
import type { RequestParts } from './worker-request.ts'
import type { WorkerSnapshot } from './worker-source.ts'

/** So long one reading serves all requests. */
const KEPT_MS = 10_000

/** Reads, or gives what was read a moment ago. */
export interface SnapshotLoader {
  /** @throws {RunError} When KV cannot be read, or has more batches than an invocation may read. */
  load(parts: RequestParts): Promise<WorkerSnapshot>
  /** Makes the next one read. */
  forget(): void
}

/** Prepares to read. */
export function createSnapshotLoader(clock: Clock): SnapshotLoader {
  let kept: { readonly atMs: number; readonly snapshot: WorkerSnapshot } | undefined
  return {
    load: async (parts) => {
      if (kept !== undefined && clock.wallNowMs() - kept.atMs < KEPT_MS) return kept.snapshot
      const snapshot = await read(parts)
      kept = { atMs: clock.wallNowMs(), snapshot }
      return snapshot
    },
    forget: () => {
      kept = undefined
    },
  }
}

async function read({ plan, memory, subrequests: { kv } }: RequestParts): Promise<WorkerSnapshot> {
  const index = await memory.loadIndex(kv)
  const layout = layOutNames(index.batches, plan.names)
  const numbers = [...new Set(layout.names.map(({ batch }) => batch))]
  const batches = await Promise.all(numbers.map((number) => memory.loadBatch(kv, number)))
  const remembered = new Map(batches.flatMap(({ names }) => Object.entries(names)))
  const usedOctets = JSON.stringify(index).length + batches.reduce((sum, each) => sum + JSON.stringify(each).length, 0)
  return { names: plan.names, index, remembered, usedOctets }
}
