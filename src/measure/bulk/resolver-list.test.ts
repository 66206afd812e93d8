import { describe, expect, test } from 'vitest'
import { publicAddressPlan } from '../../core/address-plan.ts'
import { ConfigError } from '../../core/config-error.ts'
import { parseResolverAddress, parseResolverList } from './resolver-list.ts'

describe('parseResolverAddress', () => {
  test('takes the forms that dig, massdns and URLs have', () => {
    expect(parseResolverAddress('192.0.2.1')).toEqual({ address: '192.0.2.1', port: 53 })
    expect(parseResolverAddress('192.0.2.1#5353')).toEqual({ address: '192.0.2.1', port: 5353 })
    expect(parseResolverAddress('192.0.2.1:5353')).toEqual({ address: '192.0.2.1', port: 5353 })
    expect(parseResolverAddress('2001:DB8::1#54')).toEqual({ address: '2001:db8::1', port: 54 })
    expect(parseResolverAddress('[2001:db8::1]:54')).toEqual({ address: '2001:db8::1', port: 54 })
  })
  test('refuses everything else', () => {
    for (const text of ['', 'dns.example', '192.0.2.1#0', '192.0.2.1#65536', '192.0.2.300', '[192.0.2.1', '1#2#3'])
      expect(parseResolverAddress(text)).toBeUndefined()
  })
})

describe('parseResolverList', () => {
  test('paces what is not one’s own, and takes each address once', () => {
    const text = '# list\n127.0.0.1\n8.8.8.8 # far\n10.0.0.1\n127.0.0.1#53\nfd00::1\n192.0.2.1\n'
    expect(
      parseResolverList(text, 'list.txt', publicAddressPlan).map(({ address, isPaced }) => [address, isPaced]),
    ).toEqual([
      ['127.0.0.1', false],
      ['8.8.8.8', true],
      ['10.0.0.1', false],
      ['fd00::1', false],
      ['192.0.2.1', true],
    ])
  })
  test('names the line that it cannot use', () => {
    expect(() => parseResolverList('127.0.0.1\nnobody\n', 'list.txt', publicAddressPlan)).toThrow(ConfigError)
    expect(() => parseResolverList('# nothing\n', 'list.txt', publicAddressPlan)).toThrow(ConfigError)
  })
})
