/** Encoding: every kind of content there and back, compression, and dns-packet as an oracle. */
import packet from 'dns-packet'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertNever, BugError } from '../core/assert.ts'
import { formatIp } from '../core/ip-address.ts'
import { decodeMessage } from './decode-message.ts'
import { encodeMessage, encodeQuery } from './encode-message.ts'
import type { DnsMessage, Edns, Header, ResourceRecord } from './message.ts'
import { formatName, type Name, parseName } from './name.ts'
import type { Rdata } from './rdata.ts'

const uint8 = fc.nat(0xff)
const uint16 = fc.nat(0xffff)
const uint32 = fc.nat(0xffff_ffff)
const octets = fc.uint8Array({ maxLength: 40 })

/** Few different labels, so that names share their ends. */
const label = fc.oneof(
  fc.constantFrom('a', 'A', 'example', 'www').map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ minLength: 1, maxLength: 63 }),
)
const name: fc.Arbitrary<Name> = fc.array(label, { maxLength: 3 })
const types = fc.uniqueArray(uint16, { maxLength: 6 }).map((list) => list.sort((a, b) => a - b))
const params = fc
  .uniqueArray(uint16, { maxLength: 4 })
  .chain((keys) => fc.tuple(...keys.sort((a, b) => a - b).map((key) => fc.record({ key: fc.constant(key), octets }))))

function address(sizeOctets: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: sizeOctets, maxLength: sizeOctets }).map(formatIp)
}

/** The type of each kind and any content of it. */
const contents: Record<
  Exclude<Rdata['kind'], 'malformed'>,
  readonly [number, fc.Arbitrary<Record<string, unknown>>]
> = {
  a: [1, fc.record({ address: address(4) })],
  aaaa: [28, fc.record({ address: address(16) })],
  ns: [2, fc.record({ name })],
  cname: [5, fc.record({ name })],
  ptr: [12, fc.record({ name })],
  soa: [
    6,
    fc.record({
      primary: name,
      mailbox: name,
      serial: uint32,
      refreshSeconds: uint32,
      retrySeconds: uint32,
      expireSeconds: uint32,
      minimumSeconds: uint32,
    }),
  ],
  mx: [15, fc.record({ preference: uint16, exchange: name })],
  txt: [16, fc.record({ strings: fc.array(fc.uint8Array({ maxLength: 255 }), { minLength: 1, maxLength: 3 }) })],
  srv: [33, fc.record({ priority: uint16, weight: uint16, port: uint16, target: name })],
  naptr: [
    35,
    fc.record({
      order: uint16,
      preference: uint16,
      flags: octets,
      services: octets,
      regexp: octets,
      replacement: name,
    }),
  ],
  caa: [257, fc.record({ flags: uint8, tag: fc.stringMatching(/^[\da-zA-Z]{1,15}$/), value: octets })],
  ds: [43, fc.record({ keyTag: uint16, algorithm: uint8, digestType: uint8, digest: octets })],
  dnskey: [48, fc.record({ flags: uint16, protocol: uint8, algorithm: uint8, publicKey: octets })],
  rrsig: [
    46,
    fc.record({
      typeCovered: uint16,
      algorithm: uint8,
      labels: uint8,
      originalTtlSeconds: uint32,
      expirationSeconds: uint32,
      inceptionSeconds: uint32,
      keyTag: uint16,
      signer: name,
      signature: octets,
    }),
  ],
  nsec: [47, fc.record({ next: name, types })],
  nsec3: [
    50,
    fc.record({ hashAlgorithm: uint8, flags: uint8, iterations: uint16, salt: octets, nextHash: octets, types }),
  ],
  tlsa: [52, fc.record({ usage: uint8, selector: uint8, matchingType: uint8, association: octets })],
  svcb: [64, fc.record({ priority: uint16, target: name, params })],
  https: [65, fc.record({ priority: uint16, target: name, params })],
  unknown: [65_280, fc.record({ octets })],
}

const record: fc.Arbitrary<ResourceRecord> = fc
  .constantFrom(...Object.entries(contents))
  .chain(([kind, [type, content]]) =>
    fc.record({
      name,
      type: fc.constant(type),
      class: fc.constant(1),
      ttl: uint32,
      rdata: content.map((fields) => ({ kind, ...fields }) as Rdata),
    }),
  )

const header: fc.Arbitrary<Header> = fc.record({
  id: uint16,
  response: fc.boolean(),
  opcode: fc.nat(15),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  reserved: fc.boolean(),
  authenticData: fc.boolean(),
  checkingDisabled: fc.boolean(),
  rcode: fc.nat(15),
})

const edns: fc.Arbitrary<Edns> = fc.record({
  udpSize: uint16,
  extendedRcode: uint8,
  version: uint8,
  dnssecOk: fc.boolean(),
  reservedFlags: fc.nat(0x7fff),
  options: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('nsid' as const), octets }),
      fc.record({ kind: fc.constant('padding' as const), sizeOctets: uint8 }),
      fc.record({
        kind: fc.constant('extended_error' as const),
        infoCode: uint16,
        text: fc.string({ unit: 'grapheme' }),
      }),
      fc.record({ kind: fc.constant('unknown' as const), code: fc.integer({ min: 16, max: 0xffff }), octets }),
    ),
    { maxLength: 3 },
  ),
})

const anyMessage: fc.Arbitrary<DnsMessage> = fc.record({
  header,
  questions: fc.array(fc.record({ name, type: uint16, class: uint16 }), { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 4 }),
  authorities: fc.array(record, { maxLength: 2 }),
  additionals: fc.array(record, { maxLength: 2 }),
  edns: fc.option(edns, { nil: undefined }),
})

const plainHeader: Header = {
  id: 1,
  response: true,
  opcode: 0,
  authoritative: true,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  reserved: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
}

function parsed(text: string): Name {
  return parseName(text) as Name
}

function answers(...records: readonly ResourceRecord[]): DnsMessage {
  return { header: plainHeader, questions: [], answers: records, authorities: [], additionals: [], edns: undefined }
}

describe('encodeMessage', () => {
  test('is undone by decodeMessage, with and without compression', () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (message, compress) => {
        const encoded = encodeMessage(message, { compress })
        expect(decodeMessage(encoded)).toEqual({ kind: 'message', message })
        expect(encoded.length).toBeLessThanOrEqual(encodeMessage(message).length)
      }),
      { numRuns: Math.max(1500, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })

  test('writes the same octets again after decoding', () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (message, compress) => {
        const encoded = encodeMessage(message, { compress })
        const decoded = decodeMessage(encoded)
        expect(decoded.kind === 'message' && encodeMessage(decoded.message, { compress })).toEqual(encoded)
      }),
      { numRuns: Math.max(500, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })

  test('compresses names in the types of RFC 1035 and in no others', () => {
    const owner = parsed('a.example')
    const size = (rdata: Rdata, type: number) =>
      encodeMessage(answers({ name: owner, type, class: 1, ttl: 0, rdata }), { compress: true }).length
    // Header, owner, fixed fields; then a pointer of 2 octets or a name of 11.
    const fixed = 12 + 11 + 10
    expect(size({ kind: 'ns', name: owner }, 2)).toBe(fixed + 2)
    expect(size({ kind: 'mx', preference: 0, exchange: owner }, 15)).toBe(fixed + 2 + 2)
    expect(size({ kind: 'srv', priority: 0, weight: 0, port: 0, target: owner }, 33)).toBe(fixed + 6 + 11)
    expect(size({ kind: 'nsec', next: owner, types: [] }, 47)).toBe(fixed + 11)
    expect(size({ kind: 'https', priority: 0, target: owner, params: [] }, 65)).toBe(fixed + 2 + 11)
  })

  test('writes the OPT record last, but before a transaction signature', () => {
    const at = (type: number) => {
      const extra = {
        name: [],
        type,
        class: 255,
        ttl: 0,
        rdata: { kind: 'unknown', octets: Uint8Array.of(7) },
      } as const
      const opt = { udpSize: 1, extendedRcode: 0, version: 0, dnssecOk: false, reservedFlags: 0, options: [] }
      const encoded = encodeMessage({ ...answers(), additionals: [extra], edns: opt })
      return [encoded[14], encoded.length]
    }
    // The low octet of the first additional record's type.
    expect(at(250)).toEqual([41, 12 + 11 + 12])
    expect(at(24)).toEqual([41, 12 + 11 + 12])
    expect(at(99)).toEqual([99, 12 + 11 + 12])
  })

  test('refuses what no message can carry', () => {
    const txt = { kind: 'txt', strings: Array.from({ length: 255 }, () => new Uint8Array(255)) } as const
    const big = { name: [], type: 16, class: 1, ttl: 0, rdata: txt }
    expect(encodeMessage(answers(big))).toHaveLength(12 + 11 + 65_280)
    expect(() => encodeMessage(answers(big, big))).toThrow(BugError)
    const bad: readonly Rdata[] = [
      { kind: 'a', address: '2001:db8::1' },
      { kind: 'aaaa', address: '192.0.2.1' },
      { kind: 'a', address: 'example' },
      { kind: 'txt', strings: [] },
      { kind: 'txt', strings: [new Uint8Array(256)] },
      {
        kind: 'svcb',
        priority: 1,
        target: [],
        params: [
          { key: 3, octets: new Uint8Array(2) },
          { key: 1, octets: new Uint8Array(2) },
        ],
      },
    ]
    for (const rdata of bad) {
      expect(() => encodeMessage(answers({ name: [], type: 1, class: 1, ttl: 0, rdata }))).toThrow(BugError)
    }
    expect(() => encodeMessage({ ...answers(), header: { ...plainHeader, opcode: 16 } })).toThrow(BugError)
    expect(() => encodeMessage({ ...answers(), header: { ...plainHeader, rcode: 16 } })).toThrow(BugError)
  })
})

describe('encodeQuery', () => {
  test('writes one question and no OPT record unless asked', () => {
    const octetsOf = encodeQuery({ id: 0xabcd, name: parsed('a.Example'), type: 28, recursionDesired: true })
    expect(Buffer.from(octetsOf).toString('hex')).toBe(
      ['abcd01000001000000000000', '016107', '4578616d706c6500', '001c0001'].join(''),
    )
  })

  test('fills in what the caller leaves out of EDNS', () => {
    const query = { id: 0, name: parsed('.'), type: 16, class: 3, recursionDesired: false, edns: { dnssecOk: true } }
    const hex = Buffer.from(encodeQuery({ ...query, authenticData: true, checkingDisabled: true })).toString('hex')
    expect(hex).toBe('000000300001000000000001000010000300002904d0000080000000')
  })
})

describe('encodeMessage and dns-packet', () => {
  const host = fc
    .array(fc.stringMatching(/^[a-z\d-]{1,12}$/), { minLength: 1, maxLength: 3 })
    .map((labels) => labels.join('.'))
  const text = (value: Uint8Array): Buffer => Buffer.from(value)

  const kinds = ['a', 'aaaa', 'ns', 'cname', 'ptr', 'mx', 'soa', 'txt', 'srv', 'ds', 'tlsa', 'rrsig', 'nsec'] as const

  type Comparable = Extract<Rdata, { kind: (typeof kinds)[number] }>

  /** Our content as dns-packet's. */
  function foreign(rdata: Comparable): unknown {
    switch (rdata.kind) {
      case 'a':
      case 'aaaa':
        return rdata.address
      case 'ns':
      case 'cname':
      case 'ptr':
        return formatName(rdata.name)
      case 'mx':
        return { preference: rdata.preference, exchange: formatName(rdata.exchange) }
      case 'soa':
        return {
          mname: formatName(rdata.primary),
          rname: formatName(rdata.mailbox),
          serial: rdata.serial,
          refresh: rdata.refreshSeconds,
          retry: rdata.retrySeconds,
          expire: rdata.expireSeconds,
          minimum: rdata.minimumSeconds,
        }
      case 'txt':
        return rdata.strings.map(text)
      case 'srv':
        return { ...rdata, kind: undefined, target: formatName(rdata.target) }
      case 'ds':
        return { ...rdata, kind: undefined, digest: text(rdata.digest) }
      case 'tlsa':
        return { ...rdata, kind: undefined, certificate: text(rdata.association), association: undefined }
      case 'rrsig':
        return {
          typeCovered: 'A',
          algorithm: rdata.algorithm,
          labels: rdata.labels,
          originalTTL: rdata.originalTtlSeconds,
          expiration: rdata.expirationSeconds,
          inception: rdata.inceptionSeconds,
          keyTag: rdata.keyTag,
          signersName: formatName(rdata.signer),
          signature: text(rdata.signature),
        }
      case 'nsec':
        return { nextDomain: formatName(rdata.next), rrtypes: ['A', 'AAAA'] }
      default:
        return assertNever(rdata)
    }
  }

  /** Our records as dns-packet wants its names: lower-case host names, signatures over A, NSEC of A and AAAA. */
  const comparable: fc.Arbitrary<ResourceRecord> = fc.constantFrom(...kinds).chain((kind) => {
    const [type, content] = contents[kind]
    return fc.tuple(content, host, host, uint32).map(([fields, owner, other, ttl]) => {
      const names = ['name', 'exchange', 'primary', 'mailbox', 'target', 'signer', 'next'].filter(
        (key) => key in fields,
      )
      const replaced = Object.fromEntries(names.map((key) => [key, parsed(other)]))
      const fixed = kind === 'rrsig' ? { typeCovered: 1 } : kind === 'nsec' ? { types: [1, 28] } : {}
      return { name: parsed(owner), type, class: 1, ttl, rdata: { kind, ...fields, ...replaced, ...fixed } as Rdata }
    })
  })

  test('agree on octets and on values', () => {
    fc.assert(
      fc.property(fc.array(comparable, { minLength: 1, maxLength: 4 }), (records) => {
        const encoded = encodeMessage(answers(...records))
        const foreignAnswers = records.map((item) => ({
          name: formatName(item.name),
          type: item.rdata.kind.toUpperCase(),
          class: 'IN',
          ttl: item.ttl,
          data: foreign(item.rdata as Comparable),
        }))
        const theirs = packet.encode({
          type: 'response',
          id: 1,
          flags: packet.AUTHORITATIVE_ANSWER,
          answers: foreignAnswers as never,
        })
        expect(Buffer.from(encoded).toString('hex')).toBe(theirs.toString('hex'))
        const compressed = packet.decode(Buffer.from(encodeMessage(answers(...records), { compress: true })))
        expect(compressed.answers).toEqual(packet.decode(theirs).answers)
      }),
      { numRuns: Math.max(500, fc.readConfigureGlobal().numRuns ?? 0) },
    )
  })
})
