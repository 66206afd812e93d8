/** All pairs of the satellite world with what happens to them. */
import { parseIp } from '../core/ip-address.ts'
import { laboratoryAddressPlan } from './lab-address-plan.ts'
import type { PlannedDomain } from './satellite-domains.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import { treatNonResolver, treatPair, type Treatment } from './satellite-treatment.ts'

/** A pair with what happens to it. */
export interface TreatedPair {
  readonly vp: string
  readonly country: string
  readonly isNonResolver: boolean
  readonly domain: PlannedDomain
  readonly treatment: Treatment
  /** Addresses of the first response. */
  readonly answers: readonly string[]
  /** RCODE of the first response; `null` for silence. */
  readonly rcode: number | null
}

/** Lists the pairs: resolvers first, then addresses that are none. */
export function listTreatedPairs(plan: SatellitePlan): readonly TreatedPair[] {
  const pairOf = (
    vp: string,
    country: string,
    isNonResolver: boolean,
    domain: PlannedDomain,
    treatment: Treatment,
  ): TreatedPair => {
    const [first] = treatment.datagrams
    return {
      vp,
      country,
      isNonResolver,
      domain,
      treatment,
      answers: first?.addresses ?? [],
      rcode: first?.rcode ?? null,
    }
  }
  const asked = plan.resolvers.flatMap((resolver) =>
    plan.domains.map((domain) =>
      pairOf(resolver.address, resolver.country, false, domain, treatPair(plan, resolver, domain)),
    ),
  )
  const others = plan.nonResolvers.flatMap((address) => {
    const country = laboratoryAddressPlan.lookup(parseIp(address) ?? new Uint8Array())?.country ?? ''
    return plan.domains.map((domain) => pairOf(address, country, true, domain, treatNonResolver(plan, address, domain)))
  })
  return [...asked, ...others]
}
