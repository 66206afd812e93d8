import { describe, expect, test } from 'vitest'
import { formatDnsmasqSets, formatIpsetSets } from './set-formats.ts'

const NAMES = { table: 'inet candor', v4: 'names_v4', v6: 'n'.repeat(31), rtV4: 'rt4', rtV6: 'rt6' }

describe('formatIpsetSets', () => {
  test('fills a set beside the old one and swaps, with names that ipset takes', () => {
    const lines = formatIpsetSets({ v4: ['192.0.2.1'], v6: [] }, NAMES).split('\n')
    expect(lines.slice(1, 6)).toEqual([
      'create names_v4_new hash:ip family inet maxelem 1048576 -exist',
      'flush names_v4_new',
      'add names_v4_new 192.0.2.1 -exist',
      'swap names_v4_new names_v4',
      'destroy names_v4_new',
    ])
    for (const name of lines.flatMap((line) => line.split(' ').slice(1, 2))) expect(name.length).toBeLessThan(32)
  })
})

describe('formatDnsmasqSets', () => {
  test('names family, table and set as dnsmasq wants them', () => {
    expect(formatDnsmasqSets(['x.example'], NAMES)).toBe('nftset=/x.example/4#inet#candor#rt4,6#inet#candor#rt6\n')
  })
})
