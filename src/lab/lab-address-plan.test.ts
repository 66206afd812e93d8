import { describe, expect, test } from 'vitest'
import { parseIp } from '../core/ip-address.ts'
import { laboratoryAddressPlan } from './lab-address-plan.ts'

function ip(text: string): Uint8Array {
  return parseIp(text) ?? new Uint8Array()
}

describe('laboratoryAddressPlan', () => {
  test('counts addresses of the laboratory as public and gives them owners', () => {
    for (const text of ['127.5.9.1', '127.252.9.1', '198.51.100.53', '203.0.113.1', '192.0.2.1', '2001:db8::1']) {
      expect(laboratoryAddressPlan.isPublic(ip(text))).toBe(true)
      expect(laboratoryAddressPlan.isBogusAnswer(ip(text))).toBe(false)
      expect(laboratoryAddressPlan.lookup(ip(text))?.country).toMatch(/^X[A-Z]$/)
    }
  })

  test('leaves everything else as it is', () => {
    for (const text of ['127.0.0.1', '10.66.0.1', '::1', 'fd00::1']) {
      expect(laboratoryAddressPlan.isPublic(ip(text))).toBe(false)
      expect(laboratoryAddressPlan.isBogusAnswer(ip(text))).toBe(true)
      expect(laboratoryAddressPlan.lookup(ip(text))).toBeUndefined()
    }
    expect(laboratoryAddressPlan.isPublic(ip('1.1.1.1'))).toBe(true)
  })

  test('spreads relays over several networks and countries', () => {
    const owners = Array.from({ length: 40 }, (_, i) => laboratoryAddressPlan.lookup(ip(`127.${i + 1}.7.1`)))
    expect(new Set(owners.map((owner) => owner?.asn)).size).toBe(5)
    expect(new Set(owners.map((owner) => owner?.country)).size).toBe(4)
  })
})
