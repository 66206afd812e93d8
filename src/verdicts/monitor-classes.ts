/**
 * The class of a value, an answer and a round: K0 (all known) to K6 (no answer).
 *
 * **Invariant**: pure; classes follow from the profile and the expected values alone, never from the order of resolvers.
 *
 * Specification: docs/detectors/monitor-classes.md
 */
import { parseIp, parsePrefix, prefixContains } from '../core/ip-address.ts'
import type { ExpectedValue, MonitoredName } from '../model/monitor-name.ts'
import type { AnswerUnit, ResolverAnswer } from '../model/monitor-round.ts'
import type { MonitorClass, MonitorProfile } from '../model/monitor-state.ts'

/** Mildest first. No answer says nothing about values, so it weighs less than something new. */
const ORDER: readonly MonitorClass[] = ['K0', 'K6', 'K1', 'K2', 'K3', 'K5', 'K4']

/** What of the profile is looked up often. */
export interface ProfileIndex {
  readonly profile: MonitorProfile
  readonly prefixes: ReadonlySet<string>
}

/** An answer with the class of each of its values. */
export interface ClassifiedAnswer {
  readonly answer: ResolverAnswer
  readonly class: MonitorClass
  readonly units: readonly { readonly unit: AnswerUnit; readonly class: MonitorClass }[]
}

/** Prepares a profile for looking up. */
export function indexProfile(profile: MonitorProfile): ProfileIndex {
  return { profile, prefixes: new Set(Object.values(profile.units).flatMap(({ prefix }) => prefix ?? [])) }
}

/** Classifies an answer: by the worst of its values. */
export function classifyAnswer(
  answer: ResolverAnswer,
  index: ProfileIndex,
  monitored: MonitoredName,
  nowMs: number,
): ClassifiedAnswer {
  const units = answer.units.map((unit) => ({ unit, class: classifyUnit(unit, index, monitored, nowMs) }))
  switch (answer.outcome) {
    case 'servfail':
    case 'failure':
      return { answer, class: 'K6', units }
    case 'nxdomain':
    case 'nodata':
      return { answer, class: hasKnownValue(index, monitored) ? 'K5' : 'K0', units }
    case 'answer':
      return { answer, class: worstClass(units.map((each) => each.class)), units }
  }
}

/** The worst of some classes; K0 of none. */
export function worstClass(classes: readonly MonitorClass[]): MonitorClass {
  return classes.reduce((worst, each) => (ORDER.indexOf(each) > ORDER.indexOf(worst) ? each : worst), 'K0')
}

/** The class of a round: the worst of its answers; K6 when no resolver answered. */
export function classifyRound(answers: readonly ClassifiedAnswer[]): MonitorClass {
  const answered = answers.filter((answer) => answer.class !== 'K6')
  return answered.length === 0 ? 'K6' : worstClass(answered.map((answer) => answer.class))
}

/** Whether one of the expected values that hold now covers a value. */
export function isExpected(unit: AnswerUnit, expected: readonly ExpectedValue[], nowMs: number): boolean {
  const current = expected.filter(({ span }) => span === null || (span.fromMs <= nowMs && nowMs < span.untilMs))
  // A record set is expected when each of its records is.
  return (
    current.some(({ text }) => covers(unit, text)) ||
    (unit.prefix === null && unit.text.split('\n').every((line) => current.some(({ text }) => isSameText(text, line))))
  )
}

/** Names have no case, and people write them with a dot at the end or without; quoted text is as it is. */
function isSameText(written: string, line: string): boolean {
  if (written === line) return true
  return !line.includes('"') && written.toLowerCase().replaceAll(/\.(?=\s|$)/g, '') === line
}

function covers(unit: AnswerUnit, text: string): boolean {
  if (text === unit.text || (unit.asn !== null && text === `AS${unit.asn}`)) return true
  const octets = parseIp(unit.text)
  const prefix = octets === undefined ? undefined : parsePrefix(text)
  return octets !== undefined && prefix !== undefined && prefixContains(prefix, octets)
}

function classifyUnit(
  unit: AnswerUnit,
  { profile, prefixes }: ProfileIndex,
  name: MonitoredName,
  nowMs: number,
): MonitorClass {
  if (isExpected(unit, name.expect, nowMs)) return 'K0'
  if (name.mode === 'auto') {
    if (profile.units[unit.text] !== undefined || isExpected(unit, name.approve, nowMs)) return 'K0'
  }
  if (unit.isBogus) return 'K4'
  if (name.mode === 'pin' || unit.prefix === null) return 'K3'
  if (prefixes.has(unit.prefix)) return 'K1'
  return unit.asn !== null && profile.asns[`AS${unit.asn}`] !== undefined ? 'K2' : 'K3'
}

function hasKnownValue({ profile }: ProfileIndex, { mode, expect }: MonitoredName): boolean {
  return mode === 'pin' ? expect.length > 0 : Object.keys(profile.units).length > 0 || expect.length > 0
}
