/** Names: presentation form, limits, comparison. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalNames, formatName, type Name, nameIsUnder, parseName } from './name.ts'

/** Any name that fits 255 octets. */
const anyName: fc.Arbitrary<Name> = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 127 })
  .map((labels) => {
    let left = 254
    return labels.filter((label) => (left -= label.length + 1) >= 0)
  })

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('parseName', () => {
  test.each([
    ['.', []],
    ['example', [octets('example')]],
    ['WWW.Example.', [octets('WWW'), octets('Example')]],
    ['_dns.resolver-1.arpa', [octets('_dns'), octets('resolver-1'), octets('arpa')]],
    [String.raw`a\.b.c`, [octets('a.b'), octets('c')]],
    [String.raw`\000\255\032.x`, [Uint8Array.of(0, 255, 32), octets('x')]],
    [String.raw`\065\@`, [octets('A@')]],
  ])('reads %j', (text, labels) => {
    expect(parseName(text)).toEqual(labels)
  })

  test.each([
    '',
    '..',
    '.a',
    'a..b',
    'a b',
    'ä.example',
    'a\\',
    'a\\1',
    'a\\12',
    'a\\256',
    'a\\ä',
    'a\\ ',
    'a\tb',
    'a\u{0}',
  ])('refuses %j', (text) => {
    expect(parseName(text)).toBeUndefined()
  })

  test('takes labels of 63 octets and names of 255, and no more', () => {
    const label = 'a'.repeat(63)
    expect(parseName(label)?.[0]).toHaveLength(63)
    expect(parseName(`${label}a`)).toBeUndefined()
    // 3 × 64 + 62 + the root's octet = 255.
    const longest = `${label}.${label}.${label}.${'b'.repeat(61)}`
    expect(parseName(longest)).toHaveLength(4)
    expect(parseName(`${longest}.`)).toHaveLength(4)
    expect(parseName(`${longest}b`)).toBeUndefined()
    expect(parseName(`${longest}.b`)).toBeUndefined()
    expect(parseName('a.'.repeat(127))).toHaveLength(127)
    expect(parseName('a.'.repeat(128))).toBeUndefined()
  })
})

describe('formatName', () => {
  test('escapes what master files would take for something else', () => {
    expect(formatName([octets('a.b;"$()@\\'), Uint8Array.of(0, 32, 127, 255)])).toBe(
      String.raw`a\.b\;\"\$\(\)\@\\.\000\032\127\255`,
    )
    expect(formatName([])).toBe('.')
  })

  test('is undone by parseName', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(parseName(formatName(name))).toEqual(name)
      }),
    )
  })
})

describe('equalNames', () => {
  test('ignores the case of ASCII letters, and of nothing else', () => {
    const name = (text: string) => parseName(text) as Name
    expect(equalNames(name('Www.EXAMPLE'), name('wWW.example'))).toBe(true)
    expect(equalNames(name('www.example'), name('ww.example'))).toBe(false)
    expect(equalNames(name('www.example'), name('example'))).toBe(false)
    expect(equalNames(name('@[`{'), name('@[`{'))).toBe(true)
    // 0x40 and 0x60 and their kin differ in the same bit as letters do.
    expect(equalNames(name('\\@'), name('`'))).toBe(false)
    expect(equalNames(name('['), name('{'))).toBe(false)
    expect(equalNames(name(String.raw`\193`), name(String.raw`\225`))).toBe(false)
    // One label with a dot in it is not two.
    expect(equalNames(name(String.raw`a\.b`), name('a.b'))).toBe(false)
  })
})

describe('nameIsUnder', () => {
  test.each([
    ['www.example', 'EXAMPLE', true],
    ['example', 'example', true],
    ['example', '.', true],
    ['.', '.', true],
    ['.', 'example', false],
    ['example', 'www.example', false],
    ['badexample', 'example', false],
    [String.raw`www\.example`, 'example', false],
  ])('%s under %s: %s', (name, zone, expected) => {
    expect(nameIsUnder(parseName(name) as Name, parseName(zone) as Name)).toBe(expected)
  })
})
