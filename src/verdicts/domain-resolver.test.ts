import { describe, expect, test } from 'vitest'
import { chooseActiveSet, updateActiveSet, type RankedResolver } from './domain-active-set.ts'
import { addContradiction, addResolverOutcome, hasVote, scoreResolver, UNKNOWN_RESOLVER } from './domain-resolver.ts'

const DAY_MS = 86_400_000

describe('scoreResolver', () => {
  test('weighs speed with success, over the last hundred outcomes', () => {
    expect(scoreResolver(UNKNOWN_RESOLVER)).toBe(0)
    let health = addResolverOutcome(UNKNOWN_RESOLVER, 100)
    expect(scoreResolver(health)).toBeCloseTo(93)
    health = addResolverOutcome(health, null)
    expect(scoreResolver(health)).toBeCloseTo(78)
    expect(addResolverOutcome(health, 200).rttMs).toBeCloseTo(120)
    for (let i = 0; i < 200; i++) health = addResolverOutcome(health, 2_000)
    expect(health.ring).toBe('1'.repeat(100))
    expect(scoreResolver(health)).toBeCloseTo(30)
  })
})

describe('hasVote', () => {
  test('is lost with three different names within a day, and comes back with time', () => {
    let health = addContradiction(UNKNOWN_RESOLVER, 'a.example', 0)
    health = addContradiction(health, 'a.example', 1)
    health = addContradiction(health, 'b.example', 2)
    expect(hasVote(health, 3)).toBe(true)
    health = addContradiction(health, 'c.example', 3)
    expect([hasVote(health, 3), hasVote(health, 1 + DAY_MS), hasVote(health, 2 + DAY_MS)]).toEqual([false, false, true])
    for (let i = 0; i < 100; i++) health = addContradiction(health, `n${i}.example`, 4)
    expect(health.contradictions.length).toBeLessThanOrEqual(32)
  })
})

function resolver(name: string, operator: string, score: number): RankedResolver {
  return { name, operator, score }
}

describe('chooseActiveSet', () => {
  test('takes the best of three operators, then the best', () => {
    const all = [
      ...Array.from({ length: 7 }, (_, at) => resolver(`a${at}`, 'a', 90 - at)),
      resolver('b', 'b', 20),
      resolver('c', 'c', 10),
      resolver('d', 'd', 5),
    ]
    expect(chooseActiveSet(all).active).toEqual(['a0', 'b', 'c', 'a1', 'a2', 'a3'])
  })
})

describe('updateActiveSet', () => {
  const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, at) => resolver(name, name, 50 + at))
  test('swaps after three clear wins in a row', () => {
    const all = [...six, resolver('g', 'g', 57.5)]
    let set = chooseActiveSet(six)
    for (let round = 0; round < 2; round++) set = updateActiveSet(set, all)
    expect([set.active.includes('g'), set.wins]).toEqual([false, { g: 2 }])
    const lost = updateActiveSet(set, [...six, resolver('g', 'g', 57.4)])
    expect(lost.wins).toEqual({})
    const won = updateActiveSet(set, all)
    expect([won.active.includes('g'), won.active.includes('a')]).toEqual([true, false])
  })

  test('keeps three operators, and fills up when a member has left the list', () => {
    const mixed = ['a', 'a', 'a', 'a', 'b', 'c'].map((operator, at) => resolver(`${operator}${at}`, operator, 50 - at))
    const all = [...mixed, resolver('a9', 'a', 90)]
    let set = chooseActiveSet(mixed)
    for (let round = 0; round < 3; round++) set = updateActiveSet(set, all)
    expect(set.active).toContain('b4')
    expect(set.active).toContain('c5')
    const left = updateActiveSet(set, [...six.slice(0, 4), resolver('g', 'g', 1)])
    expect(left.active.toSorted()).toEqual(['a', 'b', 'c', 'd', 'g'])
  })
})
