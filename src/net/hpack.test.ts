/** Header lists of HTTP/2. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHpackDecoder, encodeHeaders } from './hpack.ts'
import { decodeHuffman } from './huffman-code.ts'

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

describe('createHpackDecoder', () => {
  test('decodes the responses of RFC 7541 appendix C.6, with Huffman and a table that fills', () => {
    const decoder = createHpackDecoder()
    const first = hex(
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
       97c8 e9ae 82ae 43d3`.replaceAll(/\s+/g, ''),
    )
    const headers = [
      [':status', '302'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ]
    expect(decoder.decode(first)).toEqual(headers)
    expect(decoder.decode(hex('4883 640e ff c1 c0 bf'))).toEqual([[':status', '307'], ...headers.slice(1)])
  })

  test('forgets its table where it is told to', () => {
    const decoder = createHpackDecoder()
    expect(decoder.decode(hex('40 01 61 01 62'))).toEqual([['a', 'b']])
    expect(decoder.decode(hex('be'))).toEqual([['a', 'b']])
    expect(decoder.decode(hex('20'))).toEqual([])
    expect(decoder.decode(hex('be'))).toBeUndefined()
  })

  test.each([
    ['index 0', '80'],
    ['an index without entry', 'ff ff 01'],
    ['an integer without end', 'ff ff ff ff ff ff ff'],
    ['a string longer than the block', '40 01 61 7f'],
    ['a table larger than we allow', '3f e2 1f'],
    ['a change of the table behind a header', '88 20'],
    ['a name that ends', '40 05 61'],
  ])('refuses %s', (_name, block) => {
    expect(createHpackDecoder().decode(hex(block))).toBeUndefined()
  })

  test('refuses a short block that means a long list', () => {
    const decoder = createHpackDecoder()
    const value = 'x'.repeat(2000)
    decoder.decode(Uint8Array.of(0x40, 1, 0x61, ...hex('7fd10e'), ...new TextEncoder().encode(value)))
    expect(decoder.decode(new Uint8Array(15).fill(0xbe))).toHaveLength(15)
    expect(decoder.decode(new Uint8Array(17).fill(0xbe))).toBeUndefined()
    expect(createHpackDecoder().decode(new Uint8Array(129).fill(0x88))).toBeUndefined()
  })

  test('never throws, whatever the octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (blocks) => {
        const decoder = createHpackDecoder()
        for (const block of blocks) {
          const headers = decoder.decode(block)
          expect(headers === undefined || Array.isArray(headers)).toBe(true)
        }
      }),
    )
  })
})

describe('encodeHeaders', () => {
  test('encodes what the decoder gives back', () => {
    const anyText = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
    const anyName = fc.oneof(
      fc.constantFrom(':path', 'accept', ':method', 'x-a'),
      anyText.filter((text) => text !== ''),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, anyText), { maxLength: 20 }), (headers) => {
        expect(createHpackDecoder().decode(encodeHeaders(headers))).toEqual(headers)
      }),
    )
  })

  test('uses the static table', () => {
    expect(
      encodeHeaders([
        [':method', 'POST'],
        [':scheme', 'https'],
        [':path', '/x'],
      ]),
    ).toEqual(hex('83 87 04 02 2f 78'))
  })
})

describe('decodeHuffman', () => {
  test.each([
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
    ['', ''],
    ['ff', undefined],
    ['fffffffc', undefined],
    ['18', undefined],
  ])('decodes %s', (octets, text) => {
    expect(decodeHuffman(hex(octets))).toBe(text)
  })
})
