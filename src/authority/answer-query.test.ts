import {
  array,
  assert as check,
  boolean,
  constantFrom,
  nat,
  oneof,
  property,
  stringMatching,
  tuple,
  uint8Array,
} from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage, encodeQuery } from '../dns/encode-message.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { formatName, parseName, type Name } from '../dns/name.ts'
import type { Rdata } from '../dns/rdata.ts'
import {
  CLASS_IN,
  TYPE_A,
  TYPE_AAAA,
  TYPE_CNAME,
  TYPE_DS,
  TYPE_NS,
  TYPE_NSEC,
  TYPE_RRSIG,
  TYPE_SOA,
  TYPE_TXT,
} from '../dns/rr-type.ts'
import { answerQuery, type AnswerState, type AnsweredQuery } from './answer-query.ts'
import { nodeKey } from './node-key.ts'
import { createZone, type ZoneConfig } from './zone.ts'

function name(text: string): Name {
  const parsed = parseName(text)
  if (parsed === undefined) throw new Error(`no name: ${text}`)
  return parsed
}

function record(owner: string, type: number, rdata: Rdata): ResourceRecord {
  return { name: name(owner), type, class: CLASS_IN, ttl: 60, rdata }
}

function signature(owner: string, typeCovered: number): ResourceRecord {
  return record(owner, TYPE_RRSIG, {
    kind: 'rrsig',
    typeCovered,
    algorithm: 13,
    labels: owner.split('.').length - (owner.startsWith('*') ? 1 : 0),
    originalTtlSeconds: 60,
    expirationSeconds: 2,
    inceptionSeconds: 1,
    keyTag: 1,
    signer: name('z.example'),
    signature: new Uint8Array(64),
  })
}

function stateOf(config: ZoneConfig): AnswerState {
  const zone = createZone(config)
  return {
    zones: new Map([[nodeKey(zone.apex), zone]]),
    cookieSecret: new Uint8Array(16),
    limiter: { take: () => true },
    gate: { admit: () => true },
  }
}

const PLAIN = stateOf({ name: 'z.example', addresses: ['192.0.2.1', '2001:db8::1'] })
const DO = { udpSize: 1232, extendedRcode: 0, version: 0, dnssecOk: true, reservedFlags: 0, options: [] }

function answer(state: AnswerState, octets: Uint8Array): AnsweredQuery {
  return answerQuery(state, {
    octets,
    source: { address: '198.51.100.1', port: 4000 },
    transport: 'udp',
    receivedAtMs: Date.UTC(2026, 0, 31),
  })
}

interface Seen {
  readonly rcode: number
  readonly authoritative: boolean
  readonly answers: readonly string[]
  readonly authorities: readonly string[]
  readonly additionals: readonly string[]
}

/** What comes back, each record as `OWNER KIND`. */
function ask(state: AnswerState, text: string, type: number, dnssecOk = false): Seen {
  const query = encodeQuery({
    id: 1,
    name: name(text),
    type,
    recursionDesired: false,
    ...(dnssecOk ? { edns: DO } : {}),
  })
  const decoded = decodeMessage(answer(state, query).response ?? new Uint8Array(0))
  if (decoded.kind === 'malformed') throw new Error(decoded.reason)
  const { header, answers, authorities, additionals } = decoded.message
  const list = (records: readonly ResourceRecord[]): string[] =>
    records.map(
      ({ name: owner, rdata }) =>
        `${formatName(owner)} ${rdata.kind}${rdata.kind === 'rrsig' ? `(${rdata.typeCovered})` : ''}`,
    )
  return {
    rcode: header.rcode,
    authoritative: header.authoritative,
    answers: list(answers),
    authorities: list(authorities),
    additionals: list(additionals),
  }
}

describe('answerQuery', () => {
  const signed = stateOf({
    name: 'z.example',
    addresses: ['192.0.2.1'],
    records: [
      ...[TYPE_SOA, TYPE_NS, TYPE_NSEC].map((type) => signature('z.example', type)),
      signature('*.z.example', TYPE_A),
      record('*.z.example', TYPE_NSEC, { kind: 'nsec', next: name('here.z.example'), types: [TYPE_A] }),
      signature('*.z.example', TYPE_NSEC),
      record('here.z.example', TYPE_TXT, { kind: 'txt', strings: [Uint8Array.of(65)] }),
      signature('here.z.example', TYPE_TXT),
      record('here.z.example', TYPE_NSEC, { kind: 'nsec', next: name('z.example'), types: [TYPE_TXT] }),
      signature('here.z.example', TYPE_NSEC),
      record('z.example', TYPE_NSEC, { kind: 'nsec', next: name('*.z.example'), types: [TYPE_SOA] }),
    ],
  })

  test('adds signatures only when DO is set', () => {
    expect(ask(signed, 'here.z.example', TYPE_TXT).answers).toEqual(['here.z.example txt'])
    expect(ask(signed, 'here.z.example', TYPE_TXT, true).answers).toEqual([
      'here.z.example txt',
      'here.z.example rrsig(16)',
    ])
  })

  test('proves with NSEC that a wildcard may stand for a name', () => {
    const seen = ask(signed, 'x.z.example', TYPE_A, true)
    expect(seen.answers).toEqual(['x.z.example a', 'x.z.example rrsig(1)'])
    expect(seen.authorities).toEqual(['here.z.example nsec', 'here.z.example rrsig(47)'])
    expect(ask(signed, 'x.z.example', TYPE_A).authorities).toEqual([])
  })

  test('proves with NSEC that a type is absent, at a name and at a wildcard', () => {
    expect(ask(signed, 'here.z.example', TYPE_A, true)).toMatchObject({
      rcode: 0,
      authorities: ['z.example soa', 'z.example rrsig(6)', 'here.z.example nsec', 'here.z.example rrsig(47)'],
    })
    expect(ask(signed, 'x.z.example', TYPE_AAAA, true)).toMatchObject({
      rcode: 0,
      authorities: [
        'z.example soa',
        'z.example rrsig(6)',
        'here.z.example nsec',
        'here.z.example rrsig(47)',
        '*.z.example nsec',
        '*.z.example rrsig(47)',
      ],
    })
  })

  test('follows aliases inside the zone and stops at a loop', () => {
    const state = stateOf({
      name: 'z.example',
      addresses: ['192.0.2.1'],
      records: [
        record('a.z.example', TYPE_CNAME, { kind: 'cname', name: name('b.z.example') }),
        record('loop.z.example', TYPE_CNAME, { kind: 'cname', name: name('loop.z.example') }),
        record('out.z.example', TYPE_CNAME, { kind: 'cname', name: name('elsewhere.example') }),
      ],
    })
    expect(ask(state, 'a.z.example', TYPE_A).answers).toEqual(['a.z.example cname', 'b.z.example a'])
    expect(ask(state, 'a.z.example', TYPE_CNAME).answers).toEqual(['a.z.example cname'])
    expect(ask(state, 'loop.z.example', TYPE_A).answers.length).toBeLessThanOrEqual(8)
    expect(ask(state, 'out.z.example', TYPE_A).answers).toEqual(['out.z.example cname'])
  })

  test('refers to a delegated zone, and answers for DS itself', () => {
    const state = stateOf({
      name: 'z.example',
      addresses: ['192.0.2.1'],
      records: [
        record('child.z.example', TYPE_NS, { kind: 'ns', name: name('ns.child.z.example') }),
        record('ns.child.z.example', TYPE_A, { kind: 'a', address: '192.0.2.7' }),
      ],
    })
    expect(ask(state, 'x.child.z.example', TYPE_A)).toEqual({
      rcode: 0,
      authoritative: false,
      answers: [],
      authorities: ['child.z.example ns'],
      additionals: ['ns.child.z.example a'],
    })
    expect(ask(state, 'child.z.example', TYPE_DS)).toMatchObject({
      authoritative: true,
      authorities: ['z.example soa'],
    })
  })

  test('answers names with upper case, and ANY with one RRset', () => {
    expect(ask(PLAIN, 'X.Z.EXAMPLE', TYPE_A).answers).toEqual(['X.Z.EXAMPLE a'])
    expect(ask(PLAIN, 'x.z.example', 255).answers).toEqual(['x.z.example a'])
  })

  test('keeps answers of plain zones within two and a half times the query', () => {
    const label = stringMatching(/^[a-z0-9]{1,20}$/)
    check(
      property(array(label, { maxLength: 4 }), nat(70), boolean(), (labels, type, withEdns) => {
        const query = encodeQuery({
          id: 1,
          name: name([...labels, 'z.example'].join('.')),
          type,
          recursionDesired: false,
          ...(withEdns ? { edns: DO } : {}),
        })
        const { response } = answer(PLAIN, query)
        expect(response).toBeDefined()
        // A negative answer at the apex has a whole SOA; nothing is larger in proportion.
        expect(response?.length).toBeLessThanOrEqual(Math.max(2.5 * query.length, query.length + 72))
      }),
    )
  })

  test('keeps the names of a run within twice the query', () => {
    const text = `20260131120000.1.20260131120000123.${'A'.repeat(40)}.z.example`
    for (const type of [TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_TXT]) {
      const query = encodeQuery({ id: 1, name: name(text), type, recursionDesired: false })
      expect(answer(PLAIN, query).response?.length).toBeLessThanOrEqual(2 * query.length)
    }
  })

  test('answers or drops whatever comes, and echoes the id', () => {
    const good = encodeMessage({
      header: {
        id: 0x1234,
        response: false,
        opcode: 0,
        authoritative: false,
        truncated: false,
        recursionDesired: true,
        recursionAvailable: false,
        reserved: false,
        authenticData: false,
        checkingDisabled: false,
        rcode: 0,
      },
      questions: [{ name: name('abc.z.example'), type: TYPE_A, class: CLASS_IN }],
      answers: [],
      authorities: [],
      additionals: [],
      edns: { ...DO, options: [{ kind: 'cookie', client: new Uint8Array(8), server: new Uint8Array(16) }] },
    })
    const changed = tuple(array(tuple(nat(good.length - 1), nat(255)), { maxLength: 4 }), nat(good.length)).map(
      ([changes, length]) => {
        const octets = good.slice()
        for (const [at, octet] of changes) octets[at] = octet
        return octets.subarray(0, length)
      },
    )
    check(
      property(oneof(uint8Array({ maxLength: 600 }), changed, constantFrom(good)), (octets) => {
        const { response, record: made } = answer(signed, octets)
        const isQuery = octets.length >= 12 && ((octets[2] ?? 0) & 0x80) === 0
        expect(response !== undefined).toBe(isQuery)
        if (response === undefined) return
        expect(response.subarray(0, 2)).toEqual(octets.subarray(0, 2))
        expect((response[2] ?? 0) & 0x80).toBe(0x80)
        expect(response.length).toBeLessThanOrEqual(1232)
        expect(decodeMessage(response).kind).toBe('message')
        expect(JSON.parse(JSON.stringify(made ?? null))).toEqual(made ?? null)
      }),
      { numRuns: 2000 },
    )
  })
})
