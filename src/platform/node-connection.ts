/**
 * A connected socket of Node as a {@link Connection}: octets are pulled, so that a peer that sends faster than we read
 * is stopped by the system's flow control and never fills our memory.
 */
import type { AddressInfo, Socket } from 'node:net'
import { assert } from '../core/assert.ts'
import type { Failure } from '../model/failure.ts'
import { NetError, type Connection, type Endpoint } from '../net/net.ts'
import { failureOf } from './node-failure.ts'

/** Wraps a socket that is connected, was made with `allowHalfOpen` and that nobody else reads or writes. */
export function wrapSocket(socket: Socket): Connection {
  let failure: Failure | undefined
  let ended = false
  let closedHere = false
  let wake: (() => void) | undefined
  const changed = (): void => {
    const waiter = wake
    wake = undefined
    waiter?.()
  }
  socket.on('readable', changed)
  socket.on('end', () => {
    ended = true
    changed()
  })
  socket.on('error', (error) => {
    failure = failureOf(error)
    changed()
  })
  socket.on('close', changed)

  const read = async (): Promise<Uint8Array | undefined> => {
    assert(wake === undefined, 'one read at a time')
    for (;;) {
      if (closedHere) return undefined
      const chunk: Uint8Array | null = socket.read()
      if (chunk !== null) return new Uint8Array(chunk) // a copy that is a plain Uint8Array
      if (failure !== undefined) throw new NetError(failure)
      if (ended || socket.destroyed) return undefined
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    read,
    write: (octets) =>
      new Promise((resolve, reject) => {
        socket.write(octets, (error) => {
          if (error === undefined || error === null) resolve()
          else reject(new NetError(failure ?? failureOf(error), { cause: error }))
        })
      }),
    finish: () => {
      if (!closedHere) socket.end()
    },
    close: () => {
      closedHere = true
      socket.destroy()
      changed()
    },
  }
}

/** The address of a socket in the form of {@link Endpoint}; Unix sockets have none. */
export function endpointOf(address: AddressInfo | string | null): Endpoint {
  return typeof address === 'object' && address !== null
    ? { address: address.address, port: address.port }
    : { address: '', port: 0 }
}
