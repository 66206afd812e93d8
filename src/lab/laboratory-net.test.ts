import { createServer } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { nodeNet } from '../platform/node-net.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import { ownsLaboratoryAddress } from './lab-address-plan.ts'
import { createLaboratoryNet, type LaboratoryRoute } from './laboratory-net.ts'

const AUTHORITY = createCertificateAuthority('test', nodeClock.wallNowMs())

function inside(routes: readonly LaboratoryRoute[]): ReturnType<typeof createLaboratoryNet> {
  return createLaboratoryNet(nodeNet, { routes, authority: AUTHORITY.certificate, owns: ownsLaboratoryAddress })
}

describe('createLaboratoryNet', () => {
  test('carries datagrams to the real socket, and the reply comes from the address that was asked', async () => {
    const server = await nodeNet.bindUdp(
      { address: '127.248.7.1', port: 0 },
      { onDatagram: (octets, from) => void server.send(octets, from), onError: () => {} },
    )
    const net = inside([{ protocol: 'udp', address: '198.18.0.1', port: 53, to: server.local }])
    const heard = await new Promise((resolve, reject) => {
      void net
        .bindUdp(
          { address: '0.0.0.0', port: 0 },
          {
            onDatagram: (octets, from) => {
              client.close()
              resolve({ octets, from })
            },
            onError: reject,
          },
        )
        .then((socket) => {
          client = socket
          return socket.send(Uint8Array.of(1, 2), { address: '198.18.0.1', port: 53 })
        })
      let client = server
    })
    server.close()
    expect(heard).toEqual({ octets: Uint8Array.of(1, 2), from: { address: '198.18.0.1', port: 53 } })
  })

  test('trusts the authority of the laboratory, for TLS on the standard port', async () => {
    const issued = AUTHORITY.issue({ names: ['www.site.test'] })
    const server = createServer({ cert: issued.certificate, key: issued.key }, (socket) => socket.end('hello'))
    server.listen(0, '127.248.7.2')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const to = { address: '127.248.7.2', port }
    const net = inside([{ protocol: 'tcp', address: '198.19.0.1', port: 443, to }])
    const options = { serverName: 'www.site.test', mode: 'strict', alpn: [] } as const
    const site = { address: '198.19.0.1', port: 443 }
    const connection = await net.connectTls(site, options, 5_000)
    expect(new TextDecoder().decode(await connection.read())).toBe('hello')
    expect(connection.remote).toEqual(site)
    connection.close()
    await expect(nodeNet.connectTls(to, options, 5_000)).rejects.toMatchObject({ failure: 'ssl_unknown_authority' })
    server.close()
  })

  test('is silent or refuses at its own addresses without a route, and lets nothing out', async () => {
    const net = inside([])
    const socket = await net.bindUdp({ address: '0.0.0.0', port: 0 }, { onDatagram: () => {}, onError: () => {} })
    await socket.send(Uint8Array.of(1), { address: '198.18.0.1', port: 53 })
    await expect(socket.send(Uint8Array.of(1), { address: '192.0.0.9', port: 53 })).rejects.toMatchObject({
      failure: 'network_unreachable',
    })
    socket.close()
    const refused = net.connectTcp({ address: '198.19.0.1', port: 80 }, 100)
    await expect(refused).rejects.toMatchObject({ failure: 'connection_refused' })
    for (const address of ['9.9.9.9', '2620:fe::9', '10.0.0.1', '0.0.0.0']) {
      const outside = net.connectTcp({ address, port: 80 }, 100)
      await expect(outside).rejects.toMatchObject({ failure: 'network_unreachable' })
    }
  })
})
