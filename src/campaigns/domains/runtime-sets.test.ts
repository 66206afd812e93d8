import { describe, expect, test } from 'vitest'
import { createRuntimeAddresses } from './runtime-sets.ts'

const isWatched = (name: string): boolean => name.endsWith('zone.example')

describe('createRuntimeAddresses', () => {
  test('gives each address an hour from its newest answer, and forgets it then', () => {
    const addresses = createRuntimeAddresses(isWatched)
    addresses.observe([{ name: 'a.zone.example', addresses: ['198.51.100.1', '198.51.100.2'], atMs: 0 }])
    addresses.observe([{ name: 'b.zone.example', addresses: ['198.51.100.1'], atMs: 600_000 }])
    expect(addresses.elements(1_200_000)).toEqual([
      { address: '198.51.100.2', timeoutSeconds: 2_400 },
      { address: '198.51.100.1', timeoutSeconds: 3_000 },
    ])
    expect(addresses.elements(3_600_000)).toEqual([{ address: '198.51.100.1', timeoutSeconds: 600 }])
    expect(addresses.elements(9_000_000)).toEqual([])
  })

  test('says whether an answer counts', () => {
    const addresses = createRuntimeAddresses(isWatched)
    expect(addresses.observe([{ name: 'a.other.example', addresses: ['198.51.100.1'], atMs: 0 }])).toBe(false)
    expect(addresses.elements(0)).toEqual([])
  })

  test('gives nobody more than an hour when the clock was set back', () => {
    const addresses = createRuntimeAddresses(isWatched)
    addresses.observe([{ name: 'zone.example', addresses: ['198.51.100.1'], atMs: 9_000_000 }])
    expect(addresses.elements(0)).toEqual([{ address: '198.51.100.1', timeoutSeconds: 3_600 }])
  })

  test('keeps the newest addresses when there are too many', () => {
    const addresses = createRuntimeAddresses(isWatched)
    const atMs = 1_000
    for (let block = 0; block < 257; block++) {
      const list = Array.from({ length: 256 }, (_, index) =>
        `198.18.${block % 256}.${index}`.replace('198', block > 255 ? '203' : '198'),
      )
      addresses.observe([{ name: 'zone.example', addresses: list, atMs }])
    }
    const elements = addresses.elements(atMs)
    expect(elements).toHaveLength(65_536)
    expect(elements.some(({ address }) => address === '198.18.0.0')).toBe(false)
    expect(elements.at(-1)?.address).toBe('203.18.0.255')
  })
})
