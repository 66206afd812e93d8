/** Who resolves for Tor: how many exits, and how much of their capacity, ask through each network. */
import type { ExitResolver } from '../../model/exit-result.ts'

/** One exit and what its bandwidth weighs in the consensus. */
export interface WeighedResolver {
  readonly resolver: ExitResolver
  /** Bandwidth weight; 0 where it is not known. */
  readonly weight: number
  /** The exit's own AS in the form of the records; `null` when not known. */
  readonly exit_as: string | null
}

/** One network that resolves for exits. */
export interface ResolverShare {
  /** `AS64496 Example`; `null` for addresses that no table knows. */
  readonly as: string | null
  readonly exits: number
  /** Of all exits that asked our authority; two decimals. */
  readonly exits_percent: number
  /** Of the bandwidth weight of these exits; two decimals, `null` when no weight is known. */
  readonly weight_percent: number | null
  /** Exits of this count that stand in the same AS: their resolver is their own or their provider's. */
  readonly exits_of_same_as: number
  /** Different resolver addresses. */
  readonly addresses: number
}

/** Counts, largest share of capacity first (then most exits). Exits that never asked are left out. */
export function countResolverShares(exits: readonly WeighedResolver[]): readonly ResolverShare[] {
  const asked = exits.filter(({ resolver }) => resolver.addresses.length > 0)
  const totalWeight = asked.reduce((sum, { weight }) => sum + weight, 0)
  const groups = Map.groupBy(asked, ({ resolver }) => resolver.as)
  const shares = [...groups].map(([as, members]) => {
    const weight = members.reduce((sum, member) => sum + member.weight, 0)
    return {
      as,
      exits: members.length,
      exits_percent: percent(members.length, asked.length),
      weight_percent: totalWeight === 0 ? null : percent(weight, totalWeight),
      exits_of_same_as: members.filter((member) => as !== null && member.exit_as === as).length,
      addresses: new Set(members.flatMap(({ resolver }) => resolver.addresses)).size,
    }
  })
  return shares.toSorted((a, b) => (b.weight_percent ?? 0) - (a.weight_percent ?? 0) || b.exits - a.exits)
}

function percent(part: number, whole: number): number {
  return Math.round((10_000 * part) / whole) / 100
}
