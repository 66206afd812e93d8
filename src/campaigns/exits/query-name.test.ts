import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/config-error.ts'
import {
  checkBaseDomain,
  createMomentAllocator,
  formatQueryName,
  formatRunIdForFile,
  parseQueryName,
  parseRunId,
} from './query-name.ts'

const NAME = {
  runId: '20250114143052',
  attempt: 1,
  timestampMs: Date.UTC(2025, 0, 14, 14, 31, 27, 789),
  fingerprint: 'ABCD1234ABCD5678ABCD9012ABCD3456ABCD7890',
  baseDomain: 'tor.exit.example.net',
}
const TEXT = '20250114143052.1.20250114143127789.ABCD1234ABCD5678ABCD9012ABCD3456ABCD7890.tor.exit.example.net'

describe('formatQueryName', () => {
  test('builds the form of the plan', () => {
    expect(formatQueryName(NAME)).toBe(TEXT)
    expect(formatQueryName({ ...NAME, timestampMs: Math.floor(NAME.timestampMs / 1000) * 1000 })).toContain('127000.')
  })
})

describe('parseQueryName', () => {
  test('reads a name in any casing, with a trailing dot or without', () => {
    expect(parseQueryName(TEXT)).toEqual(NAME)
    expect(parseQueryName(TEXT.toLowerCase())).toEqual(NAME)
    expect(parseQueryName(`${TEXT.replace('example', 'eXaMpLe')}.`)).toEqual(NAME)
  })

  test('gives back what was built', () => {
    const hex = fc.array(fc.constantFrom(...'0123456789ABCDEF'.split('')), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(hex, fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 99 }), (digits, timestampMs, n) => {
        const name = { ...NAME, fingerprint: digits.join(''), timestampMs, attempt: n }
        expect(parseQueryName(formatQueryName(name))).toEqual(name)
      }),
    )
  })

  test.each([
    '',
    'example.net',
    TEXT.slice(1),
    TEXT.replace('.1.', '.x.'),
    TEXT.replace('20250114143127789', '20250230143127789'),
    TEXT.replace('20250114143127789', '20251314143127789'),
    TEXT.replace('ABCD1234', 'GHIJ1234'),
    TEXT.slice(0, TEXT.indexOf('.tor')),
    `${TEXT.slice(0, TEXT.indexOf('.tor'))}.`,
  ])('refuses %j', (text) => {
    expect(parseQueryName(text)).toBeUndefined()
  })
})

describe('checkBaseDomain', () => {
  test('gives the domain in lower case without trailing dot', () => {
    expect(checkBaseDomain('Exits.Example.NET.', '--domain')).toBe('exits.example.net')
    expect(checkBaseDomain('_exits.example', '--domain')).toBe('_exits.example')
  })

  test('takes the longest domain that fits and no longer one', () => {
    const domain = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(47)}`
    expect(domain).toHaveLength(175)
    expect(formatQueryName({ ...NAME, attempt: 160, baseDomain: checkBaseDomain(domain, '--domain') })).toHaveLength(
      253,
    )
    expect(() => checkBaseDomain(`${domain}c`, '--domain')).toThrow(/176 octets; with the 78 in front/)
  })

  test('says what is wrong, why, and the corrected form', () => {
    const error = catchConfigError(() => checkBaseDomain(`${'a'.repeat(64)}.example`, 'exits.domain'))
    expect(error.path).toBe('exits.domain')
    expect(error.message).toContain('a label of 64 octets')
    expect(error.hint).toBe(`exits.domain ${'a'.repeat(63)}.example`)
    const long = catchConfigError(() => checkBaseDomain(`${'a.'.repeat(100)}example`, '--domain'))
    expect(long.hint).toMatch(/^--domain with at most 175 octets, for example (a\.)+example$/)
  })

  test.each(['', '.', 'a..b', 'a b.example', 'ä.example', 'a@b.example', 'a/b'])('refuses %j', (domain) => {
    expect(() => checkBaseDomain(domain, '--domain')).toThrow(ConfigError)
  })
})

describe('parseRunId', () => {
  test('reads both forms', () => {
    expect(parseRunId('20250114143052')).toBe('20250114143052')
    expect(parseRunId('20250114_143052')).toBe('20250114143052')
  })

  test.each(['', '2025011414305', '20250114-143052', '20250230143052', '20250114_243052', '20250114143052x'])(
    'refuses %j',
    (text) => {
      expect(parseRunId(text)).toBeUndefined()
    },
  )
})

describe('formatRunIdForFile', () => {
  test('puts the underscore between day and time', () => {
    expect(formatRunIdForFile('20250114143052')).toBe('20250114_143052')
  })
})

describe('createMomentAllocator', () => {
  test('gives the time, or the next free millisecond, also when the clock is set back', () => {
    const allocator = createMomentAllocator()
    expect([1000.7, 1000.9, 1005, 3, 1007].map((nowMs) => allocator.next(nowMs))).toEqual([
      1000, 1001, 1005, 1006, 1007,
    ])
  })
})

function catchConfigError(action: () => unknown): ConfigError {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error
  }
  throw new Error('no ConfigError was thrown')
}
