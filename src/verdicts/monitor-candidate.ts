/**
 * Fast confirmation: something new is looked at in four rounds within half a minute before anybody is told.
 *
 * **Invariant**: pure; two resolvers of one operator are one witness.
 *
 * Specification: docs/detectors/monitor-confirmation.md
 */
import type { CandidateClass, CandidateRound, KnownUnit, MonitorCandidate } from '../model/monitor-state.ts'
import type { ClassifiedAnswer } from './monitor-classes.ts'
import { joinUnits, mergeUnits, toKnownUnit } from './monitor-profile.ts'

const ROUNDS = 4
const ROUNDS_NEEDED = 3
/** When the second, third and fourth round are due, in milliseconds after the first. */
const OFFSETS_MS = [5_000, 15_000, 30_000]
/** A candidate whose rounds were missed proves nothing. A Worker looks once a minute, and a name may have to wait a turn. */
const LIFE_MS = 300_000

/** What the rounds so far amount to. */
export type CandidateVerdict =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'diverges'; readonly operator: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'dropped' }

/** What one round shows of a class. */
export interface ClassSighting {
  readonly operators: readonly string[]
  readonly round: CandidateRound
  readonly units: Readonly<Record<string, KnownUnit>>
}

/** Who shows a class in a round, and with which values. */
export function sightClass(
  subject: CandidateClass,
  answers: readonly ClassifiedAnswer[],
  nowMs: number,
): ClassSighting {
  const answered = answers.filter((each) => each.class !== 'K6')
  const showing = answered.filter((each) => each.class === subject || each.units.some((unit) => unit.class === subject))
  const operators = [...new Set(showing.map(({ answer }) => answer.operator))].toSorted()
  const units = showing.flatMap(({ answer, units: all }) =>
    all
      .filter((each) => each.class === subject)
      .map(({ unit }) => ({ [unit.text]: toKnownUnit(unit, answer.resolver, nowMs) })),
  )
  const isOnAll = showing.length > 0 && showing.length === answered.length
  // With one operator the round names it, so that a divergence can be told from a change.
  const resolvers = operators.length === 1 ? operators : showing.map(({ answer }) => answer.resolver)
  return { operators, round: { resolvers, operators: operators.length, isOnAll }, units: joinUnits(units) }
}

/** Adds a round to a candidate, or begins one. */
export function addCandidateRound(
  before: MonitorCandidate | undefined,
  subject: CandidateClass,
  sighting: ClassSighting,
  nowMs: number,
): MonitorCandidate {
  if (before === undefined)
    return { class: subject, startedAtMs: nowMs, rounds: [sighting.round], units: sighting.units }
  return { ...before, rounds: [...before.rounds, sighting.round], units: mergeUnits(before.units, sighting.units) }
}

/** Judges the rounds of a candidate. */
export function judgeCandidate({ rounds, startedAtMs }: MonitorCandidate, nowMs: number): CandidateVerdict {
  if (rounds.filter(({ operators }) => operators >= 2).length >= ROUNDS_NEEDED) return { kind: 'confirmed' }
  const single = rounds.filter(({ operators }) => operators === 1).map(({ resolvers }) => resolvers[0] ?? '')
  const operator = single.find((name) => single.filter((other) => other === name).length >= ROUNDS_NEEDED)
  if (operator !== undefined) return { kind: 'diverges', operator }
  return rounds.length >= ROUNDS || nowMs - startedAtMs > LIFE_MS ? { kind: 'dropped' } : { kind: 'open' }
}

/** When the next confirming round is due, Unix milliseconds; `null` when nothing is being confirmed. */
export function nextConfirmationAt(candidates: readonly MonitorCandidate[]): number | null {
  const due = candidates.flatMap(({ startedAtMs, rounds }) => {
    const offsetMs = OFFSETS_MS[rounds.length - 1]
    return offsetMs === undefined ? [] : [startedAtMs + offsetMs]
  })
  return due.length === 0 ? null : Math.min(...due)
}
