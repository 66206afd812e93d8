import { describe, expect, test } from 'vitest'
import { createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { countExitFacets, EXIT_GROUP_KEYS, groupExits, estimateShare } from './exit-groups.ts'
import { DEFAULT_EXIT_QUERY, parseExitQuery } from './exit-query.ts'
import { createTruthLookup, selectExits } from './select-exits.ts'

const VIEW = createRunView(40)
const TRUTH = createTruthLookup(VIEW)

describe('countExitFacets', () => {
  test('counts for each value the rows that choosing it would show', () => {
    const query = { ...DEFAULT_EXIT_QUERY, status: 'failing' as const, country: 'NL' }
    for (const { name, values } of countExitFacets(VIEW.results, query, TRUTH)) {
      for (const { value, count } of values) {
        const parameters = new URLSearchParams({ status: 'failing', country: 'NL', [name]: value })
        const { query: chosen, ignored } = parseExitQuery(parameters)
        expect({ name, value, ignored }).toEqual({ name, value, ignored: [] })
        expect({ name, value, count }).toEqual({ name, value, count: selectExits(VIEW.results, chosen, TRUTH).length })
      }
    }
  })
})

describe('groupExits', () => {
  test.each(EXIT_GROUP_KEYS)('puts every relay into one group by %s, each found again by its filter', (key) => {
    const groups = groupExits(VIEW.results, key)
    expect(groups.reduce((sum, { relays }) => sum + relays, 0)).toBe(40)
    for (const { value, relays } of groups) {
      const { query } = parseExitQuery(new URLSearchParams({ [key]: value }))
      expect(selectExits(VIEW.results, query)).toHaveLength(relays)
    }
  })

  test('counts relays that were not reached neither as sound nor as failing', () => {
    const rows = VIEW.results.filter(({ status }) => status === 'circuit_fail').map((row) => ({ ...row, as: 'AS1 A' }))
    expect(groupExits(rows, 'as')).toEqual([
      {
        value: 'AS1',
        label: 'AS1 A',
        relays: 2,
        measured: 0,
        sound: 0,
        suspect: 0,
        failing: 0,
        unreachable: 2,
        share: null,
        interval: null,
      },
    ])
  })
})

describe('estimateShare', () => {
  test('is wide for few and narrow for many', () => {
    // Wilson's interval of 0 of 10 and of 50 of 100, as statistics books give them.
    expect(estimateShare(0, 10)?.map((value) => value.toFixed(3))).toEqual(['0.000', '0.278'])
    expect(estimateShare(50, 100)?.map((value) => value.toFixed(3))).toEqual(['0.404', '0.596'])
    expect(estimateShare(0, 0)).toBeNull()
  })
})
