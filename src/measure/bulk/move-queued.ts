/** What waits for a resolver that begins to rest goes to others. */
import type { BulkSlots } from './bulk-slots.ts'
import type { ResolverQueues } from './resolver-queues.ts'

/**
 * Empties the queue of a resolver into those of others; what is for this resolver alone stays.
 *
 * @param choose - Gives the resolver that a slot goes to.
 */
export function moveQueued(
  slots: BulkSlots,
  queues: ResolverQueues,
  resolver: number,
  choose: (slot: number) => number,
): void {
  for (let slot = queues.clear(resolver), after = slot; slot >= 0; slot = after) {
    after = slots.next[slot] as number
    if (slots.pinned[slot] === 0) slots.resolver[slot] = choose(slot)
    queues.push(slot, slots.resolver[slot] as number)
  }
}
