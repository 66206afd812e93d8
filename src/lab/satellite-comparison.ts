/**
 * Holds what a satellite run found against the truth of the laboratory: precision and recall of each rule, the published
 * booleans, and what the evidence made of the pairs about which those are mistaken.
 *
 * Invariant: ambiguous pairs are not counted, and were listed before the run.
 */
import { type PairTruth, SATELLITE_RULES, type SatelliteRuleName } from './satellite-truth.ts'

/** A finding as it stands in `findings.jsonl`. */
export interface WrittenFinding {
  readonly rule: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly weights: { readonly interference: number; readonly down: number; readonly ok: number }
}

/** What a run says about one pair. */
export interface JudgedPair {
  readonly vp: string
  readonly domain: string
  readonly findings: readonly WrittenFinding[]
  /** `null` where the run has none. */
  readonly judgement: string | null
}

/** The published part of the same. */
export interface PublishedPair {
  readonly vp: string
  readonly domain: string
  readonly anomaly: boolean
  readonly reasons: readonly string[]
}

/** How it went. */
export interface SatelliteScore {
  /** For people; ends with a newline. */
  readonly text: string
  /** Whether every rule was right about every pair that counts, and every published boolean is as published. */
  readonly isPerfect: boolean
  /** Pairs about which something was wrong, a few of each kind. */
  readonly mistakes: readonly string[]
}

/** A share of control resolvers below this is no control that a failure can be held against. */
const CONTROL_SHARE_MIN = 1 / 3
const MISTAKES_SHOWN = 3
const JUDGEMENTS = ['interference', 'ok', 'down', 'unconfirmed', 'no_vote'] as const

interface RuleCount {
  truth: number
  near: number
  right: number
  wrong: number
}

/** Compares. @param judged - Pairs without any finding may be absent. */
export function compareSatellite(
  truth: readonly PairTruth[],
  judged: readonly JudgedPair[],
  published: readonly PublishedPair[],
): SatelliteScore {
  const findings = new Map(judged.map((pair) => [keyOf(pair), pair]))
  const booleans = new Map(published.map((pair) => [keyOf(pair), pair]))
  const clear = truth.filter(({ ambiguity }) => ambiguity === null)
  const mistakes: string[] = []
  const rules = SATELLITE_RULES.map((rule) => [rule, countRule(rule, clear, findings, mistakes)] as const)
  const wrongBooleans = clear.filter((pair) => !isAsPublished(pair, booleans.get(keyOf(pair))))
  for (const pair of wrongBooleans.slice(0, MISTAKES_SHOWN)) {
    const seen = booleans.get(keyOf(pair))
    mistakes.push(`published ${formatPair(pair)}: ${JSON.stringify(pair.published)} and not ${JSON.stringify(seen)}`)
  }
  const isPerfect =
    wrongBooleans.length === 0 && rules.every(([, count]) => count.right === count.truth && count.wrong === 0)
  const text = [
    formatRules(rules),
    `${clear.length - wrongBooleans.length} of ${clear.length} pairs have the published booleans; ` +
      `${truth.length - clear.length} ambiguous pairs are not counted`,
    ...formatJudgements(clear, findings),
    '',
  ].join('\n')
  return { text, isPerfect, mistakes }
}

function countRule(
  rule: SatelliteRuleName,
  pairs: readonly PairTruth[],
  findings: ReadonlyMap<string, JudgedPair>,
  mistakes: string[],
): RuleCount {
  const count: RuleCount = { truth: 0, near: 0, right: 0, wrong: 0 }
  let shown = 0
  for (const pair of pairs) {
    const isFound =
      findings.get(keyOf(pair))?.findings.some((finding) => finding.rule === rule && says(finding)) === true
    const isTrue = pair.rules.includes(rule)
    if (isTrue) count.truth++
    if (pair.near.includes(rule)) count.near++
    if (isFound && isTrue) count.right++
    if (isFound && !isTrue) count.wrong++
    if (isFound !== isTrue && shown++ < MISTAKES_SHOWN) {
      mistakes.push(`${rule} ${isFound ? 'speaks about' : 'misses'} ${formatPair(pair)}`)
    }
  }
  return count
}

/** Findings that explain an answer away, or that have no control to be held against, are no case of their rule. */
function says({ rule, evidence, weights }: WrittenFinding): boolean {
  if (rule === 'bogon-answer') return weights.interference > weights.down
  if (rule !== 'nxdomain-against-control' && rule !== 'failure-against-control') return true
  return Number(evidence['control_share_low']) > CONTROL_SHARE_MIN
}

function isAsPublished({ published }: PairTruth, seen: PublishedPair | undefined): boolean {
  if (seen === undefined) return false
  const reasons = [...new Set(seen.reasons)].toSorted()
  return seen.anomaly === published.anomaly && reasons.join(' ') === published.reasons.join(' ')
}

/** Pairs about which the published booleans are mistaken, and what the evidence says of them. */
function formatJudgements(pairs: readonly PairTruth[], findings: ReadonlyMap<string, JudgedPair>): readonly string[] {
  const judgementOf = (pair: PairTruth): string => findings.get(keyOf(pair))?.judgement ?? 'unconfirmed'
  const isAccused = ({ published }: PairTruth): boolean => published.anomaly && published.reasons.length === 0
  const mistaken = pairs.filter((pair) => isAccused(pair) !== pair.isInterference)
  const corrected = mistaken.filter((pair) => (judgementOf(pair) === 'interference') === pair.isInterference)
  const row = (title: string, which: readonly PairTruth[]): string =>
    [
      title.padEnd(24),
      ...JUDGEMENTS.map((name) => String(which.filter((pair) => judgementOf(pair) === name).length).padStart(13)),
    ].join('')
  return [
    `the published booleans are mistaken about ${mistaken.length} pairs; the evidence is not about ${corrected.length} of them`,
    '',
    ['truth'.padEnd(24), ...JUDGEMENTS.map((name) => name.padStart(13))].join(''),
    row(
      'interference',
      pairs.filter(({ isInterference }) => isInterference),
    ),
    row(
      'none',
      pairs.filter(({ isInterference }) => !isInterference),
    ),
  ]
}

function formatRules(rules: readonly (readonly [SatelliteRuleName, RuleCount])[]): string {
  const share = (part: number, whole: number): string => (whole === 0 ? '–' : (part / whole).toFixed(3))
  const head = ['rule'.padEnd(28), ...['true', 'near', 'found', 'precision', 'recall'].map((word) => word.padStart(10))]
  const lines = rules.map(([rule, { truth, near, right, wrong }]) =>
    [
      rule.padEnd(28),
      ...[String(truth), String(near), String(right + wrong), share(right, right + wrong), share(right, truth)].map(
        (cell) => cell.padStart(10),
      ),
    ].join(''),
  )
  return [head.join(''), ...lines].join('\n')
}

function formatPair({ vp, domain, label }: PairTruth): string {
  return `${vp} ${domain} (${label})`
}

function keyOf({ vp, domain }: { readonly vp: string; readonly domain: string }): string {
  return `${vp} ${domain}`
}
