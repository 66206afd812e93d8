import { describe, expect, test } from 'vitest'
import { planSatelliteWorld } from './satellite-plan.ts'
import { SATELLITE_RULES, tellSatelliteTruth } from './satellite-truth.ts'

const SIZE = { resolvers: 200, domains: 100 }
const CASES_MIN = 20

describe('tellSatelliteTruth', () => {
  test.each(['one', 'two', 'three', 'four', 'five'])(
    'has twenty true cases and twenty near misses of every rule, and few ambiguous pairs, for the seed %s',
    (seed) => {
      const truth = tellSatelliteTruth(planSatelliteWorld(seed, SIZE))
      const clear = truth.filter(({ ambiguity }) => ambiguity === null)
      for (const rule of SATELLITE_RULES) {
        const cases = clear.filter(({ rules }) => rules.includes(rule)).length
        const near = clear.filter((pair) => pair.near.includes(rule)).length
        expect([rule, cases >= CASES_MIN, near >= CASES_MIN]).toEqual([rule, true, true])
      }
      expect(truth.length - clear.length).toBeLessThanOrEqual(truth.length / 20)
    },
  )

  test('knows pairs about which the published booleans are mistaken, in both directions', () => {
    const truth = tellSatelliteTruth(planSatelliteWorld('one', SIZE))
    const isAccused = truth.filter(({ published }) => published.anomaly && published.reasons.length === 0)
    expect(isAccused.some(({ isInterference }) => !isInterference)).toBe(true)
    const isFree = truth.filter(({ published }) => !published.anomaly || published.reasons.length > 0)
    expect(isFree.some(({ label, isInterference }) => label === 'block_page_on_content' && isInterference)).toBe(true)
  })

  test('says the same for the same seed, and something else for another', () => {
    const tell = (seed: string): string =>
      JSON.stringify(tellSatelliteTruth(planSatelliteWorld(seed, { resolvers: 20, domains: 40 })))
    expect(tell('a')).toBe(tell('a'))
    expect(tell('a')).not.toBe(tell('b'))
  })
})
