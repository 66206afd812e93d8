import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../core/random.ts'
import { createPairOrder } from './pair-order.ts'

const orderOf = (seed: string, count: number): readonly number[] => {
  const numberAt = createPairOrder(createSeededRandom(seed), count)
  return Array.from({ length: count }, (_, place) => numberAt(place))
}

describe('createPairOrder', () => {
  test('gives each number one place', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2_000 }), (seed, count) => {
        expect(orderOf(seed, count).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at))
      }),
    )
  })

  test('is the same for the same seed, another for another, and no row of neighbours', () => {
    const order = orderOf('a', 10_000)
    expect(orderOf('a', 10_000)).toEqual(order)
    expect(orderOf('b', 10_000)).not.toEqual(order)
    const neighbours = order.filter((number, at) => Math.abs(number - (order[at - 1] ?? 0)) === 1).length
    expect(neighbours).toBeLessThan(20)
  })

  test('reaches numbers beyond 32 bits', () => {
    const numberAt = createPairOrder(createSeededRandom('large'), 2 ** 40)
    const numbers = Array.from({ length: 1_000 }, (_, place) => numberAt(place))
    expect(new Set(numbers).size).toBe(1_000)
    expect(Math.max(...numbers)).toBeGreaterThan(2 ** 39)
    expect(Math.max(...numbers)).toBeLessThan(2 ** 40)
  })
})
