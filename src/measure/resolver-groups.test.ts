import { describe, expect, test } from 'vitest'
import { groupByAs, groupByPrefix } from './resolver-groups.ts'

describe('groupByPrefix', () => {
  test('puts a /24 together, and a /48 of IPv6', () => {
    const addresses = ['192.0.2.1', '192.0.3.1', '192.0.2.255', '2001:db8:1::1', '2001:db8:1:ffff::1', '2001:db8:2::1']
    expect([...groupByPrefix(addresses)]).toEqual([0, 1, 0, 2, 2, 3])
  })
})

describe('groupByAs', () => {
  test('knows no autonomous system for what the table does not have', () => {
    const lookup = ([first = 0]: Uint8Array) =>
      first === 10 ? undefined : { asn: first === 198 ? 64_500 : 64_501, asName: '', country: '' }
    const addresses = ['192.0.2.1', '10.0.0.1', '198.51.100.1', '198.51.100.2', '192.0.2.2']
    expect([...groupByAs(addresses, { lookup })]).toEqual([0, -1, 1, 1, 0])
  })
})
