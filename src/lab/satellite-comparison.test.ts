import { describe, expect, test } from 'vitest'
import { compareSatellite, type JudgedPair, type PublishedPair } from './satellite-comparison.ts'
import { planSatelliteWorld } from './satellite-plan.ts'
import { type PairTruth, tellSatelliteTruth } from './satellite-truth.ts'

const TRUTH = tellSatelliteTruth(planSatelliteWorld('a', { resolvers: 20, domains: 40 }))

/** What somebody who knows the truth would write. */
function judge(pair: PairTruth): JudgedPair {
  const weights = { interference: 1, down: 0, ok: 0 }
  return {
    vp: pair.vp,
    domain: pair.domain,
    findings: pair.rules.map((rule) => ({ rule, evidence: { control_share_low: 0.5 }, weights })),
    judgement: pair.isInterference ? 'interference' : 'ok',
  }
}

function publish({ vp, domain, published }: PairTruth): PublishedPair {
  return { vp, domain, ...published }
}

describe('compareSatellite', () => {
  test('gives 1.0 to who knows the truth', () => {
    const score = compareSatellite(TRUTH, TRUTH.map(judge), TRUTH.map(publish))
    expect(score).toMatchObject({ isPerfect: true, mistakes: [] })
    expect(score.text).toMatch(/tls-valid-for-domain +\d+ +\d+ +\d+ +1\.000 +1\.000/)
  })

  test('counts a finding that is wrong, one that is missing, and a boolean that is not as published', () => {
    const clear = TRUTH.filter(({ ambiguity }) => ambiguity === null)
    const first = clear.find(({ rules }) => !rules.includes('blockpage'))
    const second = clear.find(({ rules }) => rules.includes('bogon-answer'))
    const judged = TRUTH.map((pair) => {
      const right = judge(pair)
      if (pair === second) return { ...right, findings: [] }
      const extra = { rule: 'blockpage', evidence: {}, weights: { interference: 1, down: 0, ok: 0 } }
      return pair === first ? { ...right, findings: [...right.findings, extra] } : right
    })
    const published = TRUTH.map((pair) => ({ ...publish(pair), anomaly: (pair === first) !== pair.published.anomaly }))
    const score = compareSatellite(TRUTH, judged, published)
    expect(score.isPerfect).toBe(false)
    expect(score.mistakes).toEqual([
      expect.stringMatching(/^bogon-answer misses .* \(bogus\)$/),
      expect.stringMatching(/^blockpage speaks about /),
      expect.stringMatching(/^published /),
    ])
    expect(score.text).toContain(`${clear.length - 1} of ${clear.length} pairs`)
  })
})
