/**
 * A resolver of the pool: where it is, and whose.
 *
 * Two denials count only when they are of different operators, so whose a resolver is matters as much as where. What the
 * configuration says wins, then the list of well-known ones, then the autonomous system; those of whom nothing is known
 * count as one, so that they never confirm each other.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { parseIp } from '../../core/ip-address.ts'
import type { ResolverTarget } from '../../vantages/resolver.ts'

/** A resolver of the pool. */
export interface DomainResolver {
  /** How it was given; unique in the pool. */
  readonly name: string
  readonly operator: string
  readonly target: ResolverTarget
  /** Queries per second, 0 for no limit. */
  readonly perSecond: number
}

/** The operators' own pages. */
const WELL_KNOWN: ReadonlyMap<string, string> = new Map([
  ['94.140.14.14', 'adguard'],
  ['94.140.15.15', 'adguard'],
  ['1.1.1.1', 'cloudflare'],
  ['1.0.0.1', 'cloudflare'],
  ['1.1.1.2', 'cloudflare'],
  ['1.1.1.3', 'cloudflare'],
  ['8.8.8.8', 'google'],
  ['8.8.4.4', 'google'],
  ['208.67.222.222', 'opendns'],
  ['208.67.220.220', 'opendns'],
  ['9.9.9.9', 'quad9'],
  ['9.9.9.10', 'quad9'],
  ['9.9.9.11', 'quad9'],
  ['149.112.112.112', 'quad9'],
  ['77.88.8.8', 'yandex'],
  ['77.88.8.1', 'yandex'],
  ['76.76.2.0', 'controld'],
  ['185.228.168.9', 'cleanbrowsing'],
  ['4.2.2.1', 'level3'],
  ['4.2.2.2', 'level3'],
])

/** Whose a resolver is that the configuration does not say it of: a name, `AS64496` or `unknown`. */
export function findOperator(address: string, plan: Pick<AddressPlan, 'lookup'>): string {
  const known = WELL_KNOWN.get(address)
  if (known !== undefined) return known
  const octets = parseIp(address)
  const owner = octets === undefined ? undefined : plan.lookup(octets)
  return owner === undefined ? 'unknown' : `AS${owner.asn}`
}
