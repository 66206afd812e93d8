/**
 * The addresses that clients were lately answered for names with wildcards: what the run-time sets are renewed with.
 *
 * SmartDNS puts an address into the set before it answers, for two times the TTL, and an answer from its cache does not
 * extend that. So each answer that its audit file names is renewed here.
 *
 * **Invariant**: memory is bounded; the oldest addresses go first.
 */
import type { RuntimeObservation } from '../../model/runtime-observation.ts'
import type { RuntimeElement } from './format-nft-sets.ts'

const ADDRESSES_MAX = 65_536
/** Clients keep answers, and connections, longer than the TTL says. */
const KEPT_SECONDS = 3_600

/** Addresses with the time of their newest answer. */
export interface RuntimeAddresses {
  /** Takes answers. @returns Whether one of them was for a name with a wildcard. */
  observe(observations: readonly RuntimeObservation[]): boolean
  /** What the sets are to have, with the time that is left. */
  elements(nowMs: number): readonly RuntimeElement[]
}

/** Remembers. `isWatched` says whether a name, or one above it, is a wildcard. */
export function createRuntimeAddresses(isWatched: (name: string) => boolean): RuntimeAddresses {
  /** Oldest answer first. */
  const seen = new Map<string, number>()
  return {
    observe: (observations) => {
      let isAny = false
      for (const { name, addresses, atMs } of observations) {
        if (!isWatched(name)) continue
        isAny = true
        for (const address of addresses) {
          seen.delete(address)
          seen.set(address, atMs)
        }
      }
      for (const address of seen.keys()) {
        if (seen.size <= ADDRESSES_MAX) break
        seen.delete(address)
      }
      return isAny
    },
    elements: (nowMs) => {
      const elements: RuntimeElement[] = []
      for (const [address, atMs] of seen) {
        const timeoutSeconds = Math.min(KEPT_SECONDS, KEPT_SECONDS - (nowMs - atMs) / 1000)
        if (timeoutSeconds > 0) elements.push({ address, timeoutSeconds })
        else seen.delete(address)
      }
      return elements
    },
  }
}
