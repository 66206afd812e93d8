/** Who resolves for Tor: how many exits, and how much of their capacity, ask through each network. */
import type { ExitResult } from '../../model/exit-result.ts'
import { formatCell, formatTable } from './markdown-text.ts'

/** One network that resolves for exits. */
export interface ResolverShare {
  /** `AS64496 Example`; `null` for addresses that no table knows. */
  readonly as: string | null
  readonly exits: number
  /** Of all exits that asked our authority; two decimals. */
  readonly exitsPercent: number
  /** Of the bandwidth weight of these exits; two decimals, `null` when no weight is known. */
  readonly weightPercent: number | null
  /** Exits of this count that stand in the same AS: their resolver is their own or their provider's. */
  readonly exitsOfSameAs: number
  /** Different resolver addresses. */
  readonly addresses: number
}

/** The parts of a result that are counted. */
export type CountedResult = Pick<ExitResult, 'resolver' | 'bandwidth_weight' | 'as'>

const ROWS_MAX = 20
const NUMBERS = new Set(['Exits', 'Share', 'Share of Capacity', 'Exits of the Same AS', 'Resolvers'])

/** Counts, largest share of capacity first (then most exits). Exits that never asked are left out. */
export function countResolverShares(results: readonly CountedResult[]): readonly ResolverShare[] {
  const asked = results.filter(({ resolver }) => resolver !== null && resolver.addresses.length > 0)
  const totalWeight = sumWeights(asked)
  const shares = [...Map.groupBy(asked, ({ resolver }) => resolver?.as ?? null)].map(([as, members]) => ({
    as,
    exits: members.length,
    exitsPercent: percent(members.length, asked.length),
    weightPercent: totalWeight === 0 ? null : percent(sumWeights(members), totalWeight),
    exitsOfSameAs: members.filter((member) => as !== null && member.as === as).length,
    addresses: new Set(members.flatMap(({ resolver }) => resolver?.addresses ?? [])).size,
  }))
  return shares.toSorted((a, b) => (b.weightPercent ?? 0) - (a.weightPercent ?? 0) || b.exits - a.exits)
}

/** Formats the section of the Markdown report; empty when no exit asked, or no log was joined. */
export function formatResolverShares(results: readonly CountedResult[]): string {
  const shares = countResolverShares(results)
  if (shares.length === 0) return ''
  const total = shares.reduce((sum, share) => sum + share.exits, 0)
  const rows = shares
    .slice(0, ROWS_MAX)
    .map((share) => [
      formatCell(share.as ?? 'unknown', 60),
      String(share.exits),
      `${share.exitsPercent} %`,
      share.weightPercent === null ? '–' : `${share.weightPercent} %`,
      String(share.exitsOfSameAs),
      String(share.addresses),
    ])
  const more = shares.length > ROWS_MAX ? `\n\n${shares.length - ROWS_MAX} smaller networks are not shown.` : ''
  const table = formatTable(['Network of the Resolver', ...NUMBERS], rows, NUMBERS)
  return `## Who Resolves for the Exits (${shares.length})\n\nFrom the log of our authority, for ${total} ${total === 1 ? 'exit' : 'exits'}. Capacity is the bandwidth weight in the consensus.\n\n${table}${more}`
}

function sumWeights(results: readonly CountedResult[]): number {
  return results.reduce((sum, result) => sum + (result.bandwidth_weight ?? 0), 0)
}

function percent(part: number, whole: number): number {
  return Math.round((10_000 * part) / whole) / 100
}
