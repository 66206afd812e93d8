/**
 * DNS over TLS before a server that speaks TCP: what comes over TLS goes on to it.
 *
 * Invariant: connections are bounded; one end that closes closes the other.
 *
 * Sources: RFC 7858.
 */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Endpoint } from '../net/net.ts'
import type { IssuedCertificate } from './certificate-authority.ts'

const CONNECTIONS_MAX = 256

/** A server that serves. */
export interface DotServer {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/** Starts serving on an address; the system chooses the port. @param behind - A server that speaks DNS over TCP. */
export async function serveDot(
  address: string,
  { certificate, key }: IssuedCertificate,
  behind: Endpoint,
): Promise<DotServer> {
  const open = new Set<Socket>()
  const server = createServer({ cert: certificate, key }, (outside) => {
    const inside = connect({ host: behind.address, port: behind.port })
    for (const socket of [outside, inside]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        open.delete(socket)
        outside.destroy()
        inside.destroy()
      })
    }
    if (open.size > 2 * CONNECTIONS_MAX) outside.destroy()
    outside.pipe(inside)
    inside.pipe(outside)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, address)
  await once(server, 'listening')
  const local = server.address() as AddressInfo
  return {
    endpoint: { address, port: local.port },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
