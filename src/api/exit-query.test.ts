import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_EXIT_QUERY, EXIT_FLAGS, formatExitQuery, parseExitQuery, type ExitQuery } from './exit-query.ts'

const FINGERPRINT = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'

describe('parseExitQuery', () => {
  test('reads back what formatExitQuery writes', () => {
    const maybe = <T>(...values: readonly T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values)
    const queries: fc.Arbitrary<ExitQuery> = fc.record({
      run: maybe('20261120221806', 'current'),
      status: maybe('failing' as const, 'success' as const, 'not_tested' as const),
      standing: maybe('suspect' as const),
      statusIpv6: maybe('failing' as const, 'none' as const),
      errorCode: maybe('SOCKS_GENERAL', 'none'),
      flag: maybe(...EXIT_FLAGS),
      as: maybe('AS64496', 'none'),
      country: maybe('DE', 'none'),
      family: maybe(FINGERPRINT),
      operator: maybe('example.org & co', 'none'),
      firstHop: maybe(FINGERPRINT, 'none'),
      address: maybe('192.0.2.1', '2001:db8::1'),
      fault: maybe('black-hole', 'a&b=c#d'),
      truth: maybe('right' as const, 'wrong' as const),
      search: maybe('<script>', 'AS64496 & more'),
      failingAtLeast: maybe(1, 5, 10_000),
      sort: fc.constantFrom('verdict' as const, 'latency' as const, 'first_hop' as const),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      cursor: maybe(`a${FINGERPRINT}`, `b${FINGERPRINT}`, 'z'),
      limit: fc.integer({ min: 1, max: 1_000 }),
    })
    fc.assert(
      fc.property(queries, (query) => {
        expect(parseExitQuery(new URLSearchParams(formatExitQuery(query)))).toEqual({ query, ignored: [] })
      }),
    )
  })

  test('names each value that it does not understand, and takes the default instead', () => {
    const parameters = new URLSearchParams(
      `status=bad&flag=x&limit=0&sort=colour&order=up&q=${'a'.repeat(101)}&cursor=1&run=latest&failing_at_least=1e3`,
    )
    const { query, ignored } = parseExitQuery(parameters)
    expect(query).toEqual(DEFAULT_EXIT_QUERY)
    expect(ignored.toSorted()).toEqual(
      ['cursor', 'failing_at_least', 'flag', 'limit', 'order', 'q', 'run', 'sort', 'status'].toSorted(),
    )
  })

  test('takes a fingerprint in any case and an empty value for none', () => {
    const { query } = parseExitQuery(new URLSearchParams(`family=${FINGERPRINT.toLowerCase()}&status=&q=`))
    expect(query).toEqual({ ...DEFAULT_EXIT_QUERY, family: FINGERPRINT })
  })

  test('survives whatever stands in a URL', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('status', 'q', 'cursor', 'limit'), fc.string())), (pairs) => {
        const { query } = parseExitQuery(new URLSearchParams(pairs.map(([name, value]) => [name, value])))
        expect(parseExitQuery(new URLSearchParams(formatExitQuery(query))).ignored).toEqual([])
      }),
    )
  })
})
