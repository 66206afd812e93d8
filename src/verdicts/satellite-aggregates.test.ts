import { describe, expect, test } from 'vitest'
import type { SatelliteJudgement } from '../model/satellite-finding.ts'
import { correctBenjaminiHochberg } from './benjamini-hochberg.ts'
import { binomialTail } from './binomial-tail.ts'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import { createSatelliteAggregates } from './satellite-aggregates.ts'
import { assignGroups, type Voter } from './satellite-voters.ts'

/** Country → name → how many of how many are interfered with. */
function aggregate(
  counts: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>,
): ReadonlyMap<string, SatelliteAggregate> {
  const aggregates = createSatelliteAggregates()
  for (const [country, names] of Object.entries(counts))
    for (const [domain, [hits, total]] of Object.entries(names))
      for (let at = 0; at < total; at++)
        aggregates.add({ country, as: null }, domain, at < hits ? 'interference' : 'ok')
  return new Map(aggregates.list().map((each) => [`${each.group} ${each.domain}`, each]))
}

describe('createSatelliteAggregates', () => {
  test('gives no verdict from fewer than five resolvers', () => {
    const found = aggregate({ XA: { a: [4, 4], b: [5, 5] }, XB: { a: [0, 9], b: [0, 9] } })
    expect(found.get('XA a')).toMatchObject({ resolvers: 4, share: null, low: null, pValue: null, verdict: 'too_few' })
    expect(found.get('XA b')).toMatchObject({ resolvers: 5, share: 1, nullShare: 0.05, verdict: 'interference' })
    expect(found.get('XB b')).toMatchObject({ share: 0, low: 0, pValue: 1, verdict: 'not_shown' })
  })

  test('accuses no country of a name that is odd everywhere', () => {
    const odd = aggregate({ XA: { a: [9, 10] }, XB: { a: [8, 10] }, XC: { a: [9, 10] }, XD: { a: [7, 10] } })
    for (const each of odd.values()) expect(each.verdict).toBe('not_shown')
    const some = aggregate({ XA: { a: [9, 10] }, XB: { a: [0, 10] }, XC: { a: [0, 10] }, XD: { a: [9, 10] } })
    expect([...some.values()].map(({ verdict }) => verdict)).toEqual([
      'interference',
      'not_shown',
      'not_shown',
      'interference',
    ])
  })

  test('corrects for the number of pairs', () => {
    const names = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`n${at}`, [0, 5] as const]))
    const two = { a: [2, 5] as const }
    expect(aggregate({ XA: two }).get('XA a')?.verdict).toBe('interference')
    expect(aggregate({ XA: { ...names, ...two } }).get('XA a')?.verdict).toBe('not_shown')
  })

  test('keeps counts of many names apart, and leaves out who has no vote', () => {
    const aggregates = createSatelliteAggregates()
    const judgements: readonly SatelliteJudgement[] = ['interference', 'down', 'ok', 'unconfirmed', 'no_vote']
    for (const [at, judgement] of judgements.entries())
      for (let count = 0; count <= at; count++)
        aggregates.add({ country: 'XA', as: '64500' }, `n${count % 3}`, judgement)
    const list = aggregates.list()
    expect(list.map(({ kind, domain }) => `${kind} ${domain}`)).toEqual([
      'country n0',
      'country n1',
      'country n2',
      'as n0',
    ])
    expect(list[0]).toMatchObject({ resolvers: 5, interference: 1, down: 1, ok: 1, unconfirmed: 2 })
  })
})

describe('assignGroups', () => {
  const voter = (address: string, more: Partial<Voter> = {}): Voter => ({
    address,
    country: 'XA',
    as: '64500',
    upstream: null,
    isReliable: true,
    ...more,
  })
  test('counts one resolver for each upstream within a country, and none that is not reliable', () => {
    const groups = assignGroups([
      voter('3', { upstream: 'u' }),
      voter('2', { upstream: 'u' }),
      voter('1', { upstream: 'u', isReliable: false }),
      voter('4', { upstream: 'u', country: 'XB' }),
      voter('5'),
    ])
    expect([...groups.keys()].toSorted()).toEqual(['2', '4', '5'])
    expect(groups.get('2')).toEqual({ country: 'XA', as: null })
  })
  test('counts systems from five resolvers on', () => {
    const five = ['1', '2', '3', '4', '5'].map((address) => voter(address, { country: null }))
    expect(assignGroups(five).get('1')).toEqual({ country: null, as: '64500' })
    expect(assignGroups(five.slice(1)).size).toBe(0)
  })
})

describe('binomialTail', () => {
  test.each([
    [0, 10, 0.5, 1],
    [10, 10, 0.5, 1 / 1024],
    [5, 10, 0.5, 638 / 1024],
    [5, 5, 0.05, 3.125e-7],
    [1, 3, 0, 0],
    [3, 3, 1, 1],
  ])('%i of %i at %f', (hits, total, share, chance) => {
    expect(binomialTail(hits, total, share)).toBeCloseTo(chance, 10)
  })
})

describe('correctBenjaminiHochberg', () => {
  test('gives the published example', () => {
    // Benjamini and Hochberg (1995), section 3: four of fifteen are discoveries at 0.05.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ]
    const q = correctBenjaminiHochberg(p)
    expect(q.filter((value) => value <= 0.05)).toHaveLength(4)
    expect(correctBenjaminiHochberg([0.04, 0.01])).toEqual([0.04, 0.02])
    expect(correctBenjaminiHochberg([])).toEqual([])
  })
})
