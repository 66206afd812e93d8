/** Acknowledges open incidents that are kept in KV: somebody takes care, or says that what is new is right. */
import type { Acknowledgement } from '../model/monitor-state.ts'
import { acknowledgeIncidents } from '../verdicts/monitor-acknowledge.ts'
import { layOutNames } from './plan-minute.ts'
import type { InvocationParts } from './invocation-parts.ts'
import type { RememberedName } from './worker-memory.ts'

/** @returns How many open incidents have a key that begins so. @throws {RunError} When KV cannot be read or written. */
export async function acknowledgeWorkerIncidents(
  { memory, subrequests: { kv }, plan }: InvocationParts,
  keyStart: string,
  acknowledgement: Acknowledgement,
  isAccepted: boolean,
  atMs: number,
): Promise<number> {
  const index = await memory.loadIndex(kv)
  const layout = layOutNames(index.batches, plan.names)
  let total = 0
  for (const number of index.batches.keys()) {
    const batch = await memory.loadBatch(kv, number)
    const changed: Record<string, RememberedName> = {}
    for (const { monitored, key } of layout.names.filter((name) => name.batch === number)) {
      const known = batch.names[key]
      if (known === undefined) continue
      const acknowledged = acknowledgeIncidents(known.state, monitored, keyStart, acknowledgement, isAccepted, atMs)
      if (acknowledged.count === 0) continue
      total += acknowledged.count
      changed[key] = { ...known, state: acknowledged.state }
    }
    if (Object.keys(changed).length === 0) continue
    await memory.saveBatch(kv, number, { ...batch, names: { ...batch.names, ...changed }, writtenAtMs: atMs })
  }
  return total
}
