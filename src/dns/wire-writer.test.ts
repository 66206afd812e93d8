/** Writing: growth, ranges, compression. */
import { describe, expect, test } from 'vitest'
import { BugError } from '../core/assert.ts'
import { type Name, parseName } from './name.ts'
import { WireWriter } from './wire-writer.ts'

function name(text: string): Name {
  return parseName(text) as Name
}

function hex(writer: WireWriter): string {
  return Buffer.from(writer.finish()).toString('hex')
}

describe('WireWriter', () => {
  test('writes numbers in network order', () => {
    const writer = new WireWriter(false)
    writer.uint8(0xff)
    writer.uint16(0xfefd)
    writer.uint32(0xfcfbfaf9)
    writer.putCounted(Uint8Array.of(1, 2))
    writer.putMeasured(() => {
      writer.put(Uint8Array.of(3))
    })
    expect(hex(writer)).toBe('fffefdfcfbfaf9020102000103')
    expect(writer.length).toBe(13)
  })

  test('grows up to what TCP can carry, and no more', () => {
    const writer = new WireWriter(false)
    for (let i = 0; i < 65; i++) writer.put(new Uint8Array(1000).fill(i))
    writer.put(new Uint8Array(535))
    expect(writer.finish()).toHaveLength(65_535)
    expect(writer.finish()[64_999]).toBe(64)
    expect(() => {
      writer.uint8(0)
    }).toThrow(BugError)
  })

  test.each([
    ['uint8', 256],
    ['uint8', -1],
    ['uint8', 0.5],
    ['uint16', 65_536],
    ['uint32', 2 ** 32],
    ['uint32', Number.NaN],
  ] as const)('refuses %s %d', (method, value) => {
    expect(() => {
      new WireWriter(false)[method](value)
    }).toThrow(BugError)
  })

  test('compresses names against earlier ones of the same case', () => {
    const writer = new WireWriter(true)
    writer.name(name('www.example'), true)
    writer.name(name('mail.example'), true)
    writer.name(name('EXAMPLE'), true)
    writer.name(name('www.example'), true)
    expect(hex(writer)).toBe(['03777777076578616d706c6500', '046d61696cc004', '074558414d504c4500', 'c000'].join(''))
  })

  test('neither points nor is pointed to where compression is forbidden', () => {
    const writer = new WireWriter(true)
    writer.name(name('a.b'), false)
    writer.name(name('a.b'), true)
    writer.name(name('a.b'), false)
    expect(hex(writer)).toBe('0161016200'.repeat(3))
  })

  test('does not point beyond 14 bits', () => {
    const writer = new WireWriter(true)
    writer.put(new Uint8Array(0x3fff))
    writer.name(name('a.b'), true)
    writer.name(name('b'), true)
    writer.name(name('a.b'), true)
    // a.b starts at the last octet that a pointer reaches; b, two octets later, does not.
    expect(hex(writer).slice(0x3fff * 2)).toBe(['0161016200', '016200', 'ffff'].join(''))
  })

  test.each([
    ['an empty label', [Uint8Array.of()]],
    ['a label of 64 octets', [new Uint8Array(64)]],
    ['a name of 256 octets', Array.from({ length: 5 }, () => new Uint8Array(50))],
  ])('refuses %s', (_what, labels) => {
    expect(() => {
      new WireWriter(false).name(labels, false)
    }).toThrow(BugError)
  })
})
