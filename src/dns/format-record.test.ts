/** Records as lines. */
import { describe, expect, test } from 'vitest'
import { formatRecord } from './format-record.ts'
import { type Name, parseName } from './name.ts'

describe('formatRecord', () => {
  test('prints owner, TTL, class, type and content', () => {
    const name = parseName('Www.example') as Name
    const rdata = { kind: 'a', address: '192.0.2.1' } as const
    expect(formatRecord({ name, type: 1, class: 1, ttl: 300, rdata })).toBe('Www.example. 300 IN A 192.0.2.1')
  })

  test('prints the root, unknown classes and unknown types as RFC 3597 says', () => {
    const rdata = { kind: 'unknown', octets: Uint8Array.of(10, 0, 0, 1) } as const
    expect(formatRecord({ name: [], type: 731, class: 32, ttl: 4_294_967_295, rdata })).toBe(
      String.raw`. 4294967295 CLASS32 TYPE731 \# 4 0A000001`,
    )
  })
})
