import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDescriptorReader, type Descriptor } from './descriptor.ts'

const ONE = `router alpha 192.0.2.1 9001 0 0
identity-ed25519
-----BEGIN ED25519 CERT-----
AQQABp
-----END ED25519 CERT-----
platform Tor 0.4.8.12 on Linux
published 2026-01-31 10:00:00
fingerprint 000A 10D4 3011 EA49 28A3 5F61 0405 F92B 4433 B4DC
uptime 4711
family $000C1F7CD2FEA073B911DC94A1600EC2F117DF0B $000C1F7CD2FEA073B911DC94A1600EC2F117DF0C~nick friend !bad
contact someone <a AT example dot org>
reject 0.0.0.0/8:*
reject *:25
accept *:80
reject *:*
ipv6-policy accept 80,443
router-signature`
const FINGERPRINT = '000A10D43011EA4928A35F610405F92B4433B4DC'

function read(text: string): ReadonlyMap<string, Descriptor> {
  const reader = createDescriptorReader()
  for (const line of text.split('\n')) reader.take(line)
  return reader.finish()
}

describe('createDescriptorReader', () => {
  test('reads what a relay says of itself', () => {
    expect(read(ONE).get(FINGERPRINT)).toEqual({
      exitsToIpv4: true,
      exitsToIpv6: true,
      family: ['000C1F7CD2FEA073B911DC94A1600EC2F117DF0B', '000C1F7CD2FEA073B911DC94A1600EC2F117DF0C', 'friend'],
      contact: 'someone <a AT example dot org>',
      platform: 'Tor 0.4.8.12 on Linux',
    })
  })

  test('takes the newest of several, in any order', () => {
    const older = ONE.replace('2026-01-31 10', '2026-01-31 09').replace('someone', 'nobody')
    for (const text of [`${ONE}\n${older}`, `${older}\n${ONE}`]) {
      expect(read(text).get(FINGERPRINT)?.contact).toMatch(/^someone/)
    }
  })

  test('knows no exit where there is none', () => {
    const text = ONE.replace('accept *:80\n', '').replace('ipv6-policy accept 80,443\n', '')
    expect(read(text).get(FINGERPRINT)).toMatchObject({ exitsToIpv4: false, exitsToIpv6: false })
  })

  test('bounds what a relay can make us keep', () => {
    const long = 'x'.repeat(100_000)
    const family = Array.from({ length: 5_000 }, (_, i) => `n${i}`).join(' ')
    const text = ONE.replace('contact someone', `contact ${long}`).replace('family ', `family ${family} `)
    const descriptor = read(text).get(FINGERPRINT)
    expect(descriptor?.contact).toHaveLength(1_024)
    expect(descriptor?.family.length).toBeLessThanOrEqual(512)
  })

  test('survives every damage', () => {
    fc.assert(
      fc.property(fc.nat(ONE.length), fc.string({ maxLength: 40 }), fc.nat(200), (at, patch, cut) => {
        for (const fingerprint of read(ONE.slice(0, at) + patch + ONE.slice(at + cut)).keys()) {
          expect(fingerprint).toMatch(/^[\dA-F]{40}$/)
        }
      }),
    )
  })
})
