/**
 * Block servers that no list knows: one address that one country's resolvers give for many unrelated names.
 *
 * **Invariant**: pure; grows with addresses and countries, not with rows: of the names of an address six are kept. Only
 * answers that share nothing with the control count.
 *
 * Rule: docs/detectors/satellite-as-of-many.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { listTestAnswers } from './satellite-test-answers.ts'
import { wilsonInterval } from './wilson-interval.ts'

/** An address that stands in for many names of one country. */
export interface BlockServer {
  /** Code of the country, or its name where nobody gave a code. */
  readonly country: string
  /** Pairs of that country with the address. */
  readonly sightings: number
  /** Pairs of all countries with the address. */
  readonly allSightings: number
  /** Share of the country in all pairs of the scan that have an answer. */
  readonly baseShare: number
}

/** Where addresses were seen, while the scan is gone through. */
export interface AddressSpread {
  /** @param sharesNothing - Whether the control answered, and nothing of the answer is in it. */
  add(row: SatelliteRow, sharesNothing: boolean): void
  /** `undefined` for an address that is no such server, as far as is known by now. */
  readonly find: (address: string) => BlockServer | undefined
}

/** More unrelated names than this. */
const NAMES_MIN = 5

interface Seen {
  /** At most one more than {@link NAMES_MIN}. */
  names: readonly string[]
  readonly countries: Map<string, number>
}

/** Begins with nothing seen. */
export function createAddressSpread(): AddressSpread {
  const addresses = new Map<string, Seen>()
  const pairs = new Map<string, number>()
  let allPairs = 0
  return {
    add: (row, sharesNothing) => {
      const country = row.location?.countryCode ?? row.location?.countryName ?? null
      const answers = new Set(listTestAnswers(row).map(({ address }) => address))
      if (country === null || answers.size === 0) return
      pairs.set(country, (pairs.get(country) ?? 0) + 1)
      allPairs++
      if (!sharesNothing) return
      const name = ownerOf(row.domain)
      for (const address of answers) {
        const seen = addresses.get(address) ?? { names: [], countries: new Map<string, number>() }
        addresses.set(address, seen)
        if (seen.names.length <= NAMES_MIN && !seen.names.includes(name)) seen.names = [...seen.names, name]
        seen.countries.set(country, (seen.countries.get(country) ?? 0) + 1)
      }
    },
    find: (address) => {
      const seen = addresses.get(address)
      if (seen === undefined || seen.names.length <= NAMES_MIN) return undefined
      const [country, sightings] = [...seen.countries].reduce(
        (most, each) => (each[1] > most[1] ? each : most),
        ['', 0],
      )
      const allSightings = [...seen.countries.values()].reduce((sum, count) => sum + count, 0)
      const baseShare = (pairs.get(country) ?? 0) / allPairs
      if (wilsonInterval(sightings, allSightings).low <= overRepresented(baseShare)) return undefined
      return { country, sightings, allSightings, baseShare }
    },
  }
}

/** Twice its part; where that is more than there is, half of the way to everything. */
function overRepresented(baseShare: number): number {
  return Math.min(2 * baseShare, (1 + baseShare) / 2)
}

/** @returns `undefined` when no answer is such a server, or the answer shares something with the control. */
export function detectAsOfMany(
  row: SatelliteRow,
  find: AddressSpread['find'],
  sharesNothing: boolean,
): SatelliteFinding | undefined {
  if (!sharesNothing) return undefined
  const found = listTestAnswers(row).flatMap(({ address }) => {
    const server = find(address)
    return server === undefined ? [] : [{ address, ...server }]
  })
  const [first] = found
  if (first === undefined) return undefined
  return {
    rule: 'as-of-many',
    version: 2,
    evidence: {
      addresses: found.map(({ address }) => address),
      country: first.country,
      names_more_than: NAMES_MIN,
      sightings: first.sightings,
      all_sightings: first.allSightings,
      base_share: first.baseShare,
    },
    weights: { interference: 0.7, down: 0, ok: 0 },
  }
}

/** Second-level labels under which countries let everybody register. */
const SHARED_LABELS: ReadonlySet<string> = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gob',
  'gov',
  'ne',
  'net',
  'or',
  'org',
])

/** The part of a name that one owner has: two labels, three below `co.uk` and the like. */
function ownerOf(domain: string): string {
  const labels = domain.replace(/\.$/, '').toLowerCase().split('.')
  const isShared = (labels.at(-1)?.length ?? 0) === 2 && SHARED_LABELS.has(labels.at(-2) ?? '')
  return labels.slice(isShared ? -3 : -2).join('.')
}
