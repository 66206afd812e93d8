/**
 * The whole satellite world as data: names, servers, resolvers.
 *
 * Invariant: seed and size decide everything.
 */
import { assert } from '../core/assert.ts'
import type { SiteGroup } from './site-group.ts'
import { planBlockServers } from './satellite-block-servers.ts'
import { chooseBySeed } from './satellite-chance.ts'
import { planDomains, type PlannedDomain } from './satellite-domains.ts'
import { planResolvers, type PlannedResolver, type PlannedResolvers } from './satellite-resolvers.ts'

/** How large it is. */
export interface SatelliteSize {
  readonly resolvers: number
  readonly domains: number
}

/** The plan. */
export interface SatellitePlan extends PlannedResolvers {
  readonly seed: string
  readonly domains: readonly PlannedDomain[]
  readonly groups: readonly SiteGroup[]
  /** Address of an unreliable resolver → the names for which it does not do as it should. */
  readonly failing: ReadonlyMap<string, ReadonlySet<string>>
}

/** Zone of the names that measure the resolvers themselves. */
export const OWN_ZONE = 'satellite.candor.test'
/** What is asked to find resolvers, with its right address. */
export const PROBE_NAME: string = `probe.${OWN_ZONE}`
/** Its right address. */
export const PROBE_ANSWER = '198.51.100.53'
/** What is asked before and after each name. */
export const LIVENESS_NAME: string = `live.${OWN_ZONE}`
/** Says who asked the authority. */
export const WHOAMI_NAME: string = `whoami.${OWN_ZONE}`

/** Makes the plan. */
export function planSatelliteWorld(seed: string, size: SatelliteSize): SatellitePlan {
  const { domains, groups } = planDomains(seed, size.domains)
  const people = planResolvers(seed, size.resolvers)
  assert(domains.length === size.domains, 'every name has a kind')
  const failing = new Map(
    people.resolvers.flatMap((resolver): [string, ReadonlySet<string>][] =>
      resolver.character.kind === 'unreliable' ? [[resolver.address, chooseFailing(seed, resolver, domains)]] : [],
    ),
  )
  return { seed, ...people, domains, groups: [...groups, ...planBlockServers()], failing }
}

/**
 * The names that make the resolver's share of failures exactly what it should be. Names without an address count as
 * failures of one that fails by RCODE, and as neither for the others.
 */
function chooseFailing(
  seed: string,
  { address, character }: PlannedResolver,
  domains: readonly PlannedDomain[],
): ReadonlySet<string> {
  assert(character.kind === 'unreliable', 'only unreliable resolvers fail on purpose')
  const { percent, by } = character
  const natural = domains.filter(({ kind }) => kind === 'dead' || kind === 'failing')
  const wanted = Math.round((percent * domains.length) / 100) - (by === 'rcode' ? natural.length : 0)
  const others = domains
    .filter(({ kind }) => kind !== 'dead' && kind !== 'failing' && kind !== 'half' && kind !== 'private')
    .toSorted((a, b) => chooseBySeed(1e6, seed, address, a.name) - chooseBySeed(1e6, seed, address, b.name))
  return new Set([...others.slice(0, wanted), ...(by === 'rcode' ? natural : [])].map(({ name }) => name))
}
