/** IP addresses and prefixes; Node's parser and the URL standard's formatter are the oracles. */
import { isIPv4, isIPv6 } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalIp,
  formatIp,
  formatPrefix,
  type IpPrefix,
  isIpv6,
  parseIp,
  parsePrefix,
  prefixContains,
  truncatePrefix,
} from './ip-address.ts'

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** Many zeros, so that there are runs to shorten. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])))
const anyIp = fc.oneof(ipv4, ipv6)

describe('parseIp', () => {
  test.each([
    ['0.0.0.0', '00000000'],
    ['192.0.2.255', 'c00002ff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:DB8::', '20010db8000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['1:2:3:4:5:6:192.0.2.1', '000100020003000400050006c0000201'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('reads %s', (text, hex) => {
    expect(Buffer.from(parseIp(text) ?? []).toString('hex')).toBe(hex)
  })

  test.each([
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x1.2.3.4',
    '0177.0.0.1',
    '127.1',
    '1.2.3.4 ',
    '1..3.4',
    '+1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1::2::3',
    '12345::',
    'g::',
    '::1%eth0',
    '[::1]',
    '::192.0.2',
    '::192.0.2.1:1',
    '192.0.2.1::',
    '1:2:3:4:5:6:7:192.0.2.1',
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  test('takes what Node takes, zones aside', () => {
    const chars = fc.string({ unit: fc.constantFrom('0', '1', '2', '5', 'f', 'F', '.', ':', '::'), maxLength: 24 })
    fc.assert(
      fc.property(chars, (text) => {
        expect(parseIp(text) !== undefined).toBe(isIPv4(text) || isIPv6(text))
      }),
      { numRuns: Math.max(5000, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })
})

describe('formatIp', () => {
  test.each([
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    // RFC 5952 section 4.2: one group is not shortened, the longest run is, the first of equals is.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['::c000:201', '::c000:201'],
  ])('formats %s as %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
  })

  test('is undone by parseIp and agrees with the URL standard', () => {
    fc.assert(
      fc.property(anyIp, (octets) => {
        const text = formatIp(octets)
        expect(parseIp(text)).toEqual(octets)
        expect(isIpv6(text)).toBe(octets.length === 16)
        // The URL standard prints IPv4-mapped addresses in hexadecimal.
        const host = text.includes('.') ? text : new URL(`http://[${text}]`).hostname
        expect(host).toBe(text.includes('.') ? text : `[${text}]`)
      }),
    )
  })
})

describe('canonicalIp', () => {
  test('is undefined for what is no address', () => {
    expect(canonicalIp('example')).toBeUndefined()
  })
})

describe('isIpv6', () => {
  test('wants an address', () => {
    expect(['::1', '127.0.0.1', 'a:b', ''].map(isIpv6)).toEqual([true, false, false, false])
  })
})

describe('parsePrefix', () => {
  test.each([
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['192.0.2.77', '192.0.2.77/32'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::1', '::1/128'],
  ])('reads %s as %s', (text, canonical) => {
    expect(formatPrefix(parsePrefix(text) as IpPrefix)).toBe(canonical)
  })

  test.each(['', '/8', '192.0.2.0/', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/8/8', '192.0.2.0/ 8', '::/129', 'x/8'])(
    'refuses %j',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined()
    },
  )
})

describe('truncatePrefix', () => {
  test('is idempotent and contains the address it was made from', () => {
    fc.assert(
      fc.property(anyIp, fc.nat(32), (octets, bits) => {
        const prefix = truncatePrefix(octets, bits)
        expect(truncatePrefix(prefix.octets, bits)).toEqual(prefix)
        expect(prefixContains(prefix, octets)).toBe(true)
      }),
    )
  })
})

describe('prefixContains', () => {
  test('looks at the bits of the prefix and at no others', () => {
    fc.assert(
      fc.property(ipv6, fc.integer({ min: 0, max: 128 }), fc.nat(127), (octets, bits, flipped) => {
        const other = octets.map((octet, index) => (index === flipped >> 3 ? octet ^ (0x80 >> (flipped & 7)) : octet))
        expect(prefixContains(truncatePrefix(octets, bits), other)).toBe(flipped >= bits)
      }),
    )
  })

  test('keeps the families apart', () => {
    expect(prefixContains({ octets: new Uint8Array(4), bits: 0 }, new Uint8Array(16))).toBe(false)
  })
})
