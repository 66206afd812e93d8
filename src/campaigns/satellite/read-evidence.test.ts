import { describe, expect, test } from 'vitest'
import type { SatelliteFetch, SatelliteQueryPackets } from '../../model/satellite-evidence.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { readFetch, readPackets } from './read-evidence.ts'
import { writeFetch, writePackets } from './write-evidence.ts'

const PACKETS: readonly SatelliteQueryPackets[] = [
  { purpose: 'control', name: 'control.example', packets: [] },
  {
    purpose: 'test',
    name: 'www.example.org',
    packets: [
      { elapsedMs: 1.5, rcode: 0, answers: ['203.0.113.66'], octetsSha256: 'aa' },
      { elapsedMs: 22, rcode: -1, answers: [], octetsSha256: 'bb' },
    ],
  },
]
const FETCH: SatelliteFetch = {
  address: '198.51.100.7',
  domain: 'www.example.org',
  http: {
    statusLine: '200 OK',
    headers: { 'Content-Type': ['text/html'], 'Set-Cookie': ['a', 'b'] },
    body: 'Hello',
    isTruncated: false,
    bodySha256: 'cc',
  },
  https: { error: 'connect: connection_refused' },
  certificate: { sha256: 'dd', isChainValid: true, isNameValid: false, reason: 'ssl_invalid_hostname' },
  startedAtMs: 1,
  endedAtMs: 2,
}

const throughJson = (fields: JsonFields): JsonFields => JSON.parse(JSON.stringify(fields)) as JsonFields

describe('readPackets', () => {
  test('reads what was written', () => {
    const fields = throughJson(writePackets('192.0.2.53', 'www.example.org', PACKETS))
    expect(readPackets(fields)).toEqual({ resolver: '192.0.2.53', domain: 'www.example.org', queries: PACKETS })
  })

  test.each([
    [{}],
    [{ vp: 'a', test_url: 'b', queries: [{ purpose: 'x' }] }],
    [{ vp: 'a', test_url: 'b', queries: 1 }],
  ])('refuses %j', (fields) => {
    expect(readPackets(fields)).toBeUndefined()
  })
})

describe('readFetch', () => {
  test.each([[FETCH], [{ ...FETCH, http: null, https: null, certificate: null }]])(
    'reads what was written',
    (fetch) => {
      expect(readFetch(throughJson(writeFetch(fetch)))).toEqual(fetch)
    },
  )

  test('refuses what is none', () => {
    expect(readFetch({ ...writeFetch(FETCH), http: 7 })).toBeUndefined()
    expect(readFetch({ ...writeFetch(FETCH), certificate: {} })).toBeUndefined()
    expect(readFetch({})).toBeUndefined()
  })
})
