/**
 * The published booleans of Satellite, written down once more from the document, for the truth of the laboratory: what a
 * right program has to say, mistakes included.
 *
 * Invariant: shares no line with the rules that are tested.
 */
import type { SatelliteFacts } from './satellite-facts.ts'
import type { TreatedPair } from './satellite-pairs.ts'

/** What is published about a pair. */
export interface PublishedBooleans {
  readonly anomaly: boolean
  /** Distinct reasons to exclude it, sorted; empty when it is not excluded. */
  readonly reasons: readonly string[]
}

const CDN_NAME = /AMAZON|Akamai|OPENDNS|CLOUDFLARENET|GOOGLE/
const FEW = 2

/** Judges all pairs. */
export function publishedBooleans(
  pairs: readonly TreatedPair[],
  facts: SatelliteFacts,
): ReadonlyMap<TreatedPair, PublishedBooleans> {
  const anomalies = new Set(pairs.filter((pair) => isAnomaly(pair, facts)))
  const served = new Map<string, Set<string>>()
  for (const { answers, domain } of anomalies) {
    for (const address of answers) served.set(address, (served.get(address) ?? new Set()).add(domain.name))
  }
  const reasonsOf = (pair: TreatedPair): readonly string[] => {
    const reasons = pair.answers.flatMap((address) => [
      ...(CDN_NAME.test(facts.tags(address).asname ?? '') ? ['is_CDN'] : []),
      ...((served.get(address)?.size ?? 0) <= FEW ? ['domain_below_threshold'] : []),
    ])
    return [...new Set(reasons)].toSorted()
  }
  return new Map(
    pairs.map((pair) => {
      const anomaly = anomalies.has(pair)
      return [pair, { anomaly, reasons: anomaly ? reasonsOf(pair) : [] }]
    }),
  )
}

function isAnomaly({ isNonResolver, domain, answers }: TreatedPair, facts: SatelliteFacts): boolean {
  const control = facts.control(domain)
  if (isNonResolver || control.addresses.size === 0 || !control.hasTags) return false
  const tagsOf = answers.map((address) => facts.tags(address))
  const isUntagged = answers.length > 0 && tagsOf.every((tags) => Object.values(tags).every((tag) => tag === null))
  const overlaps = answers.some(
    (address) =>
      control.addresses.has(address) ||
      (['http', 'cert', 'asnum', 'asname'] as const).some((kind) => control.shares(kind, address)),
  )
  return !overlaps && !isUntagged
}
