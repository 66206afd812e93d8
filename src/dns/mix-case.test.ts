import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../core/random.ts'
import { mixCase } from './mix-case.ts'
import { equalNames, formatName, parseName } from './name.ts'

describe('mixCase', () => {
  test('changes the case of letters and nothing else', () => {
    const name = parseName('a1-b_c.\\000\\195\\164.[`{@.EXAMPLE') ?? []
    const random = createSeededRandom('seed')
    const spellings = Array.from({ length: 200 }, () => mixCase(name, random))
    expect(spellings.every((spelling) => equalNames(spelling, name))).toBe(true)
    expect(new Set(spellings.map((spelling) => formatName(spelling).toLowerCase())).size).toBe(1)
    expect(new Set(spellings.map(formatName)).size).toBeGreaterThan(150)
    // Each letter comes in both cases, about as often.
    const upper = spellings.filter((spelling) => (spelling[0]?.[0] ?? 0) === 0x41).length
    expect(upper).toBeGreaterThan(70)
    expect(upper).toBeLessThan(130)
  })
})
