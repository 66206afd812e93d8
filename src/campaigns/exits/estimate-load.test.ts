import { describe, expect, test } from 'vitest'
import { PACE_PROFILES } from '../../config/pace-profiles.ts'
import { estimateLoad, formatLoad, formatSeconds } from './estimate-load.ts'

describe('estimateLoad', () => {
  test('says what the public network would see', () => {
    const estimate = estimateLoad(3_100, 1_000, 1, PACE_PROFILES.default)
    expect(estimate.circuitsPerHour).toBe(1_800)
    expect(estimate.seconds).toBeGreaterThan(3_100 * 2)
    expect(formatLoad(estimate, 3_100, 1_000)).toBe(
      '3100 relays over 1000 first hops: about 3875 circuits (1800 circuits/h), 0.10 % of them through one hop, about 2 h 9 min',
    )
  })

  test('bounds the rate of the fast profile by its five circuits a second', () => {
    expect(estimateLoad(3_100, 100, 1, PACE_PROFILES.fast).circuitsPerHour).toBe(5 * 3_600)
  })

  test('does not invent a rate where there is no pace', () => {
    const unpaced = { ...PACE_PROFILES.fast, circuitsPerSecond: 0, buildDelayMs: 0 }
    expect(formatLoad(estimateLoad(8, 4, 1, unpaced), 8, 4)).toContain('about 10 circuits (unpaced), 25.0 %')
  })
})

describe('formatSeconds', () => {
  test('chooses the unit that a person would', () => {
    expect([45, 89, 600, 7_500].map(formatSeconds)).toEqual(['45 s', '89 s', '10 min', '2 h 5 min'])
  })
})
