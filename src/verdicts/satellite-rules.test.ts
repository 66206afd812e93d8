import { describe, expect, test } from 'vitest'
import { readRow } from '../campaigns/satellite/read-row.ts'
import { publicAddressPlan } from '../core/address-plan.ts'
import type { SatelliteCertificate, SatellitePacket } from '../model/satellite-evidence.ts'
import type { SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'
import { createAddressSpread, detectAsOfMany } from './satellite-as-of-many.ts'
import { detectBlockpage } from './satellite-blockpage.ts'
import { createCdnCertificates, detectContentNetwork } from './satellite-cdn.ts'
import { summarizeFetch, type FindFetch } from './satellite-fetch-facts.ts'
import { detectInjectedResponse } from './satellite-injected.ts'
import { detectKnownBlockAddress, parseBlockAddresses } from './satellite-known-block.ts'
import { detectAnswerFromNonResolver } from './satellite-non-resolver.ts'
import { createResolverProfiles, detectUnreliableResolver } from './satellite-unreliable.ts'
import { detectValidTls } from './satellite-valid-tls.ts'

interface Asked {
  readonly url?: string
  readonly answers?: readonly string[]
  readonly rcode?: number
}

function makeRow(trials: readonly Asked[], domain = 'a.example', country = 'XA', vp = '8.8.8.8'): SatelliteRow {
  const response = trials.map(({ url = domain, answers = [], rcode = 0 }) => ({
    url,
    has_type_a: answers.length > 0,
    response: answers,
    error: 'null',
    rcode,
  }))
  const location = { country_name: country, country_code: country }
  return readRow({ vp, test_url: domain, location, response, passed_liveness: true }, 'response')
}

function answer(...answers: readonly string[]): SatelliteRow {
  return makeRow([{ answers }])
}

const VALID: SatelliteCertificate = { sha256: 'aa', isChainValid: true, isNameValid: true, reason: null }

describe('detectValidTls', () => {
  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])('wants chain (%s) and name (%s)', (isChainValid, isNameValid, isFound) => {
    const find: FindFetch = (address, domain) =>
      address === '8.8.0.2' && domain === 'a.example'
        ? { certificate: { ...VALID, isChainValid, isNameValid }, tlsError: null, page: null }
        : undefined
    const finding = detectValidTls(answer('8.8.0.1', '8.8.0.2'), find)
    expect(finding?.evidence).toEqual(isFound ? { addresses: ['8.8.0.2'], certificates: ['aa'] } : undefined)
  })
})

describe('detectInjectedResponse', () => {
  const packet = (
    elapsedMs: number,
    answers: readonly string[],
    rcode = 0,
    octetsSha256 = String(elapsedMs),
  ): SatellitePacket => ({
    elapsedMs,
    rcode,
    answers,
    octetsSha256,
  })
  test.each([
    ['another address', [packet(10, ['9.9.9.1']), packet(30, ['8.8.0.1'])], true],
    ['another code', [packet(10, [], 3), packet(30, ['8.8.0.1'])], true],
    ['one address more', [packet(10, ['8.8.0.1']), packet(30, ['8.8.0.1', '8.8.0.2'])], true],
    ['a third that differs', [packet(1, ['1.1.1.1']), packet(2, ['1.1.1.1']), packet(400, ['8.8.0.1'])], true],
    ['500 ms later', [packet(10, ['9.9.9.1']), packet(510, ['8.8.0.1'])], true],
    ['more than 500 ms later', [packet(10, ['9.9.9.1']), packet(511, ['8.8.0.1'])], false],
    ['an identical duplicate', [packet(10, ['8.8.0.1'], 0, 'x'), packet(400, ['8.8.0.1'], 0, 'x')], false],
    ['a list that has turned', [packet(10, ['8.8.0.1', '8.8.0.2']), packet(30, ['8.8.0.2', '8.8.0.1'])], false],
    ['one packet', [packet(10, ['9.9.9.1'])], false],
    ['nothing', [], false],
  ])('sees %s', (_what, packets, isFound) => {
    const finding = detectInjectedResponse([{ purpose: 'test', name: 'a.example', packets }])
    expect(finding !== undefined).toBe(isFound)
  })
})

describe('detectAnswerFromNonResolver', () => {
  test.each([
    ['an answer', [{ answers: ['9.9.9.1'] }], true, true],
    ['NXDOMAIN', [{ rcode: 3 }], true, true],
    ['silence', [{ rcode: -1 }], true, false],
    [
      'an answer to the control name too',
      [{ url: 'control.example', answers: ['9.9.9.2'] }, { answers: ['9.9.9.1'] }],
      true,
      false,
    ],
    ['an answer of a resolver', [{ answers: ['9.9.9.1'] }], false, false],
  ])('judges %s', (_what, trials, isNonResolver, isFound) => {
    expect(detectAnswerFromNonResolver(makeRow(trials), isNonResolver) !== undefined).toBe(isFound)
  })
})

describe('detectKnownBlockAddress', () => {
  test('knows addresses and prefixes of both families, the longest first', () => {
    const list = parseBlockAddresses('# servers\n9.9.9.0/24 provider\n9.9.9.9 national block\n2001:db8::/32\n\n')
    expect(list).toMatchObject({ size: 3, problems: [] })
    expect(detectKnownBlockAddress(answer('9.9.9.9', '9.9.9.1', '8.8.8.8'), list.find)?.evidence).toEqual({
      addresses: ['9.9.9.9', '9.9.9.1'],
      labels: ['national block', 'provider'],
    })
    expect(list.find('2001:db8::1')).toBe('2001:db8::/32')
    expect(detectKnownBlockAddress(answer('9.9.8.9', 'no address'), list.find)).toBeUndefined()
    expect(parseBlockAddresses('9.9.9.9\nserver.example').problems).toEqual([
      'line 2: server.example is neither an address nor a prefix',
    ])
  })
})

describe('detectBlockpage', () => {
  const fetch = (body: string): ReturnType<FindFetch> =>
    summarizeFetch(
      {
        address: '9.9.9.9',
        domain: 'a.example',
        http: { statusLine: '200 OK', headers: { Server: ['x', 'y'] }, body, isTruncated: false, bodySha256: '' },
        https: { error: 'connection_refused' },
        certificate: null,
        startedAtMs: 0,
        endedAtMs: 0,
      },
      (text) =>
        text === `200 OK\r\nServer: x\r\nServer: y\r\n\r\n${body}` && body.includes('_')
          ? { isBlockpage: !body.startsWith('x_'), fingerprint: body, stopped: [] }
          : { isBlockpage: null, fingerprint: null, stopped: [] },
    )
  test.each([
    ['c_isp_example', 0.95, 'provider'],
    ['f_gen_example', 0.7, 'generic'],
    ['strange_example', 0.95, 'unknown'],
  ])('weighs %s and tells its origin', (fingerprint, interference, origin) => {
    expect(detectBlockpage(answer('9.9.9.9'), () => fetch(fingerprint))).toMatchObject({
      evidence: { fingerprints: [fingerprint], origins: [origin] },
      weights: { interference },
    })
  })
  test('passes over false positives and unknown pages', () => {
    expect(detectBlockpage(answer('9.9.9.9'), () => fetch('x_error'))).toBeUndefined()
    expect(detectBlockpage(answer('9.9.9.9'), () => fetch('welcome'))).toBeUndefined()
    expect(fetch('welcome')?.tlsError).toBe('connection_refused')
  })
})

describe('detectAsOfMany', () => {
  /** Twenty resolvers of XA and sixty of XB; the countries given say which of them have the address. */
  const isServer = (names: readonly string[], countries: readonly string[], sharesNothing = true): boolean => {
    const spread = createAddressSpread()
    for (let at = 0; at < 20; at++)
      for (const country of ['XA', 'XB', 'XB', 'XB'])
        spread.add(makeRow([{ answers: ['8.8.0.1'] }], 'z.example', country), false)
    for (const name of names)
      for (const country of countries) spread.add(makeRow([{ answers: ['9.9.9.9'] }], name, country), sharesNothing)
    return detectAsOfMany(answer('9.9.9.9'), spread.find, true) !== undefined
  }
  const SIX = ['a.example', 'b.test', 'www.c.invalid', 'd.co.uk', 'e.co.uk', 'f.example.net']

  test('wants more than five owners of names, and one country', () => {
    expect(isServer(SIX, ['XA'])).toBe(true)
    expect(isServer(SIX.slice(1), ['XA'])).toBe(false)
    expect(isServer(['1.a.example', '2.a.example', ...SIX.slice(0, 4), '3.d.co.uk'], ['XA'])).toBe(false)
    // A shared address that every country sees in its own proportion.
    expect(isServer(SIX, ['XA', 'XB', 'XB', 'XB'])).toBe(false)
    // An address that shares something with the control.
    expect(isServer(SIX, ['XA'], false)).toBe(false)
  })

  test('spares a pair that shares something with the control', () => {
    const server = { country: 'XA', sightings: 6, allSightings: 6, baseShare: 0.1 }
    expect(detectAsOfMany(answer('9.9.9.9'), () => server, false)).toBeUndefined()
    expect(detectAsOfMany(answer('9.9.9.9'), () => server, true)?.evidence).toMatchObject({
      sightings: 6,
      country: 'XA',
    })
  })
})

describe('detectContentNetwork', () => {
  const tags = (asnum: number | null, cert: string | null): SatelliteTags => ({ http: null, cert, asnum, asname: null })
  const certificates = createCdnCertificates()
  certificates.add(tags(20_940, 'edge'))
  certificates.add(tags(64_500, 'other'))
  test.each([
    [tags(13_335, 'edge'), ['cdn-by-as-number']],
    [tags(64_500, 'edge'), ['cdn-by-certificate']],
    [tags(64_500, 'other'), []],
    [tags(null, null), []],
  ])('tells %j', (known, rules) => {
    const findings = detectContentNetwork(answer('9.9.9.9'), () => known, certificates.find)
    expect(findings.map(({ rule }) => rule)).toEqual(rules)
  })
})

describe('detectUnreliableResolver', () => {
  const profileOf = (
    failures: number,
    failed: Asked,
    certificate: SatelliteCertificate | null = null,
    pairs = 20,
  ): ReturnType<typeof detectUnreliableResolver> => {
    const profiles = createResolverProfiles(publicAddressPlan)
    const find: FindFetch = (address) =>
      address === '9.9.9.9' ? { certificate, tlsError: null, page: null } : undefined
    for (let at = 0; at < pairs; at++)
      profiles.add(makeRow([at < failures ? failed : { answers: ['8.8.0.1'] }], `${at}.example`), find)
    return detectUnreliableResolver(profiles.find('8.8.8.8'))
  }
  const INVALID = { ...VALID, isNameValid: false }
  test.each([
    ['70 % connect errors', 14, { rcode: -1 }, null, false],
    ['exactly three in four', 15, { rcode: -1 }, null, false],
    ['80 % connect errors', 16, { rcode: -1 }, null, true],
    ['80 % NXDOMAIN', 16, { rcode: 3 }, null, true],
    ['80 % invalid certificates', 16, { answers: ['9.9.9.9'] }, INVALID, true],
    ['80 % valid certificates', 16, { answers: ['9.9.9.9'] }, VALID, false],
    ['80 % private answers', 16, { answers: ['10.0.0.1'] }, null, false],
    ['80 % answers of zero', 16, { answers: ['0.0.0.0'] }, null, false],
  ])('judges a resolver with %s', (_what, failures, failed, certificate, isFound) => {
    expect(profileOf(failures, failed, certificate) !== undefined).toBe(isFound)
  })
  test('makes no rate of four pairs', () => {
    expect(profileOf(4, { rcode: -1 }, null, 4)).toBeUndefined()
    expect(profileOf(5, { rcode: -1 }, null, 5)?.evidence).toMatchObject({
      pairs: 5,
      connect_error: 1,
      private_answer: 0,
    })
    expect(detectUnreliableResolver(undefined)).toBeUndefined()
  })
})
