/**
 * What the findings of one pair amount to.
 *
 * **Invariant**: pure. A valid certificate for the domain undoes what an address was suspected of, and nothing undoes a second,
 * different response. What two explanations share equally stays unconfirmed.
 *
 * Rule: docs/detectors/satellite-judgement.md
 */
import type {
  SatelliteFinding,
  SatelliteJudgement,
  SatelliteRule,
  SatelliteWeights,
} from '../model/satellite-finding.ts'

/** Less than this is no explanation. */
const SCORE_MIN = 0.4

/** Seen on the path, whatever stands at the address. */
const TAMPERING: ReadonlySet<SatelliteRule> = new Set<SatelliteRule>(['injected-response', 'answer-from-non-resolver'])

/** How much all findings together speak for each explanation, 0 to 1: as if they were independent. */
export function combineWeights(findings: readonly SatelliteFinding[]): SatelliteWeights {
  const isProven = findings.some(({ rule }) => rule === 'tls-valid-for-domain')
  const isTampered = findings.some(({ rule }) => TAMPERING.has(rule))
  const combine = (explanation: keyof SatelliteWeights): number =>
    1 -
    findings.reduce((left, { rule, weights }) => left * (1 - (counts(rule, explanation) ? weights[explanation] : 0)), 1)
  const counts = (rule: SatelliteRule, explanation: keyof SatelliteWeights): boolean => {
    // The address that came may well be right: that it was injected is the point.
    if (explanation === 'ok') return !isTampered
    return explanation === 'down' || TAMPERING.has(rule) || !isProven
  }
  return { interference: combine('interference'), down: combine('down'), ok: combine('ok') }
}

/** The explanation that stands out. */
export function judgeFindings(findings: readonly SatelliteFinding[]): SatelliteJudgement {
  if (findings.some(({ rule }) => rule === 'resolver-unreliable')) return 'no_vote'
  const scores = combineWeights(findings)
  const [best, second] = (['interference', 'down', 'ok'] as const).toSorted((a, b) => scores[b] - scores[a])
  if (best === undefined || second === undefined || scores[best] < SCORE_MIN || scores[best] === scores[second])
    return 'unconfirmed'
  return best
}
