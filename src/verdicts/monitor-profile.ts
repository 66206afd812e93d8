/**
 * The profile of a name: what is learned from a round, and what is forgotten.
 *
 * **Invariant**: pure. A failed or empty round changes no value; the number of values is bounded.
 *
 * Specification: docs/detectors/monitor-profile.md
 */
import type { AnswerUnit, MonitorRound, ResolverAnswer } from '../model/monitor-round.ts'
import type {
  KnownItem,
  KnownUnit,
  ModeCounters,
  MonitorProfile,
  MonitorState,
  TtlRange,
} from '../model/monitor-state.ts'
import type { ObservedMode } from '../model/monitor-view.ts'
import type { ClassifiedAnswer } from './monitor-classes.ts'

/** So many rounds and so much time make a profile. */
const LEARNING_ROUNDS = 60
const LEARNING_MS = 4 * 3_600_000
const DAY_MS = 86_400_000
const UNIT_LIFE_MS = 30 * DAY_MS
const ASN_LIFE_MS = 90 * DAY_MS
/** Rounds until a new prefix in a known AS is known. */
const PREFIX_ROUNDS = 3
/** A content network has some hundred addresses for a name; beyond this the longest unseen is forgotten first. */
const UNITS_MAX = 2_000
/** Counters are halved here: two days at a round a minute. */
const COUNTED_ROUNDS_MAX = 2_880
/** Caches count TTLs down; the highest of an hour's rounds is near the real one. */
const TTL_ROUNDS = 60
const TTL_FALL = 10

/** The state of a name that was never asked for. */
export function createMonitorState(): MonitorState {
  const counters: ModeCounters = { rounds: 0, agreed: 0, answers: 0, changed: 0, newest: {} }
  const profile: MonitorProfile = {
    baselineAtMs: null,
    rounds: 0,
    isImported: false,
    units: {},
    asns: {},
    newPrefixes: {},
    ttl: null,
    counters,
  }
  return { profile, candidates: [], incidents: [], failedRounds: 0 }
}

/** Whether the profile is too young to say what is new. */
export function isLearning({ isImported, rounds, baselineAtMs }: MonitorProfile, nowMs: number): boolean {
  if (isImported) return false
  return baselineAtMs === null || rounds < LEARNING_ROUNDS || nowMs - baselineAtMs < LEARNING_MS
}

/** Takes the first round as what is normal. An impossible address counts only where every resolver gives it. */
export function startProfile(profile: MonitorProfile, round: MonitorRound): MonitorProfile {
  const answered = round.answers.filter(({ outcome }) => outcome === 'answer')
  const isEverywhere = (unit: AnswerUnit): boolean =>
    answered.every(({ units }) => units.some(({ text }) => text === unit.text))
  const seen = answered.flatMap(({ resolver, units }) =>
    units
      .filter((unit) => !unit.isBogus || isEverywhere(unit))
      .map((unit) => ({ [unit.text]: toKnownUnit(unit, resolver, round.atMs) })),
  )
  return learnUnits({ ...profile, baselineAtMs: round.atMs }, joinUnits(seen))
}

/** Values that were seen several times as one set. */
export function joinUnits(seen: readonly Readonly<Record<string, KnownUnit>>[]): Readonly<Record<string, KnownUnit>> {
  return seen.reduce((joined, units) => mergeUnits(joined, units), {})
}

/** What is remembered of a value that one resolver gave. */
export function toKnownUnit({ asn, prefix, country, zone }: AnswerUnit, resolver: string, nowMs: number): KnownUnit {
  return { firstSeenMs: nowMs, lastSeenMs: nowMs, resolvers: [resolver], asn, prefix, country, zone }
}

/** Adds values to the known ones; those that are known are seen again. */
export function learnUnits(profile: MonitorProfile, learned: Readonly<Record<string, KnownUnit>>): MonitorProfile {
  const units = mergeUnits(profile.units, learned)
  const asns = { ...profile.asns }
  for (const unit of Object.values(learned)) {
    if (unit.asn !== null) asns[`AS${unit.asn}`] = mergeItems(asns[`AS${unit.asn}`], unit)
  }
  return { ...profile, units, asns }
}

/** Two sets of values as one. */
export function mergeUnits(
  known: Readonly<Record<string, KnownUnit>>,
  more: Readonly<Record<string, KnownUnit>>,
): Readonly<Record<string, KnownUnit>> {
  const merged = { ...known }
  for (const [text, unit] of Object.entries(more)) merged[text] = { ...unit, ...mergeItems(known[text], unit) }
  return merged
}

function mergeItems(known: KnownItem | undefined, seen: KnownItem): KnownItem {
  const { firstSeenMs, lastSeenMs, resolvers } = seen
  if (known === undefined) return { firstSeenMs, lastSeenMs, resolvers }
  const all = resolvers.every((name) => known.resolvers.includes(name))
    ? known.resolvers
    : [...new Set([...known.resolvers, ...resolvers])]
  return { firstSeenMs: known.firstSeenMs, lastSeenMs: Math.max(known.lastSeenMs, lastSeenMs), resolvers: all }
}

/** What a round taught. */
export interface LearnedRound {
  readonly profile: MonitorProfile
  /** Prefixes that became known with this round. */
  readonly newPrefixes: readonly string[]
  /** The highest TTL before and now, in seconds, when it fell tenfold; `null` otherwise. */
  readonly ttlFall: { readonly from: number; readonly to: number } | null
}

/** Learns what a round shows and needs no confirmation: known values, K1, and K2 in its third round. */
export function learnRound(
  profile: MonitorProfile,
  round: MonitorRound,
  answers: readonly ClassifiedAnswer[],
): LearnedRound {
  const known = answers.flatMap(({ answer, units }) =>
    units
      .filter((each) => each.class === 'K0' || each.class === 'K1')
      .map(({ unit }) => ({ [unit.text]: toKnownUnit(unit, answer.resolver, round.atMs) })),
  )
  const fresh = answers.flatMap(({ answer, units }) =>
    units.filter((each) => each.class === 'K2').map(({ unit }) => ({ unit, resolver: answer.resolver })),
  )
  const counts = { ...profile.newPrefixes }
  for (const prefix of new Set(fresh.map(({ unit }) => unit.prefix ?? ''))) counts[prefix] = (counts[prefix] ?? 0) + 1
  const ripe = Object.keys(counts).filter((prefix) => (counts[prefix] ?? 0) >= PREFIX_ROUNDS)
  for (const prefix of ripe) delete counts[prefix]
  const ripened = fresh
    .filter(({ unit }) => ripe.includes(unit.prefix ?? ''))
    .map(({ unit, resolver }) => ({ [unit.text]: toKnownUnit(unit, resolver, round.atMs) }))
  const { ttl, fall } = watchTtl(profile.ttl, round.answers)
  const learned = learnUnits({ ...profile, newPrefixes: boundCounts(counts), ttl }, joinUnits([...known, ...ripened]))
  const rounds = learned.rounds + (round.isConfirmation ? 0 : 1)
  const counters = round.isConfirmation ? profile.counters : countRound(profile.counters, round.answers)
  return {
    profile: forget({ ...learned, rounds, counters }, round.atMs),
    newPrefixes: ripe.filter((prefix) => fresh.some(({ unit }) => unit.prefix === prefix)),
    ttlFall: fall,
  }
}

function boundCounts(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).slice(-UNITS_MAX))
}

function forget(profile: MonitorProfile, nowMs: number): MonitorProfile {
  const units = Object.entries(profile.units)
  const kept = units.filter(([, { lastSeenMs }]) => nowMs - lastSeenMs <= UNIT_LIFE_MS)
  const asns = Object.entries(profile.asns).filter(([, { lastSeenMs }]) => nowMs - lastSeenMs <= ASN_LIFE_MS)
  const newest =
    kept.length <= UNITS_MAX ? kept : kept.toSorted(([, a], [, b]) => b.lastSeenMs - a.lastSeenMs).slice(0, UNITS_MAX)
  return { ...profile, units: Object.fromEntries(newest), asns: Object.fromEntries(asns) }
}

function watchTtl(
  range: TtlRange | null,
  answers: readonly ResolverAnswer[],
): { readonly ttl: TtlRange | null; readonly fall: LearnedRound['ttlFall'] } {
  const ttls = answers.flatMap(({ ttlSeconds }) => ttlSeconds ?? [])
  if (ttls.length === 0) return { ttl: range, fall: null }
  const [low, high] = [Math.min(...ttls), Math.max(...ttls)]
  if (range === null) return { ttl: { min: low, max: high, recentMax: high, recentRounds: 1 }, fall: null }
  const recentMax = Math.max(range.recentMax, high)
  const recentRounds = range.recentRounds + 1
  const grown = { min: Math.min(range.min, low), max: Math.max(range.max, high) }
  if (recentRounds < TTL_ROUNDS) return { ttl: { ...grown, recentMax, recentRounds }, fall: null }
  const hasFallen = recentMax * TTL_FALL <= grown.max
  const max = hasFallen ? recentMax : grown.max
  return {
    ttl: { min: grown.min, max, recentMax: 0, recentRounds: 0 },
    fall: hasFallen ? { from: grown.max, to: recentMax } : null,
  }
}

function countRound(counters: ModeCounters, answers: readonly ResolverAnswer[]): ModeCounters {
  const given = answers.filter(({ outcome }) => outcome === 'answer')
  if (given.length === 0) return counters
  const texts = given.map(({ resolver, units }) => [resolver, units.map(({ text }) => text).join(',')] as const)
  const changed = texts.filter(([resolver, text]) => (counters.newest[resolver] ?? text) !== text).length
  const agrees = new Set(texts.map(([, text]) => text)).size === 1
  const share = counters.rounds >= COUNTED_ROUNDS_MAX ? 0.5 : 1
  return {
    rounds: counters.rounds * share + 1,
    agreed: counters.agreed * share + (agrees ? 1 : 0),
    answers: counters.answers * share + given.length,
    changed: counters.changed * share + changed,
    newest: { ...counters.newest, ...Object.fromEntries(texts) },
  }
}

/** Fewer rounds say nothing. */
const ROUNDS_MIN = 20
/** A name that changes its provider once is still static. */
const RARE = 0.02

/** Judges the counters of a profile. */
export function observeMode({ counters, asns }: MonitorProfile): ObservedMode {
  const { rounds, agreed, answers, changed } = counters
  if (rounds < ROUNDS_MIN) return 'unknown'
  if (changed / answers < RARE) return agreed / rounds >= 1 - RARE ? 'static' : 'geographic'
  return Object.keys(asns).length > 1 ? 'multi_cdn' : 'rotating'
}
