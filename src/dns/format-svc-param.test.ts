/** Parameters of service bindings; the forms are those of RFC 9460 appendix D. */
import { describe, expect, test } from 'vitest'
import { formatSvcParam } from './format-svc-param.ts'

describe('formatSvcParam', () => {
  test.each([
    [0, '00010004', 'mandatory=alpn,ipv4hint'],
    [1, '026832026833', 'alpn="h2,h3"'],
    // RFC 9460 appendix D.2: f\oo,bar and h2.
    [1, '08665c6f6f2c626172026832', String.raw`alpn="f\\\\oo\\,bar,h2"`],
    [2, '', 'no-default-alpn'],
    [3, '0035', 'port=53'],
    [4, 'c0000201c6336401', 'ipv4hint=192.0.2.1,198.51.100.1'],
    [5, '0001ff', 'ech=AAH/'],
    [6, '20010db8000000000000000000000001', 'ipv6hint=2001:db8::1'],
    [7, '2f646e732d71756572797b3f646e737d', 'dohpath="/dns-query{?dns}"'],
    [8, '', 'ohttp'],
    [667, '68656c6c6fd271', String.raw`key667="hello\210q"`],
    [65_535, '', 'key65535'],
  ])('prints key %d with %s as %s', (key, hex, text) => {
    expect(formatSvcParam({ key, octets: Uint8Array.from(Buffer.from(hex, 'hex')) })).toBe(text)
  })

  test.each([
    [0, '000100', String.raw`key0="\000\001\000"`],
    [1, '0368', String.raw`key1="\003h"`],
    [2, '78', 'key2="x"'],
    [3, '003500', String.raw`key3="\0005\000"`],
    [4, 'c00002', String.raw`key4="\192\000\002"`],
    [6, '20', 'key6=" "'],
    [8, '78', 'key8="x"'],
  ])('prints what does not fit key %d (%s) as octets', (key, hex, text) => {
    expect(formatSvcParam({ key, octets: Uint8Array.from(Buffer.from(hex, 'hex')) })).toBe(text)
  })
})
