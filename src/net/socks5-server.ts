/**
 * SOCKS5, the side that is asked: reads one request from a connection and answers it as its caller decides.
 *
 * Invariant: connects nowhere by itself. A client that says nothing, too much or something else is closed after a bounded
 * time and at most 600 octets.
 *
 * Sources: RFC 1928, RFC 1929; Tor's socks-extensions (RESOLVE).
 */
import type { Clock } from '../core/clock.ts'
import { NetError, type Connection } from './net.ts'
import { createOctetReader, type OctetReader } from './octet-reader.ts'
import { encodeSocksMessage, readSocksMessage, SOCKS5, type SocksTarget } from './socks5.ts'

const COMMAND_NOT_SUPPORTED = 7
const ADDRESS_TYPE_NOT_SUPPORTED = 8
/** What a reply says where there is no address to tell. */
const NO_ADDRESS: SocksTarget = { host: '0.0.0.0', port: 0 }

/** A request that waits for its answer. */
export interface AcceptedSocksRequest extends SocksTarget {
  readonly command: 'connect' | 'resolve'
  /** The user name that the client gave; any password is accepted. `undefined` without authentication. */
  readonly username: string | undefined
  /**
   * Says yes.
   *
   * @param address - Answer to a resolve request; of no meaning for connect.
   * @returns The connection to the client, beginning with what it sent behind its request.
   * @throws {NetError} When the client is gone.
   */
  succeed(address?: string): Promise<Connection>
  /** Says no with a reply code, and closes. Never rejects. */
  refuse(reply: number): Promise<void>
}

/**
 * Reads a request.
 *
 * @param timeoutMs - How long the client may take to say what it wants, in milliseconds.
 * @returns `undefined` when there was no request that can be answered; the connection is closed then.
 */
export async function acceptSocks5(
  connection: Connection,
  clock: Clock,
  timeoutMs: number,
): Promise<AcceptedSocksRequest | undefined> {
  let timedOut = false
  const timer = clock.setTimer(timeoutMs, () => {
    timedOut = true
    connection.close()
  })
  try {
    const request = await readRequest(connection, createOctetReader(connection))
    if (request === undefined || timedOut) connection.close()
    return timedOut ? undefined : request
  } catch (error) {
    connection.close()
    if (!(error instanceof NetError)) throw error
    return undefined
  } finally {
    timer.cancel()
  }
}

async function readRequest(connection: Connection, reader: OctetReader): Promise<AcceptedSocksRequest | undefined> {
  const authentication = await authenticate(connection, reader)
  if (authentication === undefined) return undefined
  const message = await readSocksMessage(reader)
  if (message.kind === 'eof') return undefined
  if (message.kind === 'malformed') {
    if (message.unknownAddressType) await sendReply(connection, ADDRESS_TYPE_NOT_SUPPORTED)
    return undefined
  }
  const command = message.code === SOCKS5.connect ? 'connect' : message.code === SOCKS5.resolve ? 'resolve' : undefined
  if (command === undefined || message.target.host === '') {
    await sendReply(connection, COMMAND_NOT_SUPPORTED)
    return undefined
  }
  return {
    command,
    ...message.target,
    username: authentication.username,
    succeed: async (address) => {
      await sendReply(connection, SOCKS5.succeeded, address)
      return reader.release()
    },
    refuse: async (reply) => {
      try {
        await sendReply(connection, reply)
      } catch (error) {
        if (!(error instanceof NetError)) throw error
      }
      connection.close()
    },
  }
}

async function authenticate(
  connection: Connection,
  reader: OctetReader,
): Promise<{ readonly username: string | undefined } | undefined> {
  const [version, methodCount] = (await reader.take(2)) ?? []
  if (version !== SOCKS5.version || methodCount === undefined) return undefined
  const methods = await reader.take(methodCount)
  if (methods === undefined) return undefined
  if (methods.includes(SOCKS5.noAuthentication)) {
    await connection.write(Uint8Array.of(SOCKS5.version, SOCKS5.noAuthentication))
    return { username: undefined }
  }
  if (!methods.includes(SOCKS5.userPassword)) {
    await connection.write(Uint8Array.of(SOCKS5.version, SOCKS5.noAcceptableMethod))
    return undefined
  }
  await connection.write(Uint8Array.of(SOCKS5.version, SOCKS5.userPassword))
  const [, userLength] = (await reader.take(2)) ?? []
  const user = userLength === undefined ? undefined : await reader.take(userLength)
  const passwordLength = user === undefined ? undefined : (await reader.take(1))?.[0]
  const password = passwordLength === undefined ? undefined : await reader.take(passwordLength)
  if (user === undefined || password === undefined) return undefined
  await connection.write(Uint8Array.of(SOCKS5.userPasswordVersion, 0))
  return { username: new TextDecoder().decode(user) }
}

async function sendReply(connection: Connection, reply: number, address: string = NO_ADDRESS.host): Promise<void> {
  const message = encodeSocksMessage(reply, { ...NO_ADDRESS, host: address })
  if (message !== undefined) await connection.write(message)
}
