/**
 * What the plan of the satellite world says about addresses and names, looked up quickly: certificates, pages and networks,
 * with a name and without, and what the control resolvers are told.
 */
import { parseIp } from '../core/ip-address.ts'
import { CONTENT_NETWORKS, laboratoryAddressPlan } from './lab-address-plan.ts'
import type { PlannedDomain } from './satellite-domains.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import { treatControl } from './satellite-treatment.ts'

/** Tags of an address that is asked without a name; `null` for none. */
export interface PlannedTags {
  readonly http: string | null
  readonly cert: string | null
  readonly asnum: number | null
  readonly asname: string | null
}

/** What the control resolvers are told about a name. */
export interface PlannedControlSet {
  readonly addresses: ReadonlySet<string>
  /** Share of the working control resolvers that get an address. */
  readonly answeredShare: number
  /** Whether a tag of an address is among those of the control's addresses. */
  shares(kind: keyof PlannedTags, address: string): boolean
  readonly hasTags: boolean
}

/** The facts. */
export interface SatelliteFacts {
  control(domain: PlannedDomain): PlannedControlSet
  tags(address: string): PlannedTags
  /** What a handshake under a name shows; `none` where nothing listens. */
  certificateAt(address: string, domain: string): 'valid' | 'invalid' | 'none'
  isContentNetwork(address: string): boolean
  /** Whether its certificate is also that of an address in a content network that somebody is sent to. */
  hasContentCertificate(address: string): boolean
  isNearlyUnreliable(resolver: string): boolean
}

/** Operators' networks come first, look-alikes last. */
const CONTENT_NUMBERS: ReadonlySet<number> = new Set(
  CONTENT_NETWORKS.map(({ asn }) => asn).filter((asn) => asn < 64_000 || asn > 66_000),
)

/** Prepares the facts. */
export function createSatelliteFacts(plan: SatellitePlan): SatelliteFacts {
  const groups = new Map(plan.groups.flatMap((group) => group.addresses.map((address) => [address, group] as const)))
  const known = new Map<string, PlannedTags>()
  const tags = (address: string): PlannedTags => {
    const found = known.get(address)
    if (found !== undefined) return found
    const group = groups.get(address)
    const owner = laboratoryAddressPlan.lookup(parseIp(address) ?? new Uint8Array())
    const made: PlannedTags = {
      http: group?.fallback.page.body ?? null,
      cert: group?.fallback.certificate.id ?? null,
      asnum: owner?.asn ?? null,
      asname: owner?.asName ?? null,
    }
    known.set(address, made)
    return made
  }
  const controls = new Map(plan.domains.map((domain) => [domain.name, makeControlSet(plan, domain, tags)]))
  const isContentNetwork = (address: string): boolean => CONTENT_NUMBERS.has(tags(address).asnum ?? -1)
  const contentCertificates = new Set(
    [...groups.keys()].filter(isContentNetwork).flatMap((address) => tags(address).cert ?? []),
  )
  const nearly = new Set(
    plan.resolvers.flatMap(({ address, character }) =>
      character.kind === 'unreliable' && character.percent === 70 ? [address] : [],
    ),
  )
  return {
    tags,
    control: (domain) => controls.get(domain.name) ?? makeControlSet(plan, domain, tags),
    certificateAt: (address, domain) => {
      const group = groups.get(address)
      if (group === undefined) return 'none'
      const { isTrusted, names } = (group.sites.get(domain) ?? group.fallback).certificate
      return isTrusted && names.includes(domain) ? 'valid' : 'invalid'
    },
    isContentNetwork,
    hasContentCertificate: (address) => contentCertificates.has(tags(address).cert ?? ''),
    isNearlyUnreliable: (resolver) => nearly.has(resolver),
  }
}

function makeControlSet(
  plan: SatellitePlan,
  domain: PlannedDomain,
  tags: (address: string) => PlannedTags,
): PlannedControlSet {
  const working = plan.controls.filter(({ isBroken }) => !isBroken)
  const answers = working.map((control) => treatControl(plan, control, domain).datagrams[0]?.addresses ?? [])
  const addresses = new Set(answers.flat())
  const values = (kind: keyof PlannedTags): ReadonlySet<string | number> =>
    new Set([...addresses].flatMap((address) => tags(address)[kind] ?? []))
  const shared = { http: values('http'), cert: values('cert'), asnum: values('asnum'), asname: values('asname') }
  return {
    addresses,
    answeredShare: answers.filter(({ length }) => length > 0).length / working.length,
    shares: (kind, address) => {
      const value = tags(address)[kind]
      return value !== null && shared[kind].has(value)
    },
    hasTags: Object.values(shared).some(({ size }) => size > 0),
  }
}
