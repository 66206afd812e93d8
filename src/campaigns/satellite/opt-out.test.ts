import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../core/config-error.ts'
import { parseOptOut, type OptOut } from './opt-out.ts'

const plan = { lookup: (octets: Uint8Array) => ({ asn: octets[0] === 9 ? 64_500 : 64_501, asName: '', country: '' }) }
const read = (text: string): OptOut => parseOptOut([{ path: 'out.txt', text }], plan)

describe('parseOptOut', () => {
  const list = read(
    '192.0.2.7 # they wrote\n198.51.100.0/24\n2001:db8::/32\nAS64500\n*.example.net\nhost.example.org.\n',
  )

  test.each([
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.8', undefined],
    ['198.51.100.255', '198.51.100.0/24'],
    ['198.51.101.0', undefined],
    ['2001:db8:1::7', '2001:db8::/32'],
    ['2001:db9::7', undefined],
    ['9.1.2.3', 'AS64500'],
    ['no address', undefined],
  ])('finds %s under %s', (address, entry) => {
    expect(list.findAddress(address)).toBe(entry)
  })

  test.each([
    ['a.example.net.', '*.example.net'],
    ['example.net', '*.example.net'],
    ['badexample.net', undefined],
    ['HOST.example.org', 'host.example.org.'],
    ['www.host.example.org', 'host.example.org.'],
    ['host.example.org.evil.example', undefined],
  ])('finds the name %s under %s', (name, entry) => {
    expect(list.findName([name])).toBe(entry)
  })

  test('says what kinds of entries there are', () => {
    expect([list.hasNames, list.hasSystems]).toEqual([true, true])
    expect(list.prefixes).toEqual(['192.0.2.7/32', '198.51.100.0/24', '2001:db8::/32'])
    expect(read('# nobody\n\n')).toMatchObject({ hasNames: false, hasSystems: false, prefixes: [] })
  })

  test.each(['192.0.2.0/33', 'word', 'a b.example', '(.*)+.example', 'AS-1'])('refuses `%s`', (line) => {
    expect(() => read(`192.0.2.1\n${line}`)).toThrow(ConfigError)
  })
})
