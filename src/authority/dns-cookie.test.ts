import { describe, expect, test } from 'vitest'
import { parseIp } from '../core/ip-address.ts'
import { isServerCookie, makeServerCookie, type CookieOwner } from './dns-cookie.ts'
import { sipHash } from './sip-hash.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const owner = (secret: string, client: string, address: string): CookieOwner => ({
  secret: hex(secret),
  client: hex(client),
  addressOctets: parseIp(address) ?? new Uint8Array(4),
})

describe('sipHash', () => {
  test('gives the vector of the paper', () => {
    const octets = Uint8Array.from({ length: 16 }, (_, i) => i)
    expect(sipHash(octets, octets.subarray(0, 15))).toEqual(hex('e545be4961ca29a1'))
  })
})

describe('makeServerCookie', () => {
  test('makes the cookies of RFC 9018 appendix A', () => {
    const v4 = owner('e5e973e5a6b2a43f48e7dc849e37bfcf', '2464c4abcf10c957', '198.51.100.100')
    expect(makeServerCookie(v4, 0x5cf7_9f11)).toEqual(hex('010000005cf79f111f8130c3eee29480'))
    const v6 = owner('dd3bdf9344b678b185a6f5cb60fca715', '22681ab97d52c298', '2001:db8:220:1:59de:d0f4:8769:82b8')
    expect(makeServerCookie(v6, 0x5cf7_c579)).toEqual(hex('010000005cf7c57926556bd0934c72f8'))
  })
})

describe('isServerCookie', () => {
  const mine = owner('e5e973e5a6b2a43f48e7dc849e37bfcf', '2464c4abcf10c957', '198.51.100.100')
  const made = makeServerCookie(mine, 1_000_000)

  test('takes its own cookie for an hour, and up to five minutes ahead', () => {
    const states = [1_000_000.9, 1_003_600, 1_003_601, 999_700, 999_699].map((now) => isServerCookie(mine, made, now))
    expect(states).toEqual([true, true, false, true, false])
  })

  test('refuses the cookie of another address, client or secret, and a changed one', () => {
    const others = [
      { ...mine, addressOctets: Uint8Array.of(198, 51, 100, 101) },
      { ...mine, client: hex('2464c4abcf10c958') },
      { ...mine, secret: hex('00e973e5a6b2a43f48e7dc849e37bfcf') },
    ]
    for (const other of others) expect(isServerCookie(other, made, 1_000_000)).toBe(false)
    expect(isServerCookie(mine, made.with(15, (made[15] ?? 0) ^ 1), 1_000_000)).toBe(false)
    expect(isServerCookie(mine, made.slice(0, 15), 1_000_000)).toBe(false)
    expect(isServerCookie(mine, new Uint8Array(0), 1_000_000)).toBe(false)
  })
})
