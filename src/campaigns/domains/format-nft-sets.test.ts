import { array, assert, ipV4, ipV6, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalIp } from '../../core/ip-address.ts'
import { areSetNames, formatDurableSets, formatRuntimeSets, readNftSets, type NftSets } from './format-nft-sets.ts'

const SETS: NftSets = { table: 'inet candor', v4: 'names_v4', v6: 'names_v6', rtV4: 'names_rt_v4', rtV6: 'names_rt_v6' }

const canonical = (addresses: readonly string[]): readonly string[] => [
  ...new Set(addresses.map((address) => canonicalIp(address) ?? '')),
]

describe('readNftSets', () => {
  test('reads what is written, and counts it', () => {
    assert(
      property(array(ipV4(), { maxLength: 700 }), array(ipV6(), { maxLength: 20 }), (v4, v6) => {
        const lists = { v4: canonical(v4), v6: canonical(v6) }
        const durable = lists.v4.length + lists.v6.length
        expect(readNftSets(formatDurableSets(SETS, lists), SETS)).toEqual({ durable, runtime: 0 })
        const elements = [...lists.v4, ...lists.v6].map((address) => ({ address, timeoutSeconds: 12.5 }))
        expect(readNftSets(formatRuntimeSets(SETS, elements), SETS)).toEqual({ durable: null, runtime: durable })
      }),
      { numRuns: 30 },
    )
  })

  test('lets no other line through, whatever it is', () => {
    const right = formatDurableSets(SETS, { v4: ['198.51.100.1'], v6: [] })
    const known = new Set(right.split('\n'))
    assert(
      property(string({ unit: 'binary-ascii', minLength: 1 }), (line) => {
        if (line.split('\n').every((part) => known.has(part))) return
        expect(readNftSets(`${right}${line}\n`, SETS)).toHaveProperty('badLine')
      }),
    )
  })

  test.each([
    'flush ruleset',
    'flush set inet other names_v4',
    'delete set inet candor names_v4',
    'delete element inet candor names_v4 { 198.51.100.1 }',
    'add element inet candor names_v4 { 198.51.100.1 timeout 5s }',
    'add element inet candor names_rt_v4 { 198.51.100.1 }',
    'add element inet candor names_rt_v4 { 198.51.100.1 timeout 5s } ; flush ruleset',
    'add element inet candor names_v4 { 2001:db8::1 }',
    'add element inet candor names_v4 { 198.51.100.0/24 }',
    'add element inet candor names_v4 { 198.51.100.1-198.51.100.9 }',
    'add element inet candor names_v4 { 198.51.100.01 }',
    'include "/etc/shadow"',
    '# a comment',
    '',
  ])('refuses %j with its number', (line) => {
    expect(readNftSets(`add table inet candor\n${line}\nadd table inet candor\n`, SETS)).toEqual({ badLine: 2 })
  })
})

describe('areSetNames', () => {
  test('wants one name for each set, of letters and digits', () => {
    expect(areSetNames(SETS)).toBe(true)
    expect(areSetNames({ ...SETS, rtV4: 'names_v4' })).toBe(false)
    expect(areSetNames({ ...SETS, v6: 'a b' })).toBe(false)
    expect(areSetNames({ ...SETS, table: 'bridge candor' })).toBe(false)
  })
})
