/**
 * How risky a new address is: a sum of weights, each with its reason, and what to do about it.
 *
 * **Invariant**: pure; what was not looked up adds nothing. A list contains an address by its prefix, bit by bit.
 *
 * Specification: docs/detectors/monitor-risk.md
 */
import { parseIp, parsePrefix, prefixContains } from '../core/ip-address.ts'
import type { AnswerUnit } from '../model/monitor-round.ts'
import type { MonitorProfile } from '../model/monitor-state.ts'

/** Someone else's list of bad addresses. */
export interface ReputationList {
  readonly name: string
  readonly category: string
  /** `192.0.2.0/24`, … */
  readonly prefixes: readonly string[]
}

/** What was found out about an address beside its value. */
export interface AddressFindings {
  /** `missing`: looked up, and there is none. */
  readonly ptr: 'found' | 'missing' | 'not_looked_up'
  readonly lists: readonly ReputationList[]
  /** Lists that were asked already, and have it. */
  readonly hits?: readonly { readonly list: string; readonly category: string }[]
  /** ISO 3166; none without it. */
  readonly highRiskCountries?: readonly string[]
}

/** A judged address. */
export interface AddressRisk {
  /** Sum of the weights, from 0. */
  readonly score: number
  readonly level: 'low' | 'medium' | 'high' | 'critical'
  readonly reasons: readonly string[]
  readonly recommendation: string
}

const WEIGHTS = { malicious: 50, newCountry: 20, highRiskCountry: 30, newAs: 15, missingPtr: 25, bogus: 50 }
const LEVELS = [
  { from: 80, level: 'critical' },
  { from: 50, level: 'high' },
  { from: 25, level: 'medium' },
  { from: 0, level: 'low' },
] as const

/** Judges an address against the profile of its name. */
export function assessRisk(unit: AnswerUnit, profile: MonitorProfile, findings: AddressFindings): AddressRisk {
  const { ptr, lists, highRiskCountries = [] } = findings
  const countries = new Set(Object.values(profile.units).map(({ country }) => country))
  const own = lists.filter((list) => isListed(unit.text, list)).map(({ name, category }) => ({ list: name, category }))
  const hits = [...own, ...(findings.hits ?? [])]
  const isKnown = profile.units[unit.text] !== undefined
  const isNewAs = !isKnown && unit.asn !== null && profile.asns[`AS${unit.asn}`] === undefined
  const isNewCountry =
    !isKnown && unit.country !== null && profile.baselineAtMs !== null && !countries.has(unit.country)
  const parts: readonly (readonly [number, string])[] = [
    ...hits.map(({ list, category }) => [WEIGHTS.malicious, `listed by ${list} as ${category}`] as const),
    ...(unit.isBogus ? [[WEIGHTS.bogus, 'a private, reserved or sinkhole address'] as const] : []),
    ...(isNewCountry ? [[WEIGHTS.newCountry, `a country that is new for the name: ${unit.country}`] as const] : []),
    ...(unit.country !== null && highRiskCountries.includes(unit.country)
      ? [[WEIGHTS.highRiskCountry, `a country of high risk: ${unit.country}`] as const]
      : []),
    ...(isNewAs && profile.baselineAtMs !== null
      ? [[WEIGHTS.newAs, `an AS that is new for the name: AS${unit.asn}`] as const]
      : []),
    ...(ptr === 'missing' ? [[WEIGHTS.missingPtr, 'no PTR record'] as const] : []),
  ]
  const score = parts.reduce((sum, [weight]) => sum + weight, 0)
  const level = LEVELS.find(({ from }) => score >= from)?.level ?? 'low'
  return {
    score,
    level,
    reasons: parts.map(([, reason]) => reason),
    recommendation: recommend(unit, hits.length > 0, isNewAs),
  }
}

function isListed(address: string, { prefixes }: ReputationList): boolean {
  const octets = parseIp(address)
  return prefixes.some((text) => {
    const prefix = parsePrefix(text)
    return octets !== undefined && prefix !== undefined && prefixContains(prefix, octets)
  })
}

function recommend({ isBogus, text }: AnswerUnit, isListedAnywhere: boolean, isNewAs: boolean): string {
  if (isBogus) return `ask the authoritative servers for the name: a public name does not have ${text}`
  if (isListedAnywhere)
    return `compare the change with the registrar and the zone's history before anybody uses ${text}`
  return isNewAs ? `check the certificate at ${text}, and ask the owner about a move to another provider` : 'nothing'
}
