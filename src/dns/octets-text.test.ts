/** Octets as text; Node's own encoders are the oracle where they have the form. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeOctets, formatBase32Hex, formatBase64, formatCharacterString, formatHex } from './octets-text.ts'

describe('formatHex', () => {
  test('agrees with Node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        expect(formatHex(octets)).toBe(Buffer.from(octets).toString('hex').toUpperCase())
      }),
    )
  })
})

describe('formatBase64', () => {
  test('agrees with Node', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        expect(formatBase64(octets)).toBe(Buffer.from(octets).toString('base64'))
      }),
    )
  })
})

describe('formatBase32Hex', () => {
  // RFC 4648 section 10, without padding.
  test.each([
    ['', ''],
    ['f', 'CO'],
    ['fo', 'CPNG'],
    ['foo', 'CPNMU'],
    ['foob', 'CPNMUOG'],
    ['fooba', 'CPNMUOJ1'],
    ['foobar', 'CPNMUOJ1E8'],
  ])('formats %j as %j', (text, expected) => {
    expect(formatBase32Hex(new TextEncoder().encode(text))).toBe(expected)
  })

  test('keeps every bit of a hash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (octets) => {
        const bits = formatBase32Hex(octets)
          .split('')
          .map((char) => Number.parseInt(char, 32).toString(2).padStart(5, '0'))
        expect(bits.join('')).toBe([...octets].map((octet) => octet.toString(2).padStart(8, '0')).join(''))
      }),
    )
  })
})

describe('formatCharacterString', () => {
  test('quotes and escapes', () => {
    expect(formatCharacterString(Uint8Array.of())).toBe('""')
    expect(formatCharacterString(Uint8Array.of(0x61, 0x20, 0x22, 0x5c, 0, 0x7f, 0xff))).toBe(
      String.raw`"a \"\\\000\127\255"`,
    )
  })
})

describe('escapeOctets', () => {
  test('leaves printable ASCII alone', () => {
    expect(escapeOctets(new TextEncoder().encode("v=spf1 ip4:192.0.2.0/24 ~all;'"))).toBe(
      "v=spf1 ip4:192.0.2.0/24 ~all;'",
    )
  })
})
