import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createConsensusReader, type Consensus } from './consensus.ts'

const FULL = `network-status-version 3
vote-status consensus
consensus-method 33
valid-after 2026-01-31 12:00:00
fresh-until 2026-01-31 13:00:00
params CircuitPriorityHalflifeMsec=30000 exit_dns_num_attempts=2 exit_dns_timeout=2000 bad=x neg=-1
dir-source moria1 D586D18309DED4CD6D57C18FDB97EFA96D330566 192.0.2.9 192.0.2.9 9131 9101
r alpha AAoQ1DAR6kkoo19hBAX5K0QztNw 3yHZ8XlEWqXuNJPZrIvj9SOz9NQ 2038-01-01 00:00:00 192.0.2.1 9001 0
a [2001:db8::1]:9001
s Exit Fast Guard Running Stable V2Dir Valid
v Tor 0.4.8.12
w Bandwidth=12000
p accept 80,443
r beta AAwffNL+oHO5EdyUoWAOwvEX3ws /nvQwOLZZBJcHUVvZ5xVOZVUW6M 2038-01-01 00:00:00 192.0.2.2 443 80
s BadExit Running Valid
w Bandwidth=5 Unmeasured=1
p reject 1-65535
directory-footer
bandwidth-weights Wbd=0
r ghost AAwffNL+oHO5EdyUoWAOwvEX3wt /nvQwOLZZBJcHUVvZ5xVOZVUW6M 2038-01-01 00:00:00 999.0.2.2 443 80`

function read(text: string): Consensus {
  const reader = createConsensusReader()
  for (const line of text.split('\n')) reader.take(line)
  return reader.finish()
}

describe('createConsensusReader', () => {
  test('reads the ns flavour', () => {
    const { validAfter, params, entries } = read(FULL)
    expect(validAfter).toBe('2026-01-31T12:00:00.000Z')
    expect(Object.fromEntries(params)).toEqual({
      CircuitPriorityHalflifeMsec: 30_000,
      exit_dns_num_attempts: 2,
      exit_dns_timeout: 2_000,
      neg: -1,
    })
    expect([...entries.keys()]).toEqual([
      '000A10D43011EA4928A35F610405F92B4433B4DC',
      '000C1F7CD2FEA073B911DC94A1600EC2F117DF0B',
    ])
    expect(entries.get('000A10D43011EA4928A35F610405F92B4433B4DC')).toEqual({
      fingerprint: '000A10D43011EA4928A35F610405F92B4433B4DC',
      nickname: 'alpha',
      address: '192.0.2.1',
      orPort: 9001,
      moreAddresses: ['[2001:db8::1]:9001'],
      flags: new Set(['Exit', 'Fast', 'Guard', 'Running', 'Stable', 'V2Dir', 'Valid']),
      bandwidth: 12_000,
      measured: true,
      policySummary: 'accept 80,443',
      microdescriptorDigest: null,
    })
    expect(entries.get('000C1F7CD2FEA073B911DC94A1600EC2F117DF0B')).toMatchObject({ measured: false, bandwidth: 5 })
  })

  test('reads the microdesc flavour', () => {
    const { entries } = read(`valid-after 2026-01-31 12:00:00
r alpha AAoQ1DAR6kkoo19hBAX5K0QztNw 2038-01-01 00:00:00 192.0.2.1 9001 0
m OoZmrf75t1FVGXDmdqX5ZGAVtx7pLilTPhjCdM47w8s
s Running`)
    expect([...entries.values()]).toMatchObject([
      { address: '192.0.2.1', microdescriptorDigest: 'OoZmrf75t1FVGXDmdqX5ZGAVtx7pLilTPhjCdM47w8s' },
    ])
  })

  test('skips an entry whose first line cannot be read, with all its lines', () => {
    const { entries } = read(FULL.replace('192.0.2.1 9001', 'evil 9001'))
    expect([...entries.values()].map((entry) => entry.nickname)).toEqual(['beta'])
    expect([...entries.values()][0]?.moreAddresses).toEqual([])
  })

  test('survives every damage', () => {
    fc.assert(
      fc.property(fc.nat(FULL.length), fc.string({ maxLength: 40 }), fc.nat(200), (at, patch, cut) => {
        const { entries } = read(FULL.slice(0, at) + patch + FULL.slice(at + cut))
        for (const entry of entries.values()) expect(entry.fingerprint).toMatch(/^[\dA-F]{40}$/)
      }),
    )
  })
})
