/** Type bitmaps: one form only. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeTypeBitmap, encodeTypeBitmap } from './type-bitmap.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

function encode(types: readonly number[]): Uint8Array {
  const writer = new WireWriter(false)
  encodeTypeBitmap(writer, types)
  return writer.finish()
}

describe('encodeTypeBitmap', () => {
  test('writes the example of RFC 4034 section 4.3', () => {
    const expected = `0006400100000003041b${'00'.repeat(26)}20`
    expect(Buffer.from(encode([1, 15, 46, 47, 1234])).toString('hex')).toBe(expected)
    expect(Buffer.from(encode([1234, 47, 1, 46, 15, 1])).toString('hex')).toBe(expected)
  })

  test('is undone by decodeTypeBitmap', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 0xffff })), (types) => {
        const reader = new WireReader(encode(types))
        expect(decodeTypeBitmap(reader)).toEqual([...types].sort((a, b) => a - b))
        expect(reader.failure).toBeUndefined()
      }),
    )
  })
})

describe('decodeTypeBitmap', () => {
  test.each([
    ['0100', 'type bitmap window of a wrong size'],
    [`0021${'01'.repeat(33)}`, 'type bitmap window of a wrong size'],
    ['00024000', 'type bitmap window with trailing zeros'],
    ['000100', 'type bitmap window with trailing zeros'],
    ['000140000140', 'type bitmap windows out of order'],
    ['010140000140', 'type bitmap windows out of order'],
    ['000240', 'ends too early'],
    ['00', 'ends too early'],
  ])('refuses %s', (hex, reason) => {
    const reader = new WireReader(Buffer.from(hex, 'hex'))
    decodeTypeBitmap(reader)
    expect(reader.failure?.reason).toBe(reason)
  })
})
