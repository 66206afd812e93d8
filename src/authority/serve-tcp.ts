/**
 * One TCP connection to the authority: messages with a length of two octets in front, pipelined, answered in order.
 *
 * Invariant: every wait ends. A peer that is silent, sends drop by drop or does not read its answers is cut off.
 *
 * Sources: RFC 1035 section 4.2.2, RFC 7766 (idle time-outs, pipelining).
 */
import { withTimeout, type Clock } from '../core/clock.ts'
import type { Limit } from '../core/limit.ts'
import { NetError, type Connection } from '../net/net.ts'

/** How long a TCP connection may be silent between two queries. */
export const TCP_IDLE_LIMIT: Limit = {
  default: 10_000,
  min: 100,
  max: 120_000,
  unit: 'ms',
  why: 'RFC 7766 asks for a few seconds; resolvers that reuse connections ask again within that time',
}

/** From the first octet of a message to its last one, and for taking an answer. */
export const TCP_MESSAGE_LIMIT: Limit = {
  default: 5000,
  min: 100,
  max: 60_000,
  unit: 'ms',
  why: 'a query fits into one segment; who needs longer ties up the connection on purpose',
}

/** A query has one name of at most 255 octets and a few options; nothing longer deserves memory. */
const QUERY_OCTETS_MAX = 4096
/** After this time a connection is closed between two messages, however busy it is. */
const LIFETIME_MS = 600_000

/** How one connection is served. */
export interface ServeTcpOptions {
  readonly clock: Clock
  readonly idleMs: number
  readonly messageMs: number
  /** Answers one query; `undefined` ends the connection. */
  readonly answer: (query: Uint8Array) => Uint8Array | undefined
}

/** Serves a connection until it ends, and closes it. Never rejects for what a peer or the network does. */
export async function serveTcp(connection: Connection, options: ServeTcpOptions): Promise<void> {
  try {
    await serveMessages(connection, options)
  } catch (error) {
    if (!(error instanceof NetError)) throw error
  } finally {
    connection.close()
  }
}

async function serveMessages(connection: Connection, options: ServeTcpOptions): Promise<void> {
  const { clock, idleMs, messageMs, answer } = options
  const endsAtMs = clock.nowMs() + LIFETIME_MS
  let pending: Uint8Array = new Uint8Array(0)
  /** When the first octets of the message that is not complete yet arrived. */
  let partialSinceMs: number | undefined
  while (clock.nowMs() < endsAtMs) {
    const { messages, rest } = splitMessages(pending)
    if (messages === undefined) return
    const answers: Uint8Array[] = []
    for (const message of messages) {
      const response = answer(message)
      if (response === undefined) return
      answers.push(response)
    }
    if (answers.length > 0) {
      const written = await withTimeout(clock, connection.write(joinMessages(answers)).then(markDone), messageMs)
      if (written === undefined) return
    }
    const nowMs = clock.nowMs()
    if (rest.length === 0) partialSinceMs = undefined
    else if (messages.length > 0 || partialSinceMs === undefined) partialSinceMs = nowMs
    const waitMs = partialSinceMs === undefined ? idleMs : partialSinceMs + messageMs - nowMs
    const octets = waitMs > 0 ? await withTimeout(clock, connection.read(), waitMs) : undefined
    if (octets === undefined) return
    pending = concat(rest, octets)
  }
}

function markDone(): true {
  return true
}

/** Cuts off whole messages. `messages` is `undefined` when one claims to be longer than a query can be. */
function splitMessages(octets: Uint8Array): { messages: Uint8Array[] | undefined; rest: Uint8Array } {
  const messages: Uint8Array[] = []
  let offset = 0
  while (octets.length - offset >= 2) {
    const length = ((octets[offset] ?? 0) << 8) | (octets[offset + 1] ?? 0)
    if (length > QUERY_OCTETS_MAX) return { messages: undefined, rest: octets }
    if (octets.length - offset - 2 < length) break
    messages.push(octets.subarray(offset + 2, offset + 2 + length))
    offset += 2 + length
  }
  return { messages, rest: octets.slice(offset) }
}

function joinMessages(messages: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(messages.reduce((sum, message) => sum + 2 + message.length, 0))
  let offset = 0
  for (const message of messages) {
    joined[offset] = message.length >> 8
    joined[offset + 1] = message.length & 0xff
    joined.set(message, offset + 2)
    offset += 2 + message.length
  }
  return joined
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
