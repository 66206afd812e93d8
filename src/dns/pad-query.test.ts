/** Padding of queries. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from './decode-message.ts'
import { parseName } from './name.ts'
import { encodeQuery } from './encode-message.ts'
import { encodePaddedQuery, padQuery } from './pad-query.ts'

describe('encodePaddedQuery', () => {
  test('gives multiples of 128 octets, whatever the name and the options', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 63 }), fc.integer({ min: 0, max: 400 }), (label, size) => {
        const name = parseName(`${'a'.repeat(label)}.example`) ?? []
        const options = [{ kind: 'unknown', code: 65_001, octets: new Uint8Array(size) } as const]
        const octets = encodePaddedQuery({ id: 1, name, type: 1, recursionDesired: true, edns: { options } })
        expect(octets.length % 128).toBe(0)
        const decoded = decodeMessage(octets)
        expect(decoded.kind === 'message' && decoded.message.edns?.options).toMatchObject([
          { code: 65_001 },
          { kind: 'padding' },
        ])
      }),
    )
  })

  test('adds no block where the query is long enough already', () => {
    const name = parseName('zone.example') ?? []
    const lengths = Array.from({ length: 128 }, (_, size) => {
      const options = [{ kind: 'unknown', code: 65_001, octets: new Uint8Array(size) } as const]
      return encodePaddedQuery({ id: 1, name, type: 1, recursionDesired: true, edns: { options } }).length
    })
    expect(new Set(lengths)).toEqual(new Set([128, 256]))
  })
})

describe('padQuery', () => {
  test('gives what encoding with padding gives', () => {
    for (let label = 1; label <= 63; label++) {
      const name = parseName(`${'a'.repeat(label)}.${'b'.repeat(63)}.example`) ?? []
      const fields = { id: 7, name, type: 1, recursionDesired: true, edns: { udpSize: 1232, dnssecOk: true } }
      expect(padQuery(encodeQuery(fields))).toEqual(encodePaddedQuery(fields))
    }
  })
  test('leaves a query without OPT as it is', () => {
    const query = encodeQuery({ id: 7, name: parseName('zone.example') ?? [], type: 1, recursionDesired: true })
    expect(padQuery(query)).toBe(query)
  })
})
