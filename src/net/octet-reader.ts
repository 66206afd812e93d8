/**
 * Reads a byte stream in pieces of known length, as length-prefixed protocols need it.
 *
 * Invariant: holds at most one piece and one read of the connection, so the caller's bound on a piece bounds the memory.
 */
import { joinOctets } from './join-octets.ts'
import type { Connection } from './net.ts'

/** A connection with what was read ahead of need. */
export interface OctetReader {
  /**
   * Waits for exactly `count` octets.
   *
   * @returns `undefined` when the peer finished, or the connection was closed here, before there were so many.
   * @throws {NetError} When the connection broke.
   */
  take(count: number): Promise<Uint8Array | undefined>
  /** Hands the connection on, with what was read ahead in front of the rest. The reader is not used afterwards. */
  release(): Connection
}

/** Begins to read `connection`; nobody else reads it until it is released. */
export function createOctetReader(connection: Connection): OctetReader {
  let ahead: Uint8Array = new Uint8Array(0)
  return {
    take: async (count) => {
      const parts: Uint8Array[] = [ahead]
      let length = ahead.length
      while (length < count) {
        const part = await connection.read()
        if (part === undefined) {
          ahead = joinOctets(parts)
          return undefined
        }
        parts.push(part)
        length += part.length
      }
      const all = joinOctets(parts)
      ahead = all.subarray(count)
      return all.subarray(0, count)
    },
    release: () => (ahead.length === 0 ? connection : withOctetsAhead(connection, ahead)),
  }
}

function withOctetsAhead(connection: Connection, ahead: Uint8Array): Connection {
  let pending: Uint8Array | undefined = ahead
  return {
    local: connection.local,
    remote: connection.remote,
    read: async () => {
      const octets = pending
      pending = undefined
      return octets ?? (await connection.read())
    },
    write: (octets) => connection.write(octets),
    finish: () => {
      connection.finish()
    },
    close: () => {
      pending = undefined
      connection.close()
    },
  }
}
