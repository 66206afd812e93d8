import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PacedTurns, type GroupCaps, type TurnCaps } from './paced-turns.ts'

/** A turn: whose it was, and when. */
type Turn = readonly [resolver: number, atMs: number]

/** Gives turns at the times of `steps` to resolvers that always want one. */
function giveTurns(count: number, caps: TurnCaps, groups: GroupCaps | undefined, steps: readonly number[]): Turn[] {
  const turns = new PacedTurns(count, caps, groups, 0)
  for (let resolver = 0; resolver < count; resolver++) turns.want(resolver)
  const given: Turn[] = []
  for (const nowMs of steps) {
    for (let resolver = turns.next(nowMs); resolver >= 0; resolver = turns.next(nowMs)) {
      given.push([resolver, nowMs])
      turns.want(resolver)
    }
  }
  return given
}

/** The most turns in any second that begins with one. */
function mostInOneSecond(times: readonly number[]): number {
  let most = 0
  let from = 0
  for (const [index, atMs] of times.entries()) {
    while ((times[from] ?? 0) <= atMs - 1000) from++
    most = Math.max(most, index - from + 1)
  }
  return most
}

const everyMs = (untilMs: number): number[] => Array.from({ length: untilMs }, (_, ms) => ms)

describe('PacedTurns', () => {
  test('lets no window of one second see more than any cap and one, however late the loop is', () => {
    const cap = fc.constantFrom(0, 1, 3, 10, 40, 100)
    const gaps = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 20, maxLength: 200 })
    const place = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(
        cap,
        cap,
        cap,
        fc.constantFrom(20, 90),
        place,
        place,
        gaps,
        (perResolver, perPrefix, perAs, rate, p, a, g) => {
          const groups = {
            prefixOf: Int32Array.from(p),
            perPrefix,
            asOf: Int32Array.from(a, (number) => number - 1),
            perAs,
          }
          let nowMs = 0
          const turns = giveTurns(
            12,
            { rate, perResolver },
            groups,
            g.map((gap) => (nowMs += gap)),
          )
          const isWithin = (limit: number, keyOf: (resolver: number) => number): void => {
            if (limit === 0) return
            const keys = new Set(turns.map(([resolver]) => keyOf(resolver)).filter((key) => key >= 0))
            for (const key of keys) {
              const times = turns.filter(([resolver]) => keyOf(resolver) === key).map(([, atMs]) => atMs)
              expect(mostInOneSecond(times)).toBeLessThanOrEqual(limit + 1)
            }
          }
          isWithin(perResolver, (resolver) => resolver)
          isWithin(perPrefix, (resolver) => groups.prefixOf[resolver] ?? 0)
          isWithin(perAs, (resolver) => groups.asOf[resolver] ?? 0)
          isWithin(rate, () => 0)
          expect(turns.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 60 },
    )
  })
  test('uses what a cap allows, with a thousand resolvers behind it', () => {
    const count = 1000
    const groups = {
      prefixOf: Int32Array.from({ length: count }, (_, i) => i >> 8),
      perPrefix: 50,
      asOf: new Int32Array(count),
      perAs: 100,
    }
    const turns = giveTurns(count, { rate: 0, perResolver: 10 }, groups, everyMs(20_000))
    expect(turns.length).toBeGreaterThan(1950)
    expect(turns.length).toBeLessThanOrEqual(2001)
  })
  test('gives turns in the order of coming where all wait for one cap', () => {
    const turns = giveTurns(40, { rate: 100, perResolver: 0 }, undefined, everyMs(4_000))
    const counts = Array.from({ length: 40 }, (_, i) => turns.filter(([resolver]) => resolver === i).length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })
  test('holds back nobody whose caps have room because others wait', () => {
    const groups = {
      prefixOf: Int32Array.from([0, 0, 0, 1]),
      perPrefix: 1,
      asOf: Int32Array.of(-1, -1, -1, -1),
      perAs: 1,
    }
    const turns = giveTurns(4, { rate: 0, perResolver: 0 }, groups, everyMs(5_000))
    expect(turns.filter(([resolver]) => resolver === 3).length).toBeGreaterThanOrEqual(4)
    expect(turns.filter(([resolver]) => resolver < 3).length).toBeGreaterThanOrEqual(4)
  })
  test('holds back nobody whom the caps are not for', () => {
    const turns = new PacedTurns(2, { rate: 1, perResolver: 1, isPaced: Uint8Array.of(0, 1) }, undefined, 0)
    const given: number[] = []
    for (let nowMs = 0; nowMs < 10; nowMs++) {
      for (const resolver of nowMs === 0 ? [0, 1] : [0]) turns.want(resolver)
      for (let resolver = turns.next(nowMs); resolver >= 0; resolver = turns.next(nowMs)) given.push(resolver)
    }
    expect(given).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  })
  test('makes up for a loop that was late, but not for one that stood still', () => {
    const slow = giveTurns(
      1,
      { rate: 100, perResolver: 0 },
      undefined,
      Array.from({ length: 700 }, (_, i) => i * 15),
    )
    expect(slow.length).toBeGreaterThan(690)
    const still = giveTurns(1, { rate: 100, perResolver: 0 }, undefined, [0, 10_000, 10_001])
    expect(still.length).toBeLessThanOrEqual(5)
  })
  test('knows for how long it has nothing to give', () => {
    const turns = new PacedTurns(1, { rate: 0, perResolver: 2 }, undefined, 0)
    expect(turns.idleMs).toBe(Number.POSITIVE_INFINITY)
    turns.want(0)
    expect(turns.idleMs).toBe(0)
    expect(turns.next(0)).toBe(0)
    turns.want(0)
    expect(turns.next(1)).toBe(-1)
    expect(turns.idleMs).toBe(1)
  })
})
