/**
 * How a laboratory resolver asks an authority: over a real socket, from its own address, in its own style.
 *
 * Invariant: a response counts only from the endpoint asked, with the id and the exact spelling of the question.
 *
 * Sources: RFC 1035, RFC 9156 (QNAME minimisation), RFC 7871 (client subnet), draft-vixie-dnsext-dns0x20.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage } from '../dns/encode-message.ts'
import type { DnsMessage, Edns } from '../dns/message.ts'
import { formatName, type Name } from '../dns/name.ts'
import { CLASS_IN, TYPE_NS } from '../dns/rr-type.ts'
import { type Endpoint, type Net, NetError } from '../net/net.ts'
import type { AskingStyle } from './resolver-behaviour.ts'

/** On loopback an answer takes a millisecond; a busy machine may take longer. */
const TRY_TIMEOUT_MS = 700
const TRIES = 2
const UDP_OCTETS = 1_232

/** A client that asks from one address. */
export interface UpstreamClient {
  /**
   * Asks for a name that lies in `zone`.
   *
   * @returns The response; `undefined` when none came.
   */
  ask(to: Endpoint, zone: Name, name: Name, type: number): Promise<DnsMessage | undefined>
  close(): void
}

interface Pending {
  readonly to: Endpoint
  readonly name: string
  readonly settle: (message: DnsMessage | undefined) => void
}

/** Binds a socket on `address`, on a port that the system chooses. @throws {NetError} */
export async function createUpstreamClient(
  { net, clock, random }: { readonly net: Net; readonly clock: Clock; readonly random: Random },
  address: string,
  style: AskingStyle,
): Promise<UpstreamClient> {
  const pending = new Map<number, Pending>()
  const socket = await net.bindUdp(
    { address, port: 0 },
    {
      onDatagram: (octets, from) => {
        const decoded = decodeMessage(octets)
        if (decoded.kind === 'malformed' || !decoded.message.header.response) return
        const { header, questions } = decoded.message
        const waiting = pending.get(header.id)
        const asked = questions[0]
        if (waiting === undefined || asked === undefined || formatName(asked.name) !== waiting.name) return
        if (from.address === waiting.to.address && from.port === waiting.to.port) waiting.settle(decoded.message)
      },
      onError: () => {},
    },
  )
  const askOnce = (to: Endpoint, name: Name, type: number): Promise<DnsMessage | undefined> =>
    new Promise((resolve) => {
      const id = freeId(random, pending)
      let timer: Timer | undefined
      const settle = (message: DnsMessage | undefined): void => {
        timer?.cancel()
        pending.delete(id)
        resolve(message)
      }
      pending.set(id, { to, name: formatName(name), settle })
      timer = clock.setTimer(TRY_TIMEOUT_MS, () => {
        settle(undefined)
      })
      socket.send(encodeMessage(makeQuery(id, name, type, style)), to).catch((error: unknown) => {
        if (!(error instanceof NetError)) throw error
        settle(undefined)
      })
    })
  const askPatiently = async (to: Endpoint, name: Name, type: number): Promise<DnsMessage | undefined> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const response = await askOnce(to, name, type)
      if (response !== undefined) return response
    }
    return undefined
  }
  return {
    ask: async (to, zone, name, type) => {
      if (style.minimises) {
        for (let skipped = name.length - zone.length - 1; skipped > 0; skipped--) {
          await askPatiently(to, spell(name.slice(skipped), style, random), TYPE_NS)
        }
      }
      return askPatiently(to, spell(name, style, random), type)
    },
    close: () => {
      for (const { settle } of pending.values()) settle(undefined)
      socket.close()
    },
  }
}

function freeId(random: Random, pending: ReadonlyMap<number, Pending>): number {
  let id = random.nextUint32() & 0xffff
  // The server in front bounds how many wait, so that a free one is near.
  while (pending.has(id)) id = (id + 1) & 0xffff
  return id
}

function makeQuery(id: number, name: Name, type: number, style: AskingStyle): DnsMessage {
  const edns: Edns | undefined =
    style.edns || style.clientSubnet !== null
      ? {
          udpSize: UDP_OCTETS,
          extendedRcode: 0,
          version: 0,
          dnssecOk: false,
          reservedFlags: 0,
          options: style.clientSubnet === null ? [] : [{ kind: 'client_subnet', ...style.clientSubnet, scopeBits: 0 }],
        }
      : undefined
  return {
    header: {
      id,
      response: false,
      opcode: 0,
      authoritative: false,
      truncated: false,
      recursionDesired: style.recursionDesired,
      recursionAvailable: false,
      reserved: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: 0,
    },
    questions: [{ name, type, class: CLASS_IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns,
  }
}

function spell(name: Name, style: AskingStyle, random: Random): Name {
  if (style.casing === 'kept') return name
  return name.map((label) =>
    label.map((octet) => {
      const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
      const isLetter = lower >= 0x61 && lower <= 0x7a
      return style.casing === 'mixed' && isLetter && (random.nextUint32() & 1) === 1 ? lower & ~0x20 : lower
    }),
  )
}
