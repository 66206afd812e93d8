import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'
import { resolveCooldown, resolvePace } from './bulk-pace.ts'

/** Resolvers in as many prefixes, each of another autonomous system, public ones first. */
function makeResolvers(publicOnes: number, own = 0): readonly BulkResolver[] {
  const make = (prefix: number, count: number, isPaced: boolean): BulkResolver[] =>
    Array.from({ length: count }, (_, i) => ({ address: `${prefix}.${i >> 8}.${i & 255}.1`, port: 53, isPaced }))
  return [...make(9, publicOnes, true), ...make(10, own, false)]
}

const plan = { lookup: ([, second = 0]: Uint8Array) => ({ asn: 64_500 + second, asName: '', country: '' }) }
const broken = {
  lookup: (): never => {
    throw new ConfigError('table', 'it is not there', 'npm install')
  },
}

describe('resolvePace', () => {
  test('paces public resolvers and leaves one’s own alone', () => {
    const { pace, resolvers } = resolvePace({}, makeResolvers(2, 2), plan)
    expect(pace).toEqual({ rate: 5_000, perResolver: 50 })
    expect(resolvers.map(({ isPaced }) => isPaced)).toEqual([true, true, false, false])
    expect(resolvePace({}, makeResolvers(0, 2), plan).pace).toEqual({ rate: 0, perResolver: 0 })
  })
  test('looks for networks only where their caps can be reached', () => {
    const few = resolvePace({}, makeResolvers(5), broken).pace.groups
    expect(few).toMatchObject({ perPrefix: 200, perAs: 0 })
    const many = resolvePace({}, makeResolvers(300), plan).pace.groups
    expect(many).toMatchObject({ perPrefix: 200, perAs: 1_000 })
    expect(new Set(many?.asOf)).toEqual(new Set([0, 1]))
    expect(new Set(many?.prefixOf).size).toBe(300)
  })
  test('needs no table for a default, and does for what was asked for', () => {
    expect([...(resolvePace({}, makeResolvers(30), broken).pace.groups?.asOf ?? [])]).toEqual(Array(30).fill(-1))
    expect(() => resolvePace({ perAs: '10' }, makeResolvers(30), broken)).toThrow(ConfigError)
  })
  test('paces all resolvers by what was asked for, one’s own as well', () => {
    const own = resolvePace({ perPrefix: '20' }, makeResolvers(0, 3), plan)
    expect(own.pace).toMatchObject({ rate: 0, perResolver: 0, groups: { perPrefix: 20, perAs: 0 } })
    expect(own.resolvers.every(({ isPaced }) => isPaced)).toBe(true)
    const both = resolvePace({ rate: '100' }, makeResolvers(1, 1), plan)
    expect(both.pace).toEqual({ rate: 100, perResolver: 50 })
    expect(both.resolvers.every(({ isPaced }) => isPaced)).toBe(true)
  })
  test('holds nothing back when no rate is wanted, but for what was asked for beside it', () => {
    const free = resolvePace({ rate: 'unlimited' }, makeResolvers(300), broken)
    expect(free.pace).toEqual({ rate: 0, perResolver: 0 })
    expect(free.resolvers.some(({ isPaced }) => isPaced)).toBe(false)
    const capped = resolvePace({ rate: 'unlimited', perResolver: '7' }, makeResolvers(3), plan)
    expect(capped.pace).toEqual({ rate: 0, perResolver: 7 })
    expect(capped.resolvers.every(({ isPaced }) => isPaced)).toBe(true)
  })
})

describe('resolveCooldown', () => {
  test('lets public resolvers and those over connections rest, and one’s own if that is wanted', () => {
    expect(resolveCooldown({}, makeResolvers(1), false)).toMatchObject({ restMs: 1_000, restMsMax: 64_000 })
    expect(resolveCooldown({}, makeResolvers(0, 1), true)).toMatchObject({ restMs: 1_000 })
    expect(resolveCooldown({}, makeResolvers(0, 1), false)).toBeNull()
    expect(resolveCooldown({ cooldown: '250' }, makeResolvers(0, 1), false)).toMatchObject({ restMs: 250 })
    expect(resolveCooldown({ cooldown: '0' }, makeResolvers(1), true)).toBeNull()
  })
})
