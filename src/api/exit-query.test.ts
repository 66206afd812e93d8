import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRunView, HOSTILE_NICKNAME } from '../../test/web-fixtures/exit-run-fixture.ts'
import { DEFAULT_EXIT_QUERY, EXIT_FLAGS, formatExitQuery, parseExitQuery, selectExits } from './exit-query.ts'

const VIEW = createRunView(40)

describe('parseExitQuery', () => {
  test('reads back what formatExitQuery writes', () => {
    const queries = fc.record({
      status: fc.constantFrom(undefined, 'failing' as const, 'success' as const, 'not_tested' as const),
      flag: fc.constantFrom(undefined, ...EXIT_FLAGS),
      fault: fc.constantFrom(undefined, 'black-hole', 'a&b=c#d'),
      truth: fc.constantFrom(undefined, 'right' as const, 'wrong' as const),
      search: fc.constantFrom(undefined, '<script>', 'AS64496 & more'),
      sort: fc.constantFrom('verdict' as const, 'latency' as const, 'truth' as const),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      page: fc.integer({ min: 1, max: 1_000 }),
    })
    fc.assert(
      fc.property(queries, (query) => {
        expect(parseExitQuery(new URLSearchParams(formatExitQuery(query)))).toEqual({ query, ignored: [] })
      }),
    )
  })

  test('names each value that it does not understand, and takes the default instead', () => {
    const parameters = new URLSearchParams(`status=bad&flag=x&page=0&sort=colour&order=up&q=${'a'.repeat(101)}`)
    const { query, ignored } = parseExitQuery(parameters)
    expect(query).toEqual(DEFAULT_EXIT_QUERY)
    expect(ignored.toSorted()).toEqual(['flag', 'order', 'page', 'q', 'sort', 'status'])
  })
})

describe('selectExits', () => {
  test('takes wrong_ip, dns_fail and timeout for failing', () => {
    const statuses = selectExits(VIEW, { ...DEFAULT_EXIT_QUERY, status: 'failing' }).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set(['wrong_ip', 'dns_fail', 'timeout']))
    expect(statuses).toHaveLength(11)
  })

  test('finds the verdicts that disagree with the truth', () => {
    const selected = selectExits(VIEW, { ...DEFAULT_EXIT_QUERY, truth: 'wrong' })
    expect(selected.map((result) => VIEW.truth.get(result.exit_fingerprint)?.fault)).toEqual(['intermittent'])
  })

  test('searches names without regard to case', () => {
    const selected = selectExits(VIEW, { ...DEFAULT_EXIT_QUERY, search: '<SCRIPT>' })
    expect(selected.map(({ exit_nickname }) => exit_nickname)).toEqual([HOSTILE_NICKNAME])
  })

  test.each(['asc', 'desc'] as const)('puts unknown latencies last, %s', (order) => {
    const latencies = selectExits(VIEW, { ...DEFAULT_EXIT_QUERY, sort: 'latency', order }).map(
      ({ latency_ms }) => latency_ms,
    )
    const known = latencies.filter((ms) => ms !== null)
    expect(latencies.slice(0, known.length)).toEqual(known.toSorted((a, b) => (order === 'asc' ? a - b : b - a)))
    expect(latencies).toContain(null)
  })

  test('sorts addresses as numbers', () => {
    const addresses = selectExits(VIEW, { ...DEFAULT_EXIT_QUERY, sort: 'address' }).map((one) => one.exit_address)
    expect(addresses.slice(0, 2)).toEqual(['127.20.0.1', '127.21.0.1'])
  })
})
