import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRunView, HOSTILE_NICKNAME } from '../../test/web-fixtures/exit-run-fixture.ts'
import { DEFAULT_EXIT_QUERY, parseExitQuery, type ExitQuery } from './exit-query.ts'
import { createTruthLookup, keyOfFamily, pageExits, selectExits, type ListedExit } from './select-exits.ts'

const VIEW = createRunView(40)
const ROWS: readonly ListedExit[] = VIEW.results
const KEYS = ['verdict', 'exit', 'address', 'network', 'first_hop', 'failing', 'last_seen', 'country'] as const

function select(change: Partial<ExitQuery>): readonly ListedExit[] {
  return selectExits(ROWS, { ...DEFAULT_EXIT_QUERY, ...change }, createTruthLookup(VIEW))
}

describe('selectExits', () => {
  test('takes wrong_ip, dns_fail and timeout for failing', () => {
    const statuses = select({ status: 'failing' }).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set(['wrong_ip', 'dns_fail', 'timeout']))
    expect(statuses).toHaveLength(11)
  })

  test('finds the verdicts that disagree with the truth', () => {
    const selected = select({ truth: 'wrong' })
    expect(selected.map((row) => VIEW.truth.get(row.exit_fingerprint)?.fault)).toEqual(['intermittent'])
  })

  test('searches names without regard to case', () => {
    expect(select({ search: '<SCRIPT>' }).map(({ exit_nickname }) => exit_nickname)).toEqual([HOSTILE_NICKNAME])
  })

  test('searches addresses and fingerprints by their beginning', () => {
    expect(select({ search: '127.21.' }).map(({ exit_address }) => exit_address)).toEqual(['127.21.0.1'])
    expect(select({ search: '21.0.1' })).toEqual([])
    const fingerprint = ROWS[5]?.exit_fingerprint ?? ''
    expect(select({ search: `$${fingerprint.slice(0, 12).toLowerCase()}` })).toEqual([ROWS[5]])
  })

  test('compares a network by its number and finds what is not known', () => {
    expect(select({ as: 'AS64496' }).every((row) => row.as?.startsWith('AS64496 ') === true)).toBe(true)
    expect(select({ as: 'AS6449' })).toEqual([])
    expect(select({ as: 'none' }).map((row) => row.as)).toEqual([null, null, null, null])
  })

  test('finds a relay and those that it names as its family', () => {
    const [first, second, third] = ROWS
    const rows = [first, { ...second, family: [`$${first?.exit_fingerprint}~name`] }, third] as readonly ListedExit[]
    const query = { ...DEFAULT_EXIT_QUERY, family: first?.exit_fingerprint }
    expect(selectExits(rows, query)).toHaveLength(2)
  })

  test('gives relays that name each other one key, also where they share the list', () => {
    const [a, b, c] = ROWS.slice(0, 3)
      .map((row) => row.exit_fingerprint)
      .toSorted()
    const family = [`$${c}`, `${b}~name`, `$${a}=old`, '$nickname']
    const keys = [a, b, c].map((own) => keyOfFamily({ ...ROWS[0]!, exit_fingerprint: own ?? '', family }))
    expect(keys).toEqual([a, a, a])
    const alone = { ...ROWS[0]!, family: [`$${ROWS[0]?.exit_fingerprint}`, 'nickname'] }
    expect([keyOfFamily(alone), keyOfFamily({ ...alone, family: [] })]).toEqual([null, null])
  })

  test('takes only relays that failed in at least so many runs in a row', () => {
    expect(new Set(select({ failingAtLeast: 2 }).map((row) => row.consecutive_failures))).toEqual(new Set([2]))
    expect(select({ failingAtLeast: 3 })).toEqual([])
  })

  test.each(['asc', 'desc'] as const)('puts unknown latencies last, %s', (order) => {
    const latencies = select({ sort: 'latency', order }).map(({ latency_ms }) => latency_ms)
    const known = latencies.filter((ms) => ms !== null)
    expect(latencies.slice(0, known.length)).toEqual(known.toSorted((a, b) => (order === 'asc' ? a - b : b - a)))
    expect(latencies).toContain(null)
  })

  test('sorts addresses as numbers', () => {
    expect(
      select({ sort: 'address' })
        .map((one) => one.exit_address)
        .slice(0, 2),
    ).toEqual(['127.20.0.1', '127.21.0.1'])
  })
})

describe('pageExits', () => {
  test('shows every row once, forwards and backwards, whatever the order', () => {
    const queries = fc.record({
      sort: fc.constantFrom(...KEYS),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      limit: fc.integer({ min: 1, max: 50 }),
    })
    fc.assert(
      fc.property(queries, (change) => {
        const all = select(change).map(({ exit_fingerprint }) => exit_fingerprint)
        const walk = (cursor: string | undefined, way: 'next' | 'previous'): readonly string[] => {
          const seen: string[] = []
          let query: ExitQuery = { ...DEFAULT_EXIT_QUERY, ...change, cursor }
          for (let pages = 0; pages < 50; pages++) {
            const { rows, links } = pageExits(select(query), query)
            const names = rows.map(({ exit_fingerprint }) => exit_fingerprint)
            if (way === 'next') seen.push(...names)
            else seen.unshift(...names)
            if (links[way] === null) break
            query = parseExitQuery(new URLSearchParams(links[way])).query
          }
          return seen
        }
        expect(walk(undefined, 'next')).toEqual(all)
        expect(walk('z', 'previous')).toEqual(all)
      }),
    )
  })

  test('says that a cursor names no row, and shows the first page', () => {
    const query = { ...DEFAULT_EXIT_QUERY, cursor: `a${'0'.repeat(40)}`, limit: 3 }
    const page = pageExits(select({}), query)
    expect({ lost: page.isCursorLost, from: page.from, rows: page.rows.length }).toEqual({
      lost: true,
      from: 1,
      rows: 3,
    })
  })

  test('has no links and no rows for an empty selection', () => {
    expect(pageExits([], DEFAULT_EXIT_QUERY)).toEqual({
      rows: [],
      total: 0,
      from: 0,
      isCursorLost: false,
      links: { first: null, previous: null, next: null, last: null },
    })
  })
})
