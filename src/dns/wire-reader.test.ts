/** Reading: the first failure sticks, names end. */
import { describe, expect, test } from 'vitest'
import { formatName } from './name.ts'
import { WireReader } from './wire-reader.ts'

/** A reader at octet 12, as if a header had been read. */
function readerAfterHeader(hex: string): WireReader {
  const reader = new WireReader(Uint8Array.from(Buffer.from('00'.repeat(12) + hex, 'hex')))
  reader.offset = 12
  return reader
}

describe('WireReader', () => {
  test('reads numbers in network order', () => {
    const reader = new WireReader(Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 1, 0x61))
    expect(reader.uint8()).toBe(0xff)
    expect(reader.uint16()).toBe(0xfefd)
    expect(reader.uint32()).toBe(0xfcfbfaf9)
    expect(reader.takeCounted()).toEqual(Uint8Array.of(0x61))
    expect(reader.remaining()).toBe(0)
    expect(reader.failure).toBeUndefined()
  })

  test('keeps the first failure and gives zeros from then on', () => {
    const reader = new WireReader(Uint8Array.of(1, 2, 3))
    expect(reader.uint8()).toBe(1)
    expect(reader.uint32()).toBe(0)
    expect(reader.failure).toEqual({ offset: 1, reason: 'ends too early' })
    expect(reader.uint8()).toBe(0)
    expect(reader.uint16()).toBe(0)
    expect(reader.take(1)).toHaveLength(0)
    expect(reader.name('follow')).toEqual([])
    expect(reader.remaining()).toBe(0)
    reader.fail('something else')
    expect(reader.failure).toEqual({ offset: 1, reason: 'ends too early' })
  })

  test('stops at a limit', () => {
    const reader = new WireReader(Uint8Array.of(1, 2, 3, 4))
    const outer = reader.limit(2)
    expect(outer).toBe(4)
    expect(reader.takeRest()).toEqual(Uint8Array.of(1, 2))
    expect(reader.uint8()).toBe(0)
    expect(reader.failure?.offset).toBe(2)
  })

  test('gives copies, not views', () => {
    const octets = Uint8Array.of(1, 0x61, 0, 7)
    const reader = new WireReader(octets)
    const name = reader.name('follow')
    const rest = reader.takeRest()
    octets.fill(0xff)
    expect([formatName(name), ...rest]).toEqual(['a', 7])
  })

  test('follows pointers and goes on behind the first one', () => {
    // 12: a.b  17: c + pointer to 14 (b)  21: pointer to 17  23: pointer to 17
    const reader = readerAfterHeader('016101620001 63c00ec011c011'.replace(' ', ''))
    expect(formatName(reader.name('follow'))).toBe('a.b')
    expect(formatName(reader.name('follow'))).toBe('c.b')
    expect(reader.hasFollowedPointer).toBe(true)
    const third = reader.name('follow')
    expect(formatName(third)).toBe('c.b')
    expect(reader.name('follow')).toBe(third)
    expect(reader.remaining()).toBe(0)
    expect(reader.failure).toBeUndefined()
  })

  test.each([
    ['c00c', 'compression pointer that does not lead back', 12],
    ['c00d', 'compression pointer that does not lead back', 12],
    ['ffff', 'compression pointer that does not lead back', 12],
    ['c00b', 'compression pointer into the header', 12],
    ['c000', 'compression pointer into the header', 12],
    ['0161c00c', 'compression pointer that does not lead back', 14],
    ['c0', 'compression pointer ends too early', 12],
    ['', 'name ends too early', 12],
    ['0161', 'name ends too early', 14],
    ['0261', 'label ends too early', 12],
    ['4061', 'label of an unknown kind', 12],
    ['8061', 'label of an unknown kind', 12],
    ['bf61', 'label of an unknown kind', 12],
    [`${`3f${'61'.repeat(63)}`.repeat(4)}00`, 'name longer than 255 octets', 204],
  ])('refuses the name %s', (hex, reason, offset) => {
    const reader = readerAfterHeader(hex)
    expect(reader.name('follow')).toEqual([])
    expect(reader.failure).toEqual({ offset, reason })
  })

  test('refuses a pointer where it is forbidden', () => {
    const reader = readerAfterHeader('016100c00c')
    expect(formatName(reader.name('refuse'))).toBe('a')
    expect(reader.name('refuse')).toEqual([])
    expect(reader.failure).toEqual({ offset: 15, reason: 'compressed name in a type that forbids it' })
    expect(reader.hasFollowedPointer).toBe(false)
  })

  test('refuses a name whose labels run into its own pointer', () => {
    // 12: label a, 14: pointer to 12: a.a.a… for ever.
    const reader = readerAfterHeader('0161c00c')
    reader.offset = 14
    reader.name('follow')
    expect(reader.failure).toEqual({ offset: 14, reason: 'compression pointer that does not lead back' })
  })

  test('takes chains of 127 pointers and no more', () => {
    // 12: root, then pointers, each to the one before.
    let hex = '00'
    for (let i = 0; i < 200; i++) hex += (0xc000 | (i === 0 ? 12 : 13 + (i - 1) * 2)).toString(16)
    const within = readerAfterHeader(hex)
    within.offset = 13 + 126 * 2
    expect(within.name('follow')).toEqual([])
    expect(within.failure).toBeUndefined()
    const beyond = readerAfterHeader(hex)
    beyond.offset = 13 + 127 * 2
    beyond.name('follow')
    expect(beyond.failure?.reason).toBe('too many compression pointers')
  })

  test('counts the octets behind a pointer that is known already', () => {
    // 12: 3 labels of 63 and the root's octet; then 62 octets and a pointer, twice; then 63 octets and a pointer.
    const label = (length: number) => length.toString(16).padStart(2, '0') + '61'.repeat(length)
    const reader = readerAfterHeader(`${label(63).repeat(3)}00${`${label(61)}c00c`.repeat(2)}${label(62)}c00c`)
    expect(reader.name('follow')).toHaveLength(3)
    expect(reader.name('follow')).toHaveLength(4)
    expect(reader.name('follow')).toHaveLength(4)
    expect(reader.failure).toBeUndefined()
    expect(reader.name('follow')).toEqual([])
    expect(reader.failure).toEqual({ offset: 12 + 193 + 2 * 64 + 63, reason: 'name longer than 255 octets' })
  })

  test('shares the labels of names that point into one another', () => {
    // 12: a.b.c, then d + pointer to b, then e + pointer to b.
    const reader = readerAfterHeader('0161016201630001 64c00e0165c00e'.replace(' ', ''))
    reader.name('follow')
    const [first, second] = [reader.name('follow'), reader.name('follow')]
    expect([formatName(first), formatName(second)]).toEqual(['d.b.c', 'e.b.c'])
    expect(second[1]).toBe(first[1])
  })
})
