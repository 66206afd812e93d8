/**
 * DNS server cookies: proof that a source address is real, so that its owner need not be limited.
 *
 *     version 1 (1) | reserved (3) | timestamp (4) | SipHash-2-4 (8)
 *
 * The hash covers the client cookie, the first eight octets and the client's address.
 *
 * Invariant: no state per client; the secret alone decides.
 *
 * Sources: RFC 7873, RFC 9018 (interoperable server cookies).
 */
import { sipHash } from './sip-hash.ts'

/** RFC 9018 section 4.3: a cookie is taken for an hour, and five minutes ahead of our clock. */
const AGE_SECONDS_MAX = 3600
const FUTURE_SECONDS_MAX = 300

const VERSION = 1
const SERVER_COOKIE_OCTETS = 16

/** Whose cookie it is. */
export interface CookieOwner {
  /** 16 octets, known to the server only. */
  readonly secret: Uint8Array
  /** The 8 octets that the client chose. */
  readonly client: Uint8Array
  /** The client's address, 4 or 16 octets. */
  readonly addressOctets: Uint8Array
}

/** @returns Whether a server cookie was made for this client within the last hour. `nowSeconds` is Unix time. */
export function isServerCookie(owner: CookieOwner, server: Uint8Array, nowSeconds: number): boolean {
  if (server.length !== SERVER_COOKIE_OCTETS || server[0] !== VERSION) return false
  const timestamp = new DataView(server.buffer, server.byteOffset + 4, 4).getUint32(0)
  // RFC 1982 serial arithmetic: the difference is right also after 2106.
  const ageSeconds = (Math.floor(nowSeconds) - timestamp) | 0
  if (ageSeconds > AGE_SECONDS_MAX || ageSeconds < -FUTURE_SECONDS_MAX) return false
  return equalCookies(makeServerCookie(owner, timestamp), server)
}

/** Makes the 16 octets that a client sends back with its next query. */
export function makeServerCookie({ secret, client, addressOctets }: CookieOwner, nowSeconds: number): Uint8Array {
  const input = new Uint8Array(16 + addressOctets.length)
  input.set(client)
  input[8] = VERSION
  new DataView(input.buffer).setUint32(12, nowSeconds >>> 0)
  input.set(addressOctets, 16)
  const cookie = new Uint8Array(SERVER_COOKIE_OCTETS)
  cookie.set(input.subarray(8, 16))
  cookie.set(sipHash(secret, input), 8)
  return cookie
}

/** Compares without stopping at the first difference, so that time tells nothing. */
function equalCookies(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (const [index, octet] of a.entries()) difference |= octet ^ (b[index] ?? 0)
  return difference === 0
}
