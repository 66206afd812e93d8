/** The JSON form of answers. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeQuery } from '../dns/encode-message.ts'
import { parseName } from '../dns/name.ts'
import { decodeDnsJson, formatDnsJsonQuery, matchDnsJson } from './dns-json.ts'

const octets = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const query = encodeQuery({
  id: 0,
  name: parseName('www.zone.example') ?? [],
  type: 28,
  recursionDesired: true,
  checkingDisabled: true,
  edns: {
    dnssecOk: true,
    options: [{ kind: 'client_subnet', address: '192.0.2.0', sourceBits: 24, scopeBits: 0 }],
  },
})

describe('formatDnsJsonQuery', () => {
  test('asks what the query asks', () => {
    expect(formatDnsJsonQuery(query)).toBe('name=www.zone.example&type=28&do=1&cd=1&edns_client_subnet=192.0.2.0%2F24')
  })
})

describe('decodeDnsJson', () => {
  test('reads the fields that servers have in common', () => {
    const record = { name: 'www.zone.example.', type: 28, TTL: 60, data: '2001:db8::1' }
    const body = { Status: 0, TC: false, RD: true, AD: true, Question: [{ name: 'www.zone.example.', type: 28 }] }
    expect(decodeDnsJson(octets({ ...body, Answer: [record], Comment: 'from somewhere' }))).toEqual({
      rcode: 0,
      flags: ['rd', 'ad'],
      questions: [{ name: 'www.zone.example.', type: 28 }],
      answers: [{ name: 'www.zone.example.', type: 28, ttl: 60, data: '2001:db8::1' }],
      authorities: [],
      additionals: [],
    })
  })

  test.each([
    ['no object', []],
    ['no status', { Question: [] }],
    ['a status that is none', { Status: 'NOERROR' }],
    ['a record without data', { Status: 0, Answer: [{ name: 'a', type: 1, TTL: 1 }] }],
    ['a type that is none', { Status: 0, Answer: [{ name: 'a', type: 70_000, TTL: 1, data: '' }] }],
    ['a negative TTL', { Status: 0, Answer: [{ name: 'a', type: 1, TTL: -1, data: '' }] }],
    ['records that are no list', { Status: 0, Answer: 'x' }],
  ])('takes %s for no answer', (_name, body) => {
    expect(decodeDnsJson(octets(body))).toBeUndefined()
  })

  test('never throws, whatever the octets', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (body) => {
          decodeDnsJson(body)
          expect(['response', 'wrong_question', 'malformed']).toContain(matchDnsJson(query, body))
        },
      ),
    )
  })
})

describe('matchDnsJson', () => {
  test.each([
    ['the same question, in other case', [{ name: 'WWW.zone.example', type: 28 }], 'response'],
    ['another name', [{ name: 'zone.example.', type: 28 }], 'wrong_question'],
    ['another type', [{ name: 'www.zone.example.', type: 1 }], 'wrong_question'],
    ['no question', [], 'wrong_question'],
  ])('says what %s is', (_name, questions, match) => {
    expect(matchDnsJson(query, octets({ Status: 0, Question: questions }))).toBe(match)
  })
})
