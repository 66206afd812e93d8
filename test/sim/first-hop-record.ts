/** What is known of first hops before anything happened. */
import type { HopRecord } from '../../src/campaigns/exits/first-hops.ts'
import { createKeyedLimit } from '../../src/measure/keyed-limit.ts'

/** An empty record. */
export function createFirstHopRecord(): HopRecord {
  return { load: createKeyedLimit(Infinity), failures: new Map(), answered: new Set() }
}
