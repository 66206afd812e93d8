/**
 * The resolvers of the satellite world: where they are, what they are called, how they behave, and who must be left out.
 *
 * Invariant: the same seed and number give the same resolvers. Their order says nothing about their behaviour.
 */
import { createSeededRandom, shuffle } from '../core/random.ts'
import { ACCESS_COUNTRIES, ACCESS_NETWORKS_PER_COUNTRY, SITE_BLOCKS } from './lab-address-plan.ts'

/** How a resolver behaves whatever its country does: as it should, or failing for so many names in a hundred. */
export type ResolverCharacter =
  | { readonly kind: 'ordinary' }
  | { readonly kind: 'unreliable'; readonly by: 'time_out' | 'rcode' | 'certificate'; readonly percent: 70 | 80 }

/** A resolver that is measured. */
export interface PlannedResolver {
  readonly address: string
  readonly country: string
  readonly name: string
  readonly character: ResolverCharacter
  /** Who asks the authorities on its behalf. */
  readonly upstream: string
}

/**
 * Why an address of the list is no resolver that may be measured; `control_fails` passes the filter and its own test
 * afterwards does not.
 */
export type CandidateKind =
  | 'without_ptr'
  | 'other_ptr'
  | 'access_line_ptr'
  | 'wrong_probe_answer'
  | 'no_recursion'
  | 'silent'
  | 'liveness_fails'
  | 'blocklisted'
  | 'opted_out_address'
  | 'opted_out_ptr'

/** An address of the list that has to go. */
export interface PlannedCandidate {
  readonly address: string
  readonly kind: CandidateKind
  /** Its PTR record; `null` for none. */
  readonly name: string | null
}

/** A control resolver. */
export interface PlannedControl {
  readonly address: string
  readonly name: string
  /** Whether everything it is asked fails. */
  readonly isBroken: boolean
  /** Whether it is one of those for which half-broken names work. */
  readonly seesHalf: boolean
}

/** Everybody who is asked. */
export interface PlannedResolvers {
  readonly resolvers: readonly PlannedResolver[]
  readonly candidates: readonly PlannedCandidate[]
  readonly controls: readonly PlannedControl[]
  /** Addresses that are no resolvers. */
  readonly nonResolvers: readonly string[]
}

/** Each country has a mechanism of its own; the last four have none and are clean. */
export type Mechanism =
  | 'block_page'
  | 'injection'
  | 'bogus'
  | 'nxdomain'
  | 'failure'
  | 'block_page_on_content'
  | 'other_host'
  | 'other_network'
  | 'caches'
  | 'late'

const MECHANISMS: readonly Mechanism[] = [
  'block_page',
  'injection',
  'bogus',
  'nxdomain',
  'failure',
  'block_page_on_content',
  'other_host',
  'other_network',
  'caches',
  'late',
]
/** What the resolvers at the beginning of the plan's last countries are. */
const UNRELIABLE = (['time_out', 'rcode', 'certificate'] as const).flatMap((by) =>
  ([80, 70] as const).map((percent) => ({ kind: 'unreliable' as const, by, percent })),
)
const FIRST_CLEAN_COUNTRY = 6
const SUBNETS = 3
const NETWORKS = ACCESS_COUNTRIES.length * ACCESS_NETWORKS_PER_COUNTRY
/** Third octets of 198.18/16, plus the number of the network; each is a multiple of the number of networks. */
const THIRD = { candidates: 100, injected: 140, upstreams: 160 } as const
const CANDIDATE_KINDS: readonly CandidateKind[] = [
  'without_ptr',
  'other_ptr',
  'access_line_ptr',
  'wrong_probe_answer',
  'no_recursion',
  'silent',
  'liveness_fails',
  'blocklisted',
  'opted_out_address',
  'opted_out_ptr',
]
const OPERATORS = 5
const ADDRESSES_PER_OPERATOR = 2
const NON_RESOLVERS = 4
/** Of so many neighbours the first two share an upstream. */
const NEIGHBOURS = 4

/** What a country does to censored names, or what its resolvers are known for. */
export function mechanismOf(country: string): Mechanism {
  return MECHANISMS[ACCESS_COUNTRIES.indexOf(country)] ?? 'late'
}

/** Plans who is asked. */
export function planResolvers(seed: string, count: number): PlannedResolvers {
  const random = createSeededRandom(`resolvers ${seed}`)
  const characters = [...UNRELIABLE]
  const resolvers = Array.from({ length: count }, (_, index): PlannedResolver => {
    const countryIndex = index % ACCESS_COUNTRIES.length
    const turn = Math.floor(index / ACCESS_COUNTRIES.length)
    const network = countryIndex * ACCESS_NETWORKS_PER_COUNTRY + (turn % ACCESS_NETWORKS_PER_COUNTRY)
    const host = Math.floor(turn / ACCESS_NETWORKS_PER_COUNTRY)
    const country = ACCESS_COUNTRIES[countryIndex] ?? ''
    const character = countryIndex >= FIRST_CLEAN_COUNTRY ? characters.shift() : undefined
    return {
      address: `198.18.${network + NETWORKS * (host % SUBNETS)}.${1 + host}`,
      country,
      name: `ns${1 + host}.isp-${network}.test`,
      character: character ?? { kind: 'ordinary' },
      upstream: `198.18.${THIRD.upstreams + network}.${1 + (host % NEIGHBOURS === 1 ? host - 1 : host)}`,
    }
  })
  const perKind = Math.max(1, Math.round(count / 20))
  const candidates = CANDIDATE_KINDS.flatMap((kind, kindIndex) =>
    Array.from({ length: perKind }, (_, place): PlannedCandidate => {
      const network = (kindIndex + place) % NETWORKS
      return { kind, ...planCandidate(kind, network, 10 + kindIndex * perKind + place) }
    }),
  )
  return {
    resolvers: shuffle(random, resolvers),
    candidates: shuffle(random, candidates),
    controls: planControls(),
    nonResolvers: Array.from(
      { length: NON_RESOLVERS },
      (_, place) =>
        `198.18.${THIRD.injected + ACCESS_NETWORKS_PER_COUNTRY * MECHANISMS.indexOf('injection')}.${20 + place}`,
    ),
  }
}

function planCandidate(kind: CandidateKind, network: number, host: number): Pick<PlannedCandidate, 'address' | 'name'> {
  const address = `198.18.${THIRD.candidates + network}.${host}`
  const names: Partial<Record<CandidateKind, string | null>> = {
    without_ptr: null,
    other_ptr: `router-${host}.isp-${network}.test`,
    access_line_ptr: `ns1.dsl-${host}.dynamic.isp-${network}.test`,
    opted_out_ptr: `ns${host}.please-do-not.test`,
  }
  const name = names[kind]
  return { address, name: name === undefined ? `ns${host}.isp-${network}.test` : name }
}

function planControls(): readonly PlannedControl[] {
  return Array.from({ length: OPERATORS * ADDRESSES_PER_OPERATOR }, (_, index) => {
    const operator = index % OPERATORS
    return {
      address: `198.19.${SITE_BLOCKS.control + operator}.${53 + Math.floor(index / OPERATORS)}`,
      name: `ns${1 + Math.floor(index / OPERATORS)}.operator-${operator}.test`,
      isBroken: operator === OPERATORS - 1,
      seesHalf: operator % 2 === 0,
    }
  })
}
