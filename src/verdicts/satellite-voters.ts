/**
 * Which resolvers count for their country and their autonomous system.
 *
 * **Invariant**: pure. Of the reliable resolvers of one group that have the same upstream one counts: that with the lowest
 * address. A system with fewer than five counts nowhere.
 *
 * Rule: docs/detectors/satellite-aggregates.md
 */
import type { ResolverGroups } from './satellite-aggregates.ts'

/** A resolver that was asked. */
export interface Voter {
  readonly address: string
  readonly country: string | null
  readonly as: string | null
  /** Who asks the authoritative servers on its behalf; `null` where nobody looked. */
  readonly upstream: string | null
  readonly isReliable: boolean
}

const SYSTEM_MIN = 5

/** Resolver → its groups; who counts nowhere is not there. */
export function assignGroups(voters: readonly Voter[]): ReadonlyMap<string, ResolverGroups> {
  const reliable = voters.filter(({ isReliable }) => isReliable).toSorted((a, b) => (a.address < b.address ? -1 : 1))
  const countries = chooseOnce(reliable, ({ country }) => country)
  const systems = chooseOnce(reliable, ({ as }) => as)
  const sizes = new Map<string, number>()
  for (const as of systems.values()) sizes.set(as, (sizes.get(as) ?? 0) + 1)
  const groups = new Map<string, ResolverGroups>()
  for (const { address } of reliable) {
    const country = countries.get(address) ?? null
    const as = systems.get(address) ?? null
    const counted = as !== null && (sizes.get(as) ?? 0) >= SYSTEM_MIN ? as : null
    if (country !== null || counted !== null) groups.set(address, { country, as: counted })
  }
  return groups
}

function chooseOnce(voters: readonly Voter[], groupOf: (voter: Voter) => string | null): ReadonlyMap<string, string> {
  const seen = new Set<string>()
  const chosen = new Map<string, string>()
  for (const voter of voters) {
    const group = groupOf(voter)
    if (group === null) continue
    const key = `${group} ${voter.upstream ?? voter.address}`
    if (seen.has(key)) continue
    seen.add(key)
    chosen.set(voter.address, group)
  }
  return chosen
}
