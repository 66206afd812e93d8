import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findReservedRange, publicAddressPlan, RESERVED_RANGES } from './address-plan.ts'
import { parseIp, type IpOctets } from './ip-address.ts'

function ip(text: string): IpOctets {
  const octets = parseIp(text)
  if (octets === undefined) throw new Error(`${text} is no address`)
  return octets
}

describe('publicAddressPlan', () => {
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '191.255.255.255',
    '192.0.1.0',
    '192.0.3.0',
    '192.31.196.1',
    '192.169.0.0',
    '192.175.48.1',
    '198.17.255.255',
    '198.20.0.0',
    '203.0.114.0',
    '223.255.255.255',
    '2000::1',
    '2001:200::1',
    '2606:4700:4700::1111',
    '2a00::1',
    '3ffe::1',
    '3fff:1000::1',
    '2620:4f:8000::1',
    // IPv4 inside: NAT64, 6to4, Teredo.
    '64:ff9b::1.1.1.1',
    '2002:0101:0101::1',
    '2001:0:0808:0808:0:0:fefe:fefe',
  ])('calls %s public', (text) => {
    expect(publicAddressPlan.isPublic(ip(text))).toBe(true)
    expect(publicAddressPlan.isBogusAnswer(ip(text))).toBe(false)
  })

  test.each([
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.0',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.251',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '100:0:0:1::1',
    '2001:1::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:30::1',
    '2001:1ff::1',
    '2001:db8::1',
    '3fff::1',
    '3fff:fff::1',
    '5f00::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    // Not assigned.
    '1::1',
    '4000::1',
    '8000::1',
    'c000::1',
    'f000::1',
    // IPv4 inside that is not public: NAT64, 6to4, Teredo (client, then server).
    '64:ff9b::10.0.0.1',
    '64:ff9b::127.0.0.1',
    '2002:7f00:0001::1',
    '2002:c0a8:0101::1',
    '2001:0:0808:0808:0:0:f5ff:fffe',
    '2001:0:0a00:0001:0:0:fefe:fefe',
  ])('does not call %s public', (text) => {
    expect(publicAddressPlan.isPublic(ip(text))).toBe(false)
    expect(publicAddressPlan.isBogusAnswer(ip(text))).toBe(true)
  })

  test('never calls a translated address more public than the IPv4 address inside', () => {
    const octets = uint8Array({ minLength: 4, maxLength: 4 })
    const holds = property(octets, (v4) => {
      const nat64 = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ...v4)
      const sixToFour = Uint8Array.of(0x20, 0x02, ...v4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
      const expected = publicAddressPlan.isPublic(v4)
      expect(publicAddressPlan.isPublic(nat64)).toBe(expected)
      expect(publicAddressPlan.isPublic(sixToFour)).toBe(expected)
    })
    assert(holds)
  })

  test('knows no owners', () => {
    expect(publicAddressPlan.lookup(ip('1.1.1.1'))).toBeUndefined()
  })
})

describe('findReservedRange', () => {
  test('names the block and its RFC', () => {
    expect(findReservedRange(ip('100.100.0.1'))).toMatchObject({ name: 'shared address space', rfc: 6598 })
    expect(findReservedRange(ip('2001:db8:1::'))).toMatchObject({ name: 'documentation', rfc: 3849 })
    expect(findReservedRange(ip('9.9.9.9'))).toBeUndefined()
  })
})

describe('RESERVED_RANGES', () => {
  test('holds whole prefixes of both families', () => {
    for (const { prefix } of RESERVED_RANGES) expect([4, 16]).toContain(prefix.octets.length)
    expect(RESERVED_RANGES.every(({ prefix, name, rfc }) => prefix.bits > 0 && name !== '' && rfc > 0)).toBe(true)
  })
})
