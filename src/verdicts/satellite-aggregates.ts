/**
 * What many resolvers say together: per country or autonomous system, and per name.
 *
 * **Invariant**: never a verdict from one resolver, nor from fewer than five; resolvers with one upstream count once, and one
 * without a vote does not count. Grows with groups and names, not with rows.
 *
 * Rule: docs/detectors/satellite-aggregates.md
 */
import type { SatelliteAggregate, SatelliteGroupKind } from '../model/satellite-aggregate.ts'
import type { SatelliteJudgement } from '../model/satellite-finding.ts'
import { correctBenjaminiHochberg } from './benjamini-hochberg.ts'
import { binomialTail } from './binomial-tail.ts'
import { wilsonInterval } from './wilson-interval.ts'

/** Where a resolver belongs. */
export interface ResolverGroups {
  /** `null`: not known, or the resolver does not count there. */
  readonly country: string | null
  readonly as: string | null
}

/** Counters while they grow. */
export interface SatelliteAggregates {
  /** Takes the judgement of a pair; `no_vote` is left out. */
  add(groups: ResolverGroups, domain: string, judgement: SatelliteJudgement): void
  /** In the order of kind, group and name. */
  list(): readonly SatelliteAggregate[]
}

/** Fewer are no sample. */
const RESOLVERS_MIN = 5
/** Of the pairs that are called interfered with, at most this share is expected to be chance. */
const Q_MAX = 0.05
/** Chance is never held to less: one in twenty resolvers may be misjudged by itself. */
const NULL_MIN = 0.05

const JUDGEMENTS = ['interference', 'down', 'ok', 'unconfirmed'] as const
const WIDTH = JUDGEMENTS.length

interface Counts {
  readonly kind: SatelliteGroupKind
  readonly group: string
  /** Four counters for each name. */
  counters: Uint32Array
}

/** Begins with no pair. */
export function createSatelliteAggregates(): SatelliteAggregates {
  const names = new Map<string, number>()
  const groups = new Map<string, Counts>()
  const count = (kind: SatelliteGroupKind, group: string, name: number, judgement: number): void => {
    const key = `${kind} ${group}`
    const counts = groups.get(key) ?? { kind, group, counters: new Uint32Array(0) }
    groups.set(key, counts)
    const at = name * WIDTH + judgement
    if (at >= counts.counters.length) counts.counters = grow(counts.counters, (names.size + 1) * WIDTH)
    counts.counters[at] = (counts.counters[at] ?? 0) + 1
  }
  return {
    add: ({ country, as }, domain, judgement) => {
      if (judgement === 'no_vote') return
      const name = names.get(domain) ?? names.size
      names.set(domain, name)
      const place = JUDGEMENTS.indexOf(judgement)
      if (country !== null) count('country', country, name, place)
      if (as !== null) count('as', as, name, place)
    },
    list: () => judge(listCounted([...names.keys()], [...groups.values()])),
  }
}

function grow(counters: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(Math.max(length, counters.length * 2))
  larger.set(counters)
  return larger
}

type Counted = Pick<
  SatelliteAggregate,
  'kind' | 'group' | 'domain' | 'resolvers' | 'interference' | 'down' | 'ok' | 'unconfirmed'
>

function listCounted(names: readonly string[], groups: readonly Counts[]): readonly Counted[] {
  const listed: Counted[] = []
  const order = names.map((domain, index) => ({ domain, index })).toSorted((a, b) => compare(a.domain, b.domain))
  const inOrder = groups.toSorted((a, b) => compare(b.kind, a.kind) || compare(a.group, b.group))
  for (const { kind, group, counters } of inOrder) {
    for (const { domain, index } of order) {
      const [interference = 0, down = 0, ok = 0, unconfirmed = 0] = counters.subarray(
        index * WIDTH,
        (index + 1) * WIDTH,
      )
      const resolvers = interference + down + ok + unconfirmed
      // Systems are many, and most have a resolver or two: of them only samples are listed.
      if (resolvers === 0 || (kind === 'as' && resolvers < RESOLVERS_MIN)) continue
      listed.push({ kind, group, domain, resolvers, interference, down, ok, unconfirmed })
    }
  }
  return listed
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function judge(counted: readonly Counted[]): readonly SatelliteAggregate[] {
  const shares = sortShares(counted)
  const tested = counted.map((each) => {
    if (each.resolvers < RESOLVERS_MIN) return { ...each, nullShare: null, pValue: null }
    const nullShare = Math.max(NULL_MIN, medianOfOthers(shares.get(keyOf(each)) ?? [], shareOf(each)))
    return { ...each, nullShare, pValue: binomialTail(each.interference, each.resolvers, nullShare) }
  })
  const qValues = correctBenjaminiHochberg(tested.flatMap(({ pValue }) => pValue ?? []))
  let next = 0
  return tested.map((each) => {
    if (each.pValue === null)
      return { ...each, share: null, low: null, high: null, qValue: null, verdict: 'too_few' as const }
    const qValue = qValues[next++] ?? 1
    const verdict = qValue <= Q_MAX ? ('interference' as const) : ('not_shown' as const)
    return { ...each, share: shareOf(each), ...wilsonInterval(each.interference, each.resolvers), qValue, verdict }
  })
}

function shareOf({ interference, resolvers }: Counted): number {
  return interference / resolvers
}

/** Countries are held to countries, systems to systems. */
function keyOf({ kind, domain }: Counted): string {
  return `${kind} ${domain}`
}

/** Shares of each name over all groups with enough resolvers, smallest first. */
function sortShares(counted: readonly Counted[]): ReadonlyMap<string, readonly number[]> {
  const byKey = new Map<string, number[]>()
  for (const each of counted) {
    if (each.resolvers < RESOLVERS_MIN) continue
    const shares = byKey.get(keyOf(each)) ?? []
    byKey.set(keyOf(each), shares)
    shares.push(shareOf(each))
  }
  for (const shares of byKey.values()) shares.sort((a, b) => a - b)
  return byKey
}

/** The median of a sorted list without one of its values (the lower one of two); 0 when nothing is left. */
function medianOfOthers(shares: readonly number[], own: number): number {
  const place = shares.indexOf(own)
  const middle = Math.floor((shares.length - 2) / 2)
  if (middle < 0) return 0
  return shares[middle < place ? middle : middle + 1] ?? 0
}
