/**
 * Asks a server that we chose ourselves one question, without Tor: over UDP, and over TCP when the answer was truncated.
 *
 * Both exchanges are recorded: a retry is a second measurement.
 */
import type { Clock } from '../core/clock.ts'
import { randomInt, type Random } from '../core/random.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeQuery } from '../dns/encode-message.ts'
import type { DnsMessage } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import type { Exchange } from '../model/observation.ts'
import { exchangeDo53Tcp } from '../net/do53-tcp.ts'
import { exchangeDo53Udp } from '../net/do53-udp.ts'
import type { Endpoint, Net } from '../net/net.ts'

/** What is asked of whom. */
export interface DirectQuestion {
  readonly server: Endpoint
  readonly name: Name
  /** RR type number. */
  readonly type: number
  /** For each of the exchanges, in milliseconds. */
  readonly timeoutMs: number
}

/** What came back. */
export interface DirectAnswer {
  /** The answer that counts; `undefined` when none came or none could be understood. */
  readonly message: DnsMessage | undefined
  /** Sending → answer, in milliseconds; `null` without one. */
  readonly elapsedMs: number | null
  /** Why there is no answer; `null` with one. */
  readonly failure: string | null
  /** One or two, in order. */
  readonly exchanges: readonly Exchange[]
}

/** Asks once. Never rejects. */
export async function askDirectly(
  { net, clock, random }: { readonly net: Net; readonly clock: Clock; readonly random: Random },
  { server, name, type, timeoutMs }: DirectQuestion,
): Promise<DirectAnswer> {
  const query = encodeQuery({ id: randomInt(random, 0x1_0000), name, type, recursionDesired: true })
  const request = { endpoint: server, query, timeoutMs, lateWindowMs: 0 }
  const first = await exchangeDo53Udp(net, clock, request)
  const answer = readAnswer(first, [])
  if (answer.message?.header.truncated !== true) return answer
  return readAnswer(await exchangeDo53Tcp(net, clock, request), [first])
}

function readAnswer(exchange: Exchange, before: readonly Exchange[]): DirectAnswer {
  const exchanges = [...before, exchange]
  if (exchange.kind === 'failure') {
    return { message: undefined, elapsedMs: null, failure: exchange.failure, exchanges }
  }
  const [response] = exchange.responses
  const decoded = decodeMessage(response.octets)
  if (decoded.kind === 'malformed') {
    return { message: undefined, elapsedMs: null, failure: `malformed answer (${decoded.reason})`, exchanges }
  }
  return { message: decoded.message, elapsedMs: response.elapsedMs, failure: null, exchanges }
}
