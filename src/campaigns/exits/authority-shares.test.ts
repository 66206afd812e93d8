import { describe, expect, test } from 'vitest'
import type { ExitResolver } from '../../model/exit-result.ts'
import { countResolverShares, formatResolverShares, type CountedResult } from './authority-shares.ts'

function resolver(as: string | null, ...addresses: string[]): ExitResolver {
  return {
    addresses,
    as,
    country: null,
    asked: addresses.length > 0,
    transport: ['udp'],
    edns: true,
    dnssec_ok: false,
    client_subnet: null,
    mixed_case: false,
    qname_minimisation: false,
    wrong_answer: null,
  }
}

const RESULTS: readonly CountedResult[] = [
  { resolver: resolver('AS1 One', '192.0.2.1'), bandwidth_weight: 10, as: 'AS1 One' },
  { resolver: resolver('AS1 One', '192.0.2.2'), bandwidth_weight: 10, as: 'AS3 Three' },
  { resolver: resolver('AS2 Two', '192.0.2.3'), bandwidth_weight: 60, as: null },
  { resolver: resolver(null), bandwidth_weight: 1000, as: null },
  { resolver: null, bandwidth_weight: 1000, as: null },
]

describe('countResolverShares', () => {
  test('gives shares of exits and of weight, the largest capacity first', () => {
    expect(countResolverShares(RESULTS)).toEqual([
      { as: 'AS2 Two', exits: 1, exitsPercent: 33.33, weightPercent: 75, exitsOfSameAs: 0, addresses: 1 },
      { as: 'AS1 One', exits: 2, exitsPercent: 66.67, weightPercent: 25, exitsOfSameAs: 1, addresses: 2 },
    ])
  })

  test('says nothing about weight where none is known, and nothing at all without exits', () => {
    expect(countResolverShares([])).toEqual([])
    const one = { resolver: resolver('AS1 One', '192.0.2.1'), bandwidth_weight: null, as: null }
    expect(countResolverShares([one])[0]).toMatchObject({ exitsPercent: 100, weightPercent: null })
  })
})

describe('formatResolverShares', () => {
  test('makes a table, and nothing where no exit asked', () => {
    expect(formatResolverShares(RESULTS)).toContain('| AS2 Two | 1 | 33.33 % | 75 % | 0 | 1 |')
    expect(formatResolverShares(RESULTS)).toContain('for 3 exits')
    expect(formatResolverShares([])).toBe('')
  })

  test('keeps names that strangers chose in their cells', () => {
    const hostile = { resolver: resolver('AS1 a|b\n# c', '192.0.2.1'), bandwidth_weight: 1, as: null }
    expect(formatResolverShares([hostile])).toContain('| AS1 a\\|b # c | 1 |')
  })
})
