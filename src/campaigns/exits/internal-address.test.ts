import { describe, expect, test } from 'vitest'
import { isInternalAddress } from './internal-address.ts'

describe('isInternalAddress', () => {
  test('is what tor_addr_is_internal says', () => {
    const internal = ['10.0.0.1', '127.0.0.1', '0.1.2.3', '169.254.1.1', '172.16.0.1', '172.31.255.255', '192.168.1.1']
    const internal6 = ['::1', '::', 'fd00::1', 'fe80::1', 'fec0::1']
    const others = ['172.32.0.1', '192.0.2.1', '203.0.113.7', '100.64.0.1', '2001:db8::1', '::2', 'nonsense']
    expect([...internal, ...internal6].filter((address) => !isInternalAddress(address))).toEqual([])
    expect(others.filter((address) => isInternalAddress(address))).toEqual([])
  })
})
