import { describe, expect, test } from 'vitest'
import { publicAddressPlan } from '../core/address-plan.ts'
import { decideEgress } from './egress-guard.ts'

const nobody = (): Promise<readonly string[]> => Promise.reject(new Error('somebody resolved'))

describe('decideEgress', () => {
  test('gives the first public address of a name, and resolves once', async () => {
    const resolved: string[] = []
    const decision = await decideEgress(publicAddressPlan, 'page.example', (host) => {
      resolved.push(host)
      return Promise.resolve(['10.0.0.1', 'rubbish', '8.8.8.8', '8.8.4.4'])
    })
    expect(decision).toEqual({ kind: 'allowed', address: '8.8.8.8' })
    expect(resolved).toEqual(['page.example'])
  })

  test('gives a public address as it is', async () => {
    expect(await decideEgress(publicAddressPlan, '[2001:4860:4860::8888]', nobody)).toEqual({
      kind: 'allowed',
      address: '2001:4860:4860::8888',
    })
  })

  test.each(['127.0.0.1', '[::1]', '::ffff:8.8.8.8', '169.254.169.254', '64:ff9b::a00:1', 'fe80::1', '0.0.0.0'])(
    'refuses the address %s',
    async (host) => {
      expect(await decideEgress(publicAddressPlan, host, nobody)).toEqual({
        kind: 'refused',
        reason: 'the address is not public',
        addresses: [host.replaceAll(/[[\]]/g, '')],
      })
    },
  )

  test('refuses a name that has no public address', async () => {
    const inside = await decideEgress(publicAddressPlan, 'inside.example', () => Promise.resolve(['10.0.0.1', '::1']))
    expect(inside).toMatchObject({ reason: 'the address is not public', addresses: ['10.0.0.1', '::1'] })
    const none = await decideEgress(publicAddressPlan, 'nothing.example', () => Promise.resolve([]))
    expect(none).toMatchObject({ kind: 'refused', reason: 'the name has no address' })
  })

  test.each([
    '2130706433',
    '0x7f.1',
    '127.1',
    '0177.0.0.1',
    '127.0.0.1.',
    'a..b',
    '',
    'a b',
    'a/b',
    'user@host',
    'fe80::1%eth0',
  ])('refuses %j, which is neither a host name nor an address', async (host) => {
    expect(await decideEgress(publicAddressPlan, host, nobody)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('neither'),
    })
  })
})
