import { describe, expect, test } from 'vitest'
import type { AuthorityQuery } from '../../model/authority-query.ts'
import type { ExitAttempt } from '../../model/exit-result.ts'
import { createAuthorityJoin, type AuthorityJoin } from './authority-join.ts'
import { formatQueryName } from './query-name.ts'

const SENT_MS = Date.UTC(2026, 0, 31, 12)
const FINGERPRINT = 'ABCDEF0123'.repeat(4)
const ZONE = 'probe.example.org'

function nameOf(number: number): string {
  return formatQueryName({
    runId: '20260131120000',
    attempt: number,
    timestampMs: SENT_MS + number,
    fingerprint: FINGERPRINT,
    baseDomain: ZONE,
  })
}

function attempt(changes: Partial<ExitAttempt> = {}): ExitAttempt {
  return {
    attempt: 1,
    circuit: 1,
    query_type: 'A',
    query_domain: nameOf(1),
    timestamp: SENT_MS / 1000,
    path: ['HOP', FINGERPRINT],
    dns_rcode: 0,
    socks_reply: null,
    stream_reason: null,
    addresses: ['192.0.2.1'],
    ttl_seconds: 60,
    latency_ms: 50,
    circuit_rtt_ms: 4,
    own_delay_ms: 0,
    status: 'success',
    error_code: null,
    error: null,
    unsure: false,
    ...changes,
  }
}

function query(changes: Partial<AuthorityQuery> & { readonly afterMs?: number } = {}): AuthorityQuery {
  const { afterMs = 20, ...rest } = changes
  return {
    timestamp: new Date(SENT_MS + afterMs).toISOString(),
    source_address: '198.51.100.53',
    source_port: 53_000,
    transport: 'udp',
    query_name: nameOf(1).toLowerCase(),
    query_type: 'A',
    id: 1,
    recursion_desired: false,
    edns_udp_size: 1232,
    dnssec_ok: true,
    client_subnet: null,
    cookie: false,
    mixed_case: false,
    outcome: 'answered',
    rcode: 0,
    ...rest,
  }
}

function join(queries: readonly AuthorityQuery[], names = [nameOf(1)]): AuthorityJoin {
  const joined = createAuthorityJoin({
    window: { skewMs: 1000, queryTimeoutMs: 10_000 },
    describe: (address) => ({ as: `AS64496 Net of ${address}`, country: 'NL' }),
  })
  for (const name of names) joined.issue(name)
  joined.add(queries)
  return joined
}

describe('createAuthorityJoin', () => {
  test('says which resolver asked, and how', () => {
    const joined = join([query({ client_subnet: '192.0.2.0/24' })])
    expect(joined.resolverOf([attempt()])).toEqual({
      addresses: ['198.51.100.53'],
      as: 'AS64496 Net of 198.51.100.53',
      country: 'NL',
      asked: true,
      transport: ['udp'],
      edns: true,
      dnssec_ok: true,
      client_subnet: '192.0.2.0/24',
      mixed_case: false,
      qname_minimisation: false,
      wrong_answer: null,
    })
  })

  test('counts the first arrival only, and none of a replay', () => {
    const replay = query({ afterMs: 30, source_address: '203.0.113.66' })
    expect(join([replay, query()]).resolverOf([attempt()]).addresses).toEqual(['198.51.100.53'])
    const late = query({ afterMs: 60_000, source_address: '203.0.113.66' })
    expect(join([late]).resolverOf([attempt()])).toMatchObject({ addresses: [], asked: false, as: null, country: null })
    const early = query({ afterMs: -60_000, source_address: '203.0.113.66' })
    expect(join([early, query()]).resolverOf([attempt()])).toMatchObject({ addresses: [], asked: false })
  })

  test('says whether the log had anything at all', () => {
    expect(join([]).heard()).toBe(false)
    expect(join([query({ query_name: 'other.example' })]).heard()).toBe(true)
  })

  test('forgets names that were never issued', () => {
    const joined = join([query()], [])
    expect(joined.resolverOf([attempt()]).asked).toBe(false)
    expect(joined.queryFor(attempt())).toBeUndefined()
  })

  test('tells poisoned, rewritten and unknown apart', () => {
    const wrong = attempt({ status: 'wrong_ip', error_code: 'WRONG_ADDRESS', addresses: ['203.0.113.9'] })
    expect(join([query()]).resolverOf([wrong]).wrong_answer).toBe('poisoned')
    const control = query({ query_name: `control.${ZONE}`, afterMs: 30_000 })
    expect(join([control]).resolverOf([wrong])).toMatchObject({ wrong_answer: 'rewritten', asked: false })
    // A log that knows nothing of that time does not accuse.
    expect(join([]).resolverOf([wrong]).wrong_answer).toBeNull()
    expect(join([query({ query_name: ZONE, afterMs: 3_600_000 })]).resolverOf([wrong]).wrong_answer).toBeNull()
  })

  test('recognises QNAME minimisation by queries for the parents, within the window', () => {
    const moment = nameOf(1).split('.').slice(2).join('.')
    const fingerprint = nameOf(1).split('.').slice(3).join('.')
    const isMinimised = (...names: string[]): boolean =>
      join([...names.map((name) => query({ query_name: name, query_type: 'NS' })), query()]).resolverOf([attempt()])
        .qname_minimisation
    expect(isMinimised(moment)).toBe(true)
    expect(isMinimised(`1.${moment}`)).toBe(true)
    expect(isMinimised(fingerprint.toLowerCase())).toBe(true)
    expect(isMinimised(`_.${fingerprint}`)).toBe(true)
    expect(isMinimised(ZONE, `x.${moment}`)).toBe(false)
    const late = query({ query_name: moment, query_type: 'NS', afterMs: 60_000 })
    expect(join([late, query()]).resolverOf([attempt()]).qname_minimisation).toBe(false)
  })

  test('recognises 0x20 by a spelling that is neither ours nor of one case', () => {
    const isMixed = (name: string): boolean => join([query({ query_name: name })]).resolverOf([attempt()]).mixed_case
    expect(isMixed(nameOf(1))).toBe(false)
    expect(isMixed(nameOf(1).toLowerCase())).toBe(false)
    expect(isMixed(nameOf(1).toUpperCase())).toBe(false)
    expect(isMixed(nameOf(1).replace('probe', 'pRObe'))).toBe(true)
  })

  test('follows a limited resolver to TCP, and counts what was limited', () => {
    const limited = query({ outcome: 'truncated' })
    const again = query({ afterMs: 25, transport: 'tcp' })
    const joined = join([limited, again])
    expect(joined.resolverOf([attempt()]).transport).toEqual(['udp', 'tcp'])
    expect(joined.queryFor(attempt())).toBe(again)
    expect(joined.limited()).toBe(1)
    expect(join([again, limited]).queryFor(attempt())).toBe(again)
  })

  test('puts several resolvers in the order of their first arrival', () => {
    const second = query({ query_name: nameOf(2), source_address: '198.51.100.54', afterMs: 10 })
    const joined = join([query(), second], [nameOf(1), nameOf(2)])
    const attempts = [attempt(), attempt({ attempt: 2, query_domain: nameOf(2) })]
    expect(joined.resolverOf(attempts).addresses).toEqual(['198.51.100.54', '198.51.100.53'])
  })
})
