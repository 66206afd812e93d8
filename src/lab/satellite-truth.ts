/**
 * What is true about every pair of the satellite world: which rules have to say something, and what the published booleans
 * are, mistakes included. Made of the plan alone, with definitions of its own.
 *
 * Invariant: no result of a measurement is read here.
 */
import { BLOCK_SERVERS } from './satellite-block-servers.ts'
import { createSatelliteFacts, type SatelliteFacts } from './satellite-facts.ts'
import type { SatellitePlan } from './satellite-plan.ts'
import { publishedBooleans, type PublishedBooleans } from './satellite-published.ts'
import { createAddressCrowds, type AddressCrowds } from './satellite-crowds.ts'
import { listTreatedPairs, type TreatedPair } from './satellite-pairs.ts'

/** The rules that are held against the truth. */
export const SATELLITE_RULES = [
  'answer-in-control',
  'certificate-in-control',
  'page-in-control',
  'answer-as-in-control',
  'tls-valid-for-domain',
  'injected-response',
  'answer-from-non-resolver',
  'bogon-answer',
  'nxdomain-against-control',
  'failure-against-control',
  'known-block-address',
  'blockpage',
  'as-of-many',
  'cdn-by-as-number',
  'cdn-by-certificate',
  'resolver-unreliable',
] as const

/** One of them. */
export type SatelliteRuleName = (typeof SATELLITE_RULES)[number]

/** The truth about one pair. */
export interface PairTruth {
  readonly vp: string
  readonly domain: string
  /** What happens to it, in one word. */
  readonly label: string
  readonly isInterference: boolean
  /** Rules that have to find something. */
  readonly rules: readonly SatelliteRuleName[]
  /** Rules that find nothing although it looks so. */
  readonly near: readonly SatelliteRuleName[]
  readonly published: PublishedBooleans
  /** Why nobody can say what is right; `null` where it is clear. */
  readonly ambiguity: string | null
}

/** Tells the truth about all pairs. */
export function tellSatelliteTruth(plan: SatellitePlan): readonly PairTruth[] {
  const facts = createSatelliteFacts(plan)
  const pairs = listTreatedPairs(plan)
  const crowds = createAddressCrowds(pairs, facts)
  // Names to which nobody gave another address than the control are not fetched: there is nothing to find out.
  const fetched = new Set(
    pairs.flatMap(({ domain, answers }) =>
      answers.some((address) => !facts.control(domain).addresses.has(address)) ? [domain.name] : [],
    ),
  )
  const unreliable = findUnreliable(pairs, facts)
  const booleans = publishedBooleans(pairs, facts)
  return pairs.map((pair): PairTruth => {
    const rules = SATELLITE_RULES.filter((rule) => holds(rule, pair, facts, { crowds, unreliable, fetched }))
    const { ambiguity } = pair.treatment
    return {
      vp: pair.vp,
      domain: pair.domain.name,
      label: pair.treatment.label,
      isInterference: pair.treatment.isInterference,
      rules,
      near: listNear(pair, facts).filter((rule) => !rules.includes(rule)),
      published: booleans.get(pair) ?? { anomaly: false, reasons: [] },
      ambiguity:
        ambiguity ?? (crowds.isUnclear(pair) ? 'its address is neither clearly of one country nor of many' : null),
    }
  })
}

/** Resolvers whose share of one kind of failure is above three quarters. */
function findUnreliable(pairs: readonly TreatedPair[], facts: SatelliteFacts): ReadonlySet<string> {
  const THRESHOLD = 0.75
  const byResolver = Map.groupBy(pairs, ({ vp }) => vp)
  const isAbove = (own: readonly TreatedPair[], test: (pair: TreatedPair) => boolean): boolean =>
    own.filter(test).length / own.length > THRESHOLD
  return new Set(
    [...byResolver].flatMap(([vp, own]) =>
      isAbove(own, ({ rcode }) => rcode === null) ||
      isAbove(own, ({ rcode }) => (rcode ?? 0) > 0) ||
      isAbove(own, (pair) =>
        pair.answers.some((address) => facts.certificateAt(address, pair.domain.name) === 'invalid'),
      )
        ? [vp]
        : [],
    ),
  )
}

/** What only the whole scan says. */
interface ScanFacts {
  readonly crowds: AddressCrowds
  readonly unreliable: ReadonlySet<string>
  /** Names whose addresses are asked for certificates. */
  readonly fetched: ReadonlySet<string>
}

function holds(
  rule: SatelliteRuleName,
  pair: TreatedPair,
  facts: SatelliteFacts,
  { crowds, unreliable, fetched }: ScanFacts,
): boolean {
  const { answers, domain, treatment, rcode, isNonResolver } = pair
  const control = facts.control(domain)
  const some = (test: (address: string) => boolean): boolean => answers.some(test)
  switch (rule) {
    case 'answer-in-control':
      return some((address) => control.addresses.has(address))
    case 'certificate-in-control':
      return some((address) => control.shares('cert', address))
    case 'page-in-control':
      return some((address) => control.shares('http', address))
    case 'answer-as-in-control':
      return some((address) => control.shares('asnum', address))
    case 'tls-valid-for-domain':
      return fetched.has(domain.name) && some((address) => facts.certificateAt(address, domain.name) === 'valid')
    case 'injected-response':
      return treatment.label === 'injected'
    case 'answer-from-non-resolver':
      return isNonResolver && rcode !== null
    case 'bogon-answer':
      return treatment.label === 'bogus'
    case 'nxdomain-against-control':
      return rcode === 3 && !isNonResolver && control.answeredShare > 0.6
    case 'failure-against-control':
      return rcode !== 3 && !isNonResolver && answers.length === 0 && control.answeredShare > 0.6
    case 'known-block-address':
      return some((address) => address === BLOCK_SERVERS.listed || address === BLOCK_SERVERS.few)
    case 'blockpage':
      return some((address) => Object.values(BLOCK_SERVERS).includes(address))
    case 'as-of-many':
      return crowds.isOfOneCountry(pair)
    case 'cdn-by-as-number':
      return some((address) => facts.isContentNetwork(address))
    case 'cdn-by-certificate':
      return some((address) => !facts.isContentNetwork(address) && facts.hasContentCertificate(address))
    case 'resolver-unreliable':
      return unreliable.has(pair.vp)
    default:
      return rule satisfies never
  }
}

/** Rules that what happens to a pair could mislead; those that hold are left out by the caller. */
const NEAR: Readonly<Record<string, readonly SatelliteRuleName[]>> = {
  rotating: ['answer-in-control'],
  other_network: [
    'answer-in-control',
    'certificate-in-control',
    'page-in-control',
    'answer-as-in-control',
    'cdn-by-certificate',
  ],
  cache: ['answer-in-control', 'certificate-in-control', 'page-in-control', 'cdn-by-as-number'],
  other_host: [
    'certificate-in-control',
    'page-in-control',
    'blockpage',
    'as-of-many',
    'cdn-by-as-number',
    'cdn-by-certificate',
  ],
  injected: ['tls-valid-for-domain'],
  unreliable_certificate: ['tls-valid-for-domain', 'as-of-many', 'blockpage'],
  block_page: ['tls-valid-for-domain', 'known-block-address'],
  block_page_on_content: ['tls-valid-for-domain', 'known-block-address', 'answer-as-in-control'],
  block_page_for_few: ['as-of-many', 'tls-valid-for-domain'],
  late_duplicate: ['injected-response'],
  late_reordered: ['injected-response'],
  after_the_window: ['injected-response'],
  no_resolver: ['answer-from-non-resolver'],
  nearly_bogus: ['bogon-answer'],
  dead: ['nxdomain-against-control'],
  half: ['nxdomain-against-control'],
  failing: ['failure-against-control'],
}

function listNear(pair: TreatedPair, facts: SatelliteFacts): readonly SatelliteRuleName[] {
  return [
    ...(NEAR[pair.treatment.label] ?? []),
    ...(pair.domain.kind === 'private' ? (['bogon-answer'] as const) : []),
    ...(facts.isNearlyUnreliable(pair.vp) ? (['resolver-unreliable'] as const) : []),
  ]
}
