/** Presentation form of rdata. Real servers' records are compared with `dig` in `test/vectors`. */
import { describe, expect, test } from 'vitest'
import { type Name, parseName } from './name.ts'
import { formatRdata, type Rdata } from './rdata.ts'

function name(text: string): Name {
  return parseName(text) as Name
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

const lines: readonly (readonly [string, Rdata])[] = [
  ['192.0.2.1', { kind: 'a', address: '192.0.2.1' }],
  ['2001:db8::1', { kind: 'aaaa', address: '2001:db8::1' }],
  ['.', { kind: 'ns', name: [] }],
  ['Www.example.', { kind: 'cname', name: name('Www.example') }],
  ['host.example.', { kind: 'ptr', name: name('host.example') }],
  ['10 mx.example.', { kind: 'mx', preference: 10, exchange: name('mx.example') }],
  ['"v=spf1 -all" ""', { kind: 'txt', strings: [octets('v=spf1 -all'), octets('')] }],
  ['1 2 443 s.example.', { kind: 'srv', priority: 1, weight: 2, port: 443, target: name('s.example') }],
  ['0 issue "ca.example"', { kind: 'caa', flags: 0, tag: 'issue', value: octets('ca.example') }],
  ['1 8 2 FF', { kind: 'ds', keyTag: 1, algorithm: 8, digestType: 2, digest: Uint8Array.of(255) }],
  // RFC 8078 section 4: the digest that deletes.
  ['0 0 0', { kind: 'ds', keyTag: 0, algorithm: 0, digestType: 0, digest: Uint8Array.of() }],
  ['257 3 13 /w==', { kind: 'dnskey', flags: 257, protocol: 3, algorithm: 13, publicKey: Uint8Array.of(255) }],
  ['3 1 1 0A', { kind: 'tlsa', usage: 3, selector: 1, matchingType: 1, association: Uint8Array.of(10) }],
  ['\\000.example. A TYPE65280', { kind: 'nsec', next: name('\\000.example'), types: [1, 65_280] }],
  ['0 svc.example.', { kind: 'svcb', priority: 0, target: name('svc.example'), params: [] }],
  [
    '1 . alpn="h2" port=8443',
    {
      kind: 'https',
      priority: 1,
      target: [],
      params: [
        { key: 1, octets: Uint8Array.of(2, 0x68, 0x32) },
        { key: 3, octets: Uint8Array.of(0x20, 0xfb) },
      ],
    },
  ],
  ['\\# 2 01FF', { kind: 'unknown', octets: Uint8Array.of(1, 255) }],
  ['\\# 0', { kind: 'malformed', octets: Uint8Array.of(), reason: 'ends too early' }],
  [
    'ns.example. hostmaster.example. 4294967295 1 2 3 4',
    {
      kind: 'soa',
      primary: name('ns.example'),
      mailbox: name('hostmaster.example'),
      serial: 4_294_967_295,
      refreshSeconds: 1,
      retrySeconds: 2,
      expireSeconds: 3,
      minimumSeconds: 4,
    },
  ],
  [
    '100 50 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
    {
      kind: 'naptr',
      order: 100,
      preference: 50,
      flags: octets('u'),
      services: octets('E2U+sip'),
      regexp: octets('!^.*$!sip:a@b!'),
      replacement: [],
    },
  ],
  [
    // The times of RFC 4034 section 3.3.
    'A 5 3 86400 20030322173103 20030220173103 2642 example.com. AAE=',
    {
      kind: 'rrsig',
      typeCovered: 1,
      algorithm: 5,
      labels: 3,
      originalTtlSeconds: 86_400,
      expirationSeconds: 1_048_354_263,
      inceptionSeconds: 1_045_762_263,
      keyTag: 2642,
      signer: name('example.com'),
      signature: Uint8Array.of(0, 1),
    },
  ],
  [
    '1 1 12 AABBCCDD 04 MX RRSIG',
    {
      kind: 'nsec3',
      hashAlgorithm: 1,
      flags: 1,
      iterations: 12,
      salt: Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd),
      nextHash: Uint8Array.of(1),
      types: [15, 46],
    },
  ],
  [
    '1 0 0 - 04',
    {
      kind: 'nsec3',
      hashAlgorithm: 1,
      flags: 0,
      iterations: 0,
      salt: Uint8Array.of(),
      nextHash: Uint8Array.of(1),
      types: [],
    },
  ],
]

describe('formatRdata', () => {
  test.each(lines)('prints %s', (text, rdata) => {
    expect(formatRdata(rdata)).toBe(text)
  })
})
