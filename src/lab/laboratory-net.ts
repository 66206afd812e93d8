/**
 * The network as it looks from inside a laboratory: addresses of its plan lead to the loopback sockets on which its worlds
 * really listen, with the ports that everybody expects (53, 80, 443, 853).
 *
 * Invariant: nothing leaves the machine. What is neither the laboratory's nor a loopback address is unreachable; an
 * address of the laboratory without a route swallows datagrams and refuses connections. A datagram comes back from the
 * address that it was sent to.
 */
import { isIPv4 } from 'node:net'
import { assert } from '../core/assert.ts'
import { canonicalIp, type IpOctets, parseIp } from '../core/ip-address.ts'
import { type Endpoint, type Net, NetError, type UdpSocket } from '../net/net.ts'

/** Where a port of the laboratory's plan really is. */
export interface LaboratoryRoute {
  readonly protocol: 'udp' | 'tcp'
  /** As commands inside know it. */
  readonly address: string
  readonly port: number
  /** A loopback address of the same family, with a port of its own. */
  readonly to: Endpoint
}

/** What is known inside. */
export interface LaboratoryNetOptions {
  readonly routes: readonly LaboratoryRoute[]
  /** PEM of the certificate authority that is trusted where a command names none. */
  readonly authority: string
  /** Whether an address belongs to the laboratory. */
  readonly owns: (octets: IpOctets) => boolean
}

type Protocol = LaboratoryRoute['protocol']

/** Puts the laboratory before a network. Listening, binding and Unix sockets are as they are outside. */
export function createLaboratoryNet(net: Net, { routes, authority, owns }: LaboratoryNetOptions): Net {
  const there = new Map<string, Endpoint>()
  const back = new Map<string, Endpoint>()
  for (const { protocol, address, port, to } of routes) {
    assert(isIPv4(address) === isIPv4(to.address), 'a route stays in its family')
    there.set(keyOf(protocol, { address, port }), to)
    if (protocol === 'udp') back.set(keyOf('udp', to), { address, port })
  }
  /** @returns The real endpoint; `undefined` where nobody is. @throws {NetError} For addresses outside. */
  const find = (protocol: Protocol, endpoint: Endpoint): Endpoint | undefined => {
    const found = there.get(keyOf(protocol, endpoint))
    if (found !== undefined) return found
    const octets = parseIp(endpoint.address)
    if (octets === undefined || !(isLoopback(octets) || owns(octets))) throw new NetError('network_unreachable')
    return isLoopback(octets) ? endpoint : undefined
  }
  const findTcp = (endpoint: Endpoint): Endpoint => {
    const found = find('tcp', endpoint)
    if (found === undefined) throw new NetError('connection_refused', { operation: 'connect' })
    return found
  }
  return {
    ...net,
    bindUdp: async (local, handlers) => {
      const socket = await net.bindUdp(local, {
        ...handlers,
        onDatagram: (octets, from) => {
          handlers.onDatagram(octets, back.get(keyOf('udp', from)) ?? from)
        },
      })
      const send: UdpSocket['send'] = async (octets, to) => {
        const real = find('udp', to)
        if (real !== undefined) await socket.send(octets, real)
      }
      return { ...socket, send }
    },
    connectTcp: async (to, timeoutMs) => ({ ...(await net.connectTcp(findTcp(to), timeoutMs)), remote: to }),
    connectTls: async (to, options, timeoutMs) => ({
      ...(await net.connectTls(findTcp(to), { authorities: authority, ...options }, timeoutMs)),
      remote: to,
    }),
  }
}

function keyOf(protocol: Protocol, { address, port }: Endpoint): string {
  return `${protocol} ${canonicalIp(address) ?? address} ${port}`
}

function isLoopback(octets: IpOctets): boolean {
  return octets.length === 4
    ? octets[0] === 127
    : octets.subarray(0, 15).every((octet) => octet === 0) && octets[15] === 1
}
