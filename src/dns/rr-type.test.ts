/** Types and classes: mnemonics and numbers. */
import { describe, expect, test } from 'vitest'
import { formatRrClass, formatRrType, parseRrType, RR_TYPES } from './rr-type.ts'

describe('parseRrType', () => {
  test.each([
    ['A', 1],
    ['aaaa', 28],
    ['Https', 65],
    ['TYPE1', 1],
    ['type65535', 65_535],
    ['TYPE0', 0],
    ['TYPE65536', undefined],
    ['TYPE', undefined],
    ['TYPE-1', undefined],
    ['', undefined],
    ['NOPE', undefined],
    ['constructor', undefined],
  ])('reads %j as %j', (text, type) => {
    expect(parseRrType(text)).toBe(type)
  })
})

describe('formatRrType', () => {
  test('is undone by parseRrType for every number', () => {
    for (let type = 0; type <= 0xffff; type++) expect(parseRrType(formatRrType(type))).toBe(type)
  })

  test('has one number per mnemonic', () => {
    expect(new Set(RR_TYPES.values()).size).toBe(RR_TYPES.size)
    expect(formatRrType(65_280)).toBe('TYPE65280')
  })
})

describe('formatRrClass', () => {
  test('prints mnemonics, and RFC 3597 form without one', () => {
    expect([1, 3, 4, 254, 255, 32, 0].map(formatRrClass)).toEqual([
      'IN',
      'CH',
      'HS',
      'NONE',
      'ANY',
      'CLASS32',
      'CLASS0',
    ])
  })
})
