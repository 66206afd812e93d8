import { describe, expect, onTestFinished, test } from 'vitest'
import { publicAddressPlan, type AddressPlan } from '../../src/core/address-plan.ts'
import { formatIp } from '../../src/core/ip-address.ts'
import { createEgressGuard } from '../../src/net/egress-guard.ts'
import type { Net } from '../../src/net/net.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { startTcpPeer } from './tcp-peer.ts'

/** A plan in which 127.0.0.1 and nothing else is public. */
const loopbackPlan: AddressPlan = {
  ...publicAddressPlan,
  isPublic: (octets) => formatIp(octets) === '127.0.0.1',
}

/** A network that must not be used. */
const noNet = {
  connectTcp: () => {
    throw new Error('somebody connected')
  },
} as Partial<Net> as Net

describe('createEgressGuard', () => {
  test('connects to the address that it checked, and resolves once', async () => {
    await using peer = await startTcpPeer(async () => {})
    const resolved: string[] = []
    const guard = createEgressGuard(nodeNet, loopbackPlan, async (host) => {
      resolved.push(host)
      return resolved.length === 1 ? ['10.0.0.1', 'rubbish', '127.0.0.1'] : ['10.0.0.1']
    })
    const outcome = await guard.connect('page.example', peer.endpoint.port, 5_000)
    expect(outcome).toMatchObject({ kind: 'connected', address: '127.0.0.1' })
    if (outcome.kind !== 'connected') return
    onTestFinished(() => {
      outcome.connection.close()
    })
    expect(outcome.connection.remote).toEqual(peer.endpoint)
    expect(resolved).toEqual(['page.example'])
  })

  test.each(['127.0.0.1', '[::1]', '::ffff:8.8.8.8', '169.254.169.254', '64:ff9b::a00:1', 'fe80::1'])(
    'refuses the address %s without connecting',
    async (host) => {
      const guard = createEgressGuard(noNet, publicAddressPlan, async () => ['8.8.8.8'])
      expect(await guard.connect(host, 80, 100)).toMatchObject({
        kind: 'refused',
        reason: 'the address is not public',
        addresses: [host.replaceAll(/[[\]]/g, '')],
      })
    },
  )

  test('refuses a name all of whose addresses are private', async () => {
    const guard = createEgressGuard(noNet, publicAddressPlan, async () => ['10.0.0.1', '::1'])
    expect(await guard.connect('inside.example', 443, 100)).toEqual({
      kind: 'refused',
      reason: 'the address is not public',
      addresses: ['10.0.0.1', '::1'],
    })
    const none = createEgressGuard(noNet, publicAddressPlan, async () => [])
    expect(await none.connect('nothing.example', 443, 100)).toMatchObject({ reason: 'the name has no address' })
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
    const guard = createEgressGuard(noNet, publicAddressPlan, async () => ['8.8.8.8'])
    expect(await guard.connect(host, 80, 100)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('neither'),
    })
  })

  test.each([0, -1, 65_536, 1.5])('refuses port %d', async (port) => {
    const guard = createEgressGuard(noNet, publicAddressPlan, async () => ['8.8.8.8'])
    expect(await guard.connect('page.example', port, 100)).toMatchObject({ reason: 'this is no port' })
  })

  test('reports a connection that was not made', async () => {
    const peer = await startTcpPeer(async () => {})
    await peer[Symbol.asyncDispose]()
    const guard = createEgressGuard(nodeNet, loopbackPlan, async () => [])
    expect(await guard.connect('127.0.0.1', peer.endpoint.port, 5_000)).toEqual({
      kind: 'failure',
      operation: 'connect',
      failure: 'connection_refused',
      address: '127.0.0.1',
    })
  })
})
