/**
 * Resolvers that fail so often, whatever they are asked, that they say nothing about a name.
 *
 * **Invariant**: pure; grows with resolvers, not with rows. A rate is a share of all pairs of the resolver in the scan, so
 * that one name that is really blocked makes nobody unreliable.
 *
 * Rule: docs/detectors/satellite-unreliable.md
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { parseIp } from '../core/ip-address.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { FindFetch } from './satellite-fetch-facts.ts'

/** How a resolver answered over a scan. */
export interface ResolverProfile {
  /** Pairs with a row. */
  readonly pairs: number
  /** Shares of them, 0 to 1. */
  readonly nonZeroRcode: number
  readonly privateAnswer: number
  readonly zeroAnswer: number
  readonly connectError: number
  readonly invalidCertificate: number
}

/** Profiles while they grow. */
export interface ResolverProfiles {
  /** Takes a judged row. */
  add(row: SatelliteRow, findFetch: FindFetch): void
  /** `undefined` for a resolver without rows. */
  find(resolver: string): ResolverProfile | undefined
  /** In the order in which they came. */
  resolvers(): Iterable<string>
}

/** More than this in one of three rates, and a resolver has no vote. */
const RATE_MAX = 0.75
/** Fewer pairs make no rate. */
const PAIRS_MIN = 5

const RATES = ['nonZeroRcode', 'privateAnswer', 'zeroAnswer', 'connectError', 'invalidCertificate'] as const
type Rate = (typeof RATES)[number]
/** Those that take the vote away: the others may be interference. */
const DECISIVE: readonly Rate[] = ['connectError', 'invalidCertificate', 'nonZeroRcode']

/** Begins with none. */
export function createResolverProfiles(plan: Pick<AddressPlan, 'isBogusAnswer'>): ResolverProfiles {
  const counts = new Map<string, Record<Rate | 'pairs', number>>()
  return {
    add: (row, findFetch) => {
      let count = counts.get(row.resolver)
      if (count === undefined) {
        count = { pairs: 0, nonZeroRcode: 0, privateAnswer: 0, zeroAnswer: 0, connectError: 0, invalidCertificate: 0 }
        counts.set(row.resolver, count)
      }
      count.pairs++
      for (const rate of listRates(row, findFetch, plan)) count[rate]++
    },
    find: (resolver) => {
      const count = counts.get(resolver)
      if (count === undefined) return undefined
      const share = (rate: Rate): number => count[rate] / count.pairs
      return {
        pairs: count.pairs,
        nonZeroRcode: share('nonZeroRcode'),
        privateAnswer: share('privateAnswer'),
        zeroAnswer: share('zeroAnswer'),
        connectError: share('connectError'),
        invalidCertificate: share('invalidCertificate'),
      }
    },
    resolvers: () => counts.keys(),
  }
}

/** @returns `undefined` for a resolver that may vote. */
export function detectUnreliableResolver(profile: ResolverProfile | undefined): SatelliteFinding | undefined {
  if (profile === undefined || profile.pairs < PAIRS_MIN) return undefined
  if (!DECISIVE.some((rate) => profile[rate] > RATE_MAX)) return undefined
  return {
    rule: 'resolver-unreliable',
    version: 1,
    evidence: {
      pairs: profile.pairs,
      non_zero_rcode: profile.nonZeroRcode,
      private_answer: profile.privateAnswer,
      zero_answer: profile.zeroAnswer,
      connect_error: profile.connectError,
      invalid_certificate: profile.invalidCertificate,
    },
    weights: { interference: 0, down: 0.9, ok: 0 },
  }
}

function listRates(
  row: SatelliteRow,
  findFetch: FindFetch,
  plan: Pick<AddressPlan, 'isBogusAnswer'>,
): ReadonlySet<Rate> {
  const rates = new Set<Rate>()
  const tests = row.trials.filter(({ purpose }) => purpose === 'test')
  if (tests.every(({ rcode }) => rcode === -1)) rates.add('connectError')
  if ((tests.at(-1)?.rcode ?? 0) > 0) rates.add('nonZeroRcode')
  for (const { answers } of tests) {
    for (const { address } of answers) {
      const octets = parseIp(address)
      if (octets?.every((octet) => octet === 0) === true) rates.add('zeroAnswer')
      else if (octets !== undefined && plan.isBogusAnswer(octets)) rates.add('privateAnswer')
      const certificate = findFetch(address, row.domain)?.certificate ?? null
      if (certificate !== null && !(certificate.isChainValid && certificate.isNameValid))
        rates.add('invalidCertificate')
    }
  }
  return rates
}
