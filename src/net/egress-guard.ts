/**
 * The egress guard: where somebody else's pointer may lead. Whatever follows an address or a name that came from outside
 * asks it first, and connects to the very address that it gave.
 *
 * Invariant: a name is resolved once, and only addresses that the plan calls public are given. Nobody resolves again between
 * check and connection (DNS rebinding).
 *
 * Sources: OWASP Server-Side Request Forgery Prevention; WHATWG URL section 3.5 (hosts that end in a number).
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { formatIp, parseIp } from '../core/ip-address.ts'

const HOST_OCTETS_MAX = 253
/** Addresses of one name that are looked at. */
const ADDRESSES_MAX = 64

/** What the guard says. */
export type EgressDecision =
  | { readonly kind: 'allowed'; readonly address: string }
  /** `reason` is one sentence; `addresses` are those that the name has, none of them public. */
  | { readonly kind: 'refused'; readonly reason: string; readonly addresses: readonly string[] }

/**
 * Decides where a host from outside may lead.
 *
 * @param host - A name or an address; IPv6 with or without brackets.
 * @param resolve - Gives the addresses of a name, best first; empty when it has none. Called at most once.
 */
export async function decideEgress(
  plan: AddressPlan,
  host: string,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<EgressDecision> {
  const literal = parseIp(host.replace(/^\[(.*)\]$/, '$1'))
  if (literal === undefined && !isHostName(host)) return refuse('this is neither a host name nor an address')
  const texts = literal === undefined ? (await resolve(host)).slice(0, ADDRESSES_MAX) : [formatIp(literal)]
  if (texts.length === 0) return refuse('the name has no address')
  const allowed = texts.flatMap((text) => parseIp(text) ?? []).find((octets) => plan.isPublic(octets))
  return allowed === undefined
    ? refuse('the address is not public', texts)
    : { kind: 'allowed', address: formatIp(allowed) }
}

function refuse(reason: string, addresses: readonly string[] = []): EgressDecision {
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
