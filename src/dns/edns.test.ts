/** EDNS options: shapes that give back their octets, or octets. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BugError } from '../core/assert.ts'
import { decodeEdnsOptions, type EdnsOption, encodeEdnsOption } from './edns.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

function decode(hex: string): readonly EdnsOption[] {
  const reader = new WireReader(Uint8Array.from(Buffer.from(hex, 'hex')))
  const options = decodeEdnsOptions(reader)
  expect(reader.failure).toBeUndefined()
  return options
}

function encode(option: EdnsOption): string {
  const writer = new WireWriter(false)
  encodeEdnsOption(writer, option)
  return Buffer.from(writer.finish()).toString('hex')
}

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

const shaped: readonly (readonly [string, EdnsOption])[] = [
  ['00030000', { kind: 'nsid', octets: octets('') }],
  ['000300026e31', { kind: 'nsid', octets: octets('6e31') }],
  ['0008000700011800c00002', { kind: 'client_subnet', address: '192.0.2.0', sourceBits: 24, scopeBits: 0 }],
  [
    '000800080001191e c0000280'.replace(' ', ''),
    { kind: 'client_subnet', address: '192.0.2.128', sourceBits: 25, scopeBits: 30 },
  ],
  ['0008000400010000', { kind: 'client_subnet', address: '0.0.0.0', sourceBits: 0, scopeBits: 0 }],
  ['000800080002203820010db8', { kind: 'client_subnet', address: '2001:db8::', sourceBits: 32, scopeBits: 56 }],
  ['000a00080102030405060708', { kind: 'cookie', client: octets('0102030405060708'), server: octets('') }],
  [
    '000a001001020304050607081112131415161718',
    { kind: 'cookie', client: octets('0102030405060708'), server: octets('1112131415161718') },
  ],
  ['000c0003000000', { kind: 'padding', sizeOctets: 3 }],
  ['000c0000', { kind: 'padding', sizeOctets: 0 }],
  ['000f00020012', { kind: 'extended_error', infoCode: 18, text: '' }],
  ['000f00060006e29c9721', { kind: 'extended_error', infoCode: 6, text: '✗!' }],
  ['000f0005001 6efbbbf'.replace(' ', ''), { kind: 'extended_error', infoCode: 22, text: '\u{feff}' }],
  ['fde900020102', { kind: 'unknown', code: 65_001, octets: octets('0102') }],
]

describe('decodeEdnsOptions', () => {
  test.each(shaped)('reads %s', (hex, option) => {
    expect(decode(hex)).toEqual([option])
  })

  test.each([
    ['client subnet of an unknown family', '0008000400030000'],
    ['client subnet that is too short for its family', '0008000300 0100'.replace(' ', '')],
    ['client subnet with too few octets', '00080006000118 00c000'.replace(' ', '')],
    ['client subnet with too many octets', '0008000800011800c0000200'],
    ['client subnet with bits after the prefix', '0008000700011700c00003'],
    ['client subnet with 33 bits', '000800090001210 0c000020000'.replace(' ', '')],
    ['client subnet with a scope of 33 bits', '0008000700011821c00002'],
    ['client cookie of 7 octets', '000a000701020304050607'],
    ['server cookie of 7 octets', '000a000f010203040506070811121314151617'],
    ['server cookie of 33 octets', `000a0029${'01'.repeat(41)}`],
    ['padding that is not zero', '000c0003000001'],
    ['extended error without a code', '000f000100'],
    ['extended error that is not UTF-8', '000f00040006ff21'],
  ])('keeps a %s as octets', (_what, hex) => {
    const code = Number.parseInt(hex.slice(0, 4), 16)
    expect(decode(hex)).toEqual([{ kind: 'unknown', code, octets: octets(hex.slice(8)) }])
  })

  test.each(['00', '0003', '000300', '00030001', '00030000000a0008'])('fails on the frame %s', (hex) => {
    const reader = new WireReader(octets(hex))
    decodeEdnsOptions(reader)
    expect(reader.failure?.reason).toBe('ends too early')
  })

  test('is undone by encodeEdnsOption, whatever the octets', () => {
    const anyOption = fc.tuple(fc.constantFrom(3, 8, 10, 12, 15, 65_001), fc.uint8Array({ maxLength: 45 }))
    fc.assert(
      fc.property(anyOption, ([code, content]) => {
        const head = Uint8Array.of(code >> 8, code & 0xff, 0, content.length)
        const hex = Buffer.concat([head, content]).toString('hex')
        expect(decode(hex).map(encode)).toEqual([hex])
      }),
    )
  })
})

describe('encodeEdnsOption', () => {
  test.each(shaped)('writes %s', (hex, option) => {
    expect(encode(option)).toBe(hex)
  })

  test('clears the bits of an address that the prefix does not cover', () => {
    const option = { kind: 'client_subnet', address: '192.0.2.77', sourceBits: 23, scopeBits: 0 } as const
    expect(encode(option)).toBe('0008000700011700c00002')
  })

  test.each<EdnsOption>([
    { kind: 'cookie', client: octets('01'), server: octets('') },
    { kind: 'cookie', client: octets('0102030405060708'), server: octets('01') },
    { kind: 'client_subnet', address: 'example', sourceBits: 0, scopeBits: 0 },
    { kind: 'client_subnet', address: '192.0.2.0', sourceBits: 33, scopeBits: 0 },
  ])('refuses %j', (option) => {
    expect(() => encode(option)).toThrow(BugError)
  })
})
