/**
 * A client of Tor's DNSPort: many questions over one UDP socket.
 *
 * Only the DNSPort keeps NXDOMAIN and SERVFAIL apart, gives the TTL, and asks A and AAAA separately; SOCKS replies 4 to
 * all of them.
 *
 * Invariant: an answer counts only from the port that was asked, with the id and the question that were sent.
 *
 * Sources: tor(1) DNSPort; measured with tor 0.4.9.11.
 */
import type { Clock } from '../core/clock.ts'
import { randomInt, type Random } from '../core/random.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeQuery } from '../dns/encode-message.ts'
import type { DnsMessage } from '../dns/message.ts'
import { equalNames, parseName, type Name } from '../dns/name.ts'
import type { Endpoint, Net } from '../net/net.ts'

/** What came back from the DNSPort. */
export interface DnsPortAnswer {
  readonly message: DnsMessage
  /** Sending → answer, in milliseconds. */
  readonly elapsedMs: number
}

/** Asks Tor's DNSPort. */
export interface DnsPortClient {
  /**
   * Sends one question, once.
   *
   * @returns The answer; `undefined` when none came within `timeoutMs` or `signal` aborted. Rejects only on a name that
   *   is no name, which is a bug of the caller.
   */
  ask(name: string, type: number, timeoutMs: number, signal: AbortSignal): Promise<DnsPortAnswer | undefined>
  close(): void
}

interface Pending {
  readonly name: Name
  readonly type: number
  readonly resolve: (message: DnsMessage | undefined) => void
}

/** Opens a client. @throws {NetError} When no socket can be bound. */
export async function openDnsPort(net: Net, clock: Clock, random: Random, dnsPort: Endpoint): Promise<DnsPortClient> {
  const pending = new Map<number, Pending>()
  const socket = await net.bindUdp(
    { address: dnsPort.address.includes(':') ? '::1' : '127.0.0.1', port: 0 },
    {
      onDatagram: (octets, from) => {
        if (from.port !== dnsPort.port || from.address !== dnsPort.address) return
        const decoded = decodeMessage(octets)
        if (decoded.kind === 'malformed' || !decoded.message.header.response) return
        const entry = pending.get(decoded.message.header.id)
        const question = decoded.message.questions[0]
        if (entry === undefined || question === undefined) return
        if (question.type !== entry.type || !equalNames(question.name, entry.name)) return
        entry.resolve(decoded.message)
      },
      onError: () => {
        for (const entry of pending.values()) entry.resolve(undefined)
      },
    },
  )
  return {
    ask: async (name, type, timeoutMs, signal) => {
      const parsed = parseName(name)
      if (parsed === undefined) throw new RangeError(`not a domain name: ${name}`)
      const id = freeId(pending, random)
      const startedAtMs = clock.nowMs()
      const message = await new Promise<DnsMessage | undefined>((resolve) => {
        const finish = (value: DnsMessage | undefined): void => {
          timer.cancel()
          signal.removeEventListener('abort', onAbort)
          pending.delete(id)
          resolve(value)
        }
        const onAbort = (): void => {
          finish(undefined)
        }
        const timer = clock.setTimer(timeoutMs, onAbort)
        signal.addEventListener('abort', onAbort)
        pending.set(id, { name: parsed, type, resolve: finish })
        if (signal.aborted) onAbort()
        else {
          socket.send(encodeQuery({ id, name: parsed, type, recursionDesired: true }), dnsPort).catch(() => {
            finish(undefined)
          })
        }
      })
      return message && { message, elapsedMs: clock.nowMs() - startedAtMs }
    },
    close: () => {
      socket.close()
      for (const entry of pending.values()) entry.resolve(undefined)
    },
  }
}

function freeId(pending: ReadonlyMap<number, Pending>, random: Random): number {
  let id = randomInt(random, 0x1_0000)
  while (pending.has(id)) id = (id + 1) & 0xffff
  return id
}
