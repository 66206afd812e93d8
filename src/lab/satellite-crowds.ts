/**
 * Addresses that stand in for many names: in one country, in many, or in between, where nobody can say.
 *
 * Invariant: only answers that share nothing with the control count.
 */
import type { SatelliteFacts } from './satellite-facts.ts'
import type { TreatedPair } from './satellite-pairs.ts'

/** More unrelated names than this. */
const NAMES = 5
/** Fewer sightings prove nothing either way. */
const SIGHTINGS_CLEAR = 20
/** At least this share from one country is clearly one country's, at most the other one clearly not. */
const SHARE_CLEAR = 0.6
const SHARE_SPREAD = 0.2

/** What is known of the addresses of a pair. */
export interface AddressCrowds {
  isOfOneCountry(pair: TreatedPair): boolean
  isUnclear(pair: TreatedPair): boolean
}

/** Counts all pairs. */
export function createAddressCrowds(pairs: readonly TreatedPair[], facts: SatelliteFacts): AddressCrowds {
  const seen = new Map<string, { readonly owners: Set<string>; readonly countries: Map<string, number> }>()
  for (const pair of pairs) {
    if (!sharesNothing(pair, facts)) continue
    for (const address of new Set(pair.answers)) {
      const entry = seen.get(address) ?? { owners: new Set(), countries: new Map<string, number>() }
      seen.set(address, entry)
      entry.owners.add(pair.domain.name.split('.').slice(-2).join('.'))
      entry.countries.set(pair.country, (entry.countries.get(pair.country) ?? 0) + 1)
    }
  }
  const classes = new Map(
    [...seen].map(([address, { owners, countries }]) => {
      const counts = [...countries.values()]
      const all = counts.reduce((sum, count) => sum + count, 0)
      const share = Math.max(...counts) / all
      if (owners.size <= NAMES || share <= SHARE_SPREAD) return [address, 'spread'] as const
      return [address, share >= SHARE_CLEAR && all >= SIGHTINGS_CLEAR ? 'one' : 'unclear'] as const
    }),
  )
  const has = (pair: TreatedPair, kind: 'one' | 'unclear'): boolean =>
    sharesNothing(pair, facts) && pair.answers.some((address) => classes.get(address) === kind)
  return { isOfOneCountry: (pair) => has(pair, 'one'), isUnclear: (pair) => has(pair, 'unclear') }
}

function sharesNothing({ domain, answers }: TreatedPair, facts: SatelliteFacts): boolean {
  const control = facts.control(domain)
  return (
    control.addresses.size > 0 &&
    answers.length > 0 &&
    answers.every(
      (address) =>
        !control.addresses.has(address) &&
        !(['http', 'cert', 'asnum'] as const).some((kind) => control.shares(kind, address)),
    )
  )
}
