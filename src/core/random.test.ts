/** Seeded randomness: repeatable, in range, spread. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BugError } from './assert.ts'
import { createSeededRandom, randomInt, shuffle } from './random.ts'

function take(seed: string, count: number): number[] {
  const random = createSeededRandom(seed)
  return Array.from({ length: count }, () => random.nextUint32())
}

function compareNumbers(a: number, b: number): number {
  return a - b
}

describe('createSeededRandom', () => {
  test('repeats with the same seed and differs with another', () => {
    expect(take('a', 50)).toEqual(take('a', 50))
    expect(take('a', 4)).not.toEqual(take('b', 4))
    expect(take('', 4)).not.toEqual(take('a', 4))
  })

  test('gives this sequence for ever, because recorded runs depend on it', () => {
    expect(take('candor', 4)).toEqual([3_607_964_678, 701_652_119, 2_670_490_348, 3_435_156_276])
  })

  test('uses all 32 bits about equally', () => {
    const numbers = take('spread', 4096)
    for (let bit = 0; bit < 32; bit++) {
      const set = numbers.filter((number) => ((number >>> bit) & 1) === 1).length
      // Expectation 2,048, standard deviation 32: eight of them.
      expect(Math.abs(set - 2048)).toBeLessThan(256)
    }
    expect(new Set(numbers).size).toBeGreaterThan(4090)
  })
})

describe('randomInt', () => {
  test('stays below its bound and reaches every value', () => {
    const random = createSeededRandom('ints')
    const seen = new Set(Array.from({ length: 500 }, () => randomInt(random, 7)))
    expect([...seen].sort(compareNumbers)).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  test('reaches neither end of the range falsely', () => {
    expect(randomInt({ nextUint32: () => 0 }, 10)).toBe(0)
    expect(randomInt({ nextUint32: () => 0xffff_ffff }, 10)).toBe(9)
  })

  test.each([0, -1, 1.5, Number.NaN])('refuses the bound %d', (bound) => {
    expect(() => randomInt(createSeededRandom(''), bound)).toThrow(BugError)
  })
})

describe('shuffle', () => {
  test('keeps the items, leaves its input alone and repeats with the seed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.string(), (items, seed) => {
        const before = [...items]
        const shuffled = shuffle(createSeededRandom(seed), items)
        expect(items).toEqual(before)
        expect(shuffled.sort(compareNumbers)).toEqual(before.sort(compareNumbers))
        expect(shuffle(createSeededRandom(seed), items)).toEqual(shuffle(createSeededRandom(seed), items))
      }),
    )
  })

  test('gives every order of three items about as often', () => {
    const random = createSeededRandom('orders')
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(random, ['a', 'b', 'c']).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200)
  })
})
