/**
 * The egress guard: the way out for whatever follows an address or a name that came from outside.
 *
 * Invariant: a name is resolved once, every address is checked against the plan, and the connection goes to the very
 * address that was checked. Nothing is resolved between check and connection (DNS rebinding).
 *
 * Sources: OWASP Server-Side Request Forgery Prevention; WHATWG URL section 3.5 (hosts that end in a number).
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { formatIp, parseIp } from '../core/ip-address.ts'
import type { Failure, Operation } from '../model/failure.ts'
import { NetError, type Connection, type Net } from './net.ts'

const HOST_OCTETS_MAX = 253
/** Addresses of one name that are looked at. */
const ADDRESSES_MAX = 64

/** The outcome of {@link EgressGuard.connect}. */
export type EgressOutcome =
  | { readonly kind: 'connected'; readonly connection: Connection; readonly address: string }
  /** `reason` is one sentence; `addresses` are those that the name has, none of them public. */
  | { readonly kind: 'refused'; readonly reason: string; readonly addresses: readonly string[] }
  | { readonly kind: 'failure'; readonly operation: Operation; readonly failure: Failure; readonly address: string }

/** Connects to where somebody else pointed. */
export interface EgressGuard {
  /**
   * Connects over TCP.
   *
   * @param host - A name or an address from outside; IPv6 with or without brackets.
   * @param timeoutMs - For connecting; resolving has its own bound.
   */
  connect(host: string, port: number, timeoutMs: number): Promise<EgressOutcome>
}

/**
 * Guards a network.
 *
 * @param resolve - Gives the addresses of a name, best first; empty when it has none. Never rejects for trouble of the
 *   network.
 */
export function createEgressGuard(
  net: Net,
  plan: AddressPlan,
  resolve: (host: string) => Promise<readonly string[]>,
): EgressGuard {
  return {
    connect: async (host, port, timeoutMs) => {
      const literal = parseIp(host.replace(/^\[(.*)\]$/, '$1'))
      if (literal === undefined && !isHostName(host)) return refuse('this is neither a host name nor an address')
      if (!Number.isInteger(port) || port < 1 || port > 65_535) return refuse('this is no port')
      const texts = literal === undefined ? (await resolve(host)).slice(0, ADDRESSES_MAX) : [formatIp(literal)]
      if (texts.length === 0) return refuse('the name has no address')
      const allowed = texts.flatMap((text) => parseIp(text) ?? []).find((octets) => plan.isPublic(octets))
      if (allowed === undefined) return refuse('the address is not public', texts)
      const address = formatIp(allowed)
      try {
        return { kind: 'connected', connection: await net.connectTcp({ address, port }, timeoutMs), address }
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        return { kind: 'failure', operation: 'connect', failure: error.failure, address }
      }
    },
  }
}

function refuse(reason: string, addresses: readonly string[] = []): EgressOutcome {
  return { kind: 'refused', reason, addresses }
}

/** Names whose last label is a number are refused: libraries take `0x7f.1` and `2130706433` for addresses. */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  return (
    host.length <= HOST_OCTETS_MAX &&
    labels.every((label) => /^[\w-]{1,63}$/.test(label)) &&
    !/^(\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? '')
  )
}
