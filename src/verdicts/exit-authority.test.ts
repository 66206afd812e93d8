import { describe, expect, test } from 'vitest'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { ExitAttempt } from '../model/exit-result.ts'
import { findAuthorityQuery, judgeWrongAnswer, refineWithAuthority } from './exit-authority.ts'

const WINDOW = { skewMs: 1000, queryTimeoutMs: 10_000 }
const SENT_MS = Date.UTC(2026, 0, 31, 12)

function attempt(changes: Partial<ExitAttempt> = {}): ExitAttempt {
  return {
    attempt: 1,
    circuit: 1,
    query_type: 'A',
    query_domain: 'one.zone.example',
    timestamp: SENT_MS / 1000,
    path: ['HOP', 'EXIT'],
    dns_rcode: 2,
    socks_reply: null,
    stream_reason: null,
    addresses: [],
    ttl_seconds: null,
    latency_ms: 8,
    circuit_rtt_ms: 4,
    own_delay_ms: 0,
    status: 'dns_fail',
    error_code: 'SERVFAIL_CLASS',
    error: 'sentence',
    unsure: false,
    ...changes,
  }
}
function query(changes: Partial<AuthorityQuery> & { readonly afterMs?: number } = {}): AuthorityQuery {
  const { afterMs = 3, ...rest } = changes
  return {
    timestamp: new Date(SENT_MS + afterMs).toISOString(),
    source_address: '192.0.2.53',
    source_port: 53_000,
    transport: 'udp',
    query_name: 'oNe.Zone.example',
    query_type: 'A',
    id: 1,
    recursion_desired: false,
    edns_udp_size: null,
    dnssec_ok: false,
    client_subnet: null,
    cookie: false,
    mixed_case: true,
    outcome: 'answered',
    rcode: 0,
    ...rest,
  }
}

describe('findAuthorityQuery', () => {
  test('finds the name in any case, of the same type', () => {
    const wanted = query()
    const others = [query({ query_type: 'AAAA' }), query({ query_name: 'two.zone.example' })]
    expect(findAuthorityQuery(attempt(), [...others, wanted], WINDOW)).toBe(wanted)
    expect(findAuthorityQuery(attempt(), others, WINDOW)).toBeUndefined()
  })

  test('takes the first arrival, in whatever order the log has them', () => {
    const first = query({ afterMs: 1 })
    expect(findAuthorityQuery(attempt(), [query({ afterMs: 5 }), first, query({ afterMs: 2 })], WINDOW)).toBe(first)
  })

  test.each([
    [-1001, false],
    [-1000, true],
    [1008, true],
    [1009, false],
  ])('compares with the window of the attempt: %d ms → %s', (afterMs, found) => {
    expect(findAuthorityQuery(attempt(), [query({ afterMs })], WINDOW) !== undefined).toBe(found)
  })

  test('does not believe a replay behind a first arrival that was too early', () => {
    expect(findAuthorityQuery(attempt(), [query({ afterMs: -60_000 }), query()], WINDOW)).toBeUndefined()
  })

  test('waits as long as the question lasted when no answer came', () => {
    expect(findAuthorityQuery(attempt({ latency_ms: null }), [query({ afterMs: 9000 })], WINDOW)).toBeDefined()
  })

  test('finds nothing for a circuit without a question, nor at a time that cannot be read', () => {
    expect(findAuthorityQuery(attempt({ query_domain: null }), [query()], WINDOW)).toBeUndefined()
    expect(findAuthorityQuery(attempt(), [query({ timestamp: 'yesterday' })], WINDOW)).toBeUndefined()
  })
})

describe('refineWithAuthority', () => {
  test.each(['SERVFAIL_CLASS', 'NO_A_ANSWER'] as const)(
    'suspects a lie behind %s after a right answer',
    (error_code) => {
      expect(refineWithAuthority(attempt({ error_code }), query())).toMatchObject({
        status: 'wrong_ip',
        error_code: 'INTERNAL_ADDRESS_SUSPECTED',
      })
    },
  )

  test.each([
    ['SERVFAIL_CLASS', false],
    ['SERVFAIL_SLOW', true],
    ['RESOLVER_TIMEOUT', false],
  ] as const)('takes the word of our own Tor, whatever the time: %s', (error_code, unsure) => {
    const dropped = attempt({ error_code, unsure, stream_reason: 'TORPROTOCOL' })
    expect(refineWithAuthority(dropped, query()).error_code).toBe('INTERNAL_ADDRESS_SUSPECTED')
    expect(refineWithAuthority(dropped, undefined)).toBe(dropped)
    const failed = attempt({ error_code, unsure, stream_reason: 'DONE' })
    expect(refineWithAuthority(failed, query())).toBe(failed)
  })

  test.each([
    ['we were not asked', attempt(), undefined],
    ['we limited the answer', attempt(), query({ outcome: 'truncated' })],
    ['we refused', attempt(), query({ outcome: 'refused', rcode: 5 })],
    ['our answer was no address', attempt(), query({ rcode: 3 })],
    ['the failure was slow', attempt({ error_code: 'SERVFAIL_SLOW' }), query()],
    ['the time is unsure', attempt({ unsure: true }), query()],
    ['the resolver timed out', attempt({ status: 'timeout', error_code: 'RESOLVER_TIMEOUT' }), query()],
    ['the answer was right', attempt({ status: 'success', error_code: null, dns_rcode: 0 }), query()],
  ])('leaves the attempt when %s', (_when, given, seen) => {
    expect(refineWithAuthority(given, seen)).toBe(given)
  })
})

describe('judgeWrongAnswer', () => {
  test('tells poisoned from rewritten', () => {
    const wrong = attempt({ status: 'wrong_ip', error_code: 'WRONG_ADDRESS' })
    expect(judgeWrongAnswer(wrong, query())).toBe('poisoned')
    expect(judgeWrongAnswer(wrong, undefined)).toBe('rewritten')
    expect(judgeWrongAnswer(attempt(), query())).toBeNull()
  })
})
