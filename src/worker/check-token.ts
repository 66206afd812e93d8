/**
 * Whether a request carries a token.
 *
 * **Invariant**: what is compared are digests of equal length, octet by octet, so that the time says nothing about the token. A
 * token that was not configured is carried by nobody.
 *
 * **Sources**: RFC 6750 (Bearer).
 */
import { digest } from '../api/access.ts'

const HEADER_CHARS_MAX = 600

/** Compares. */
export async function hasToken(authorization: string | null, token: string | undefined): Promise<boolean> {
  const expected = (token ?? '').trim()
  const given = readToken((authorization ?? '').slice(0, HEADER_CHARS_MAX))
  const [a, b] = await Promise.all([digest(given), digest(expected)])
  let difference = expected === '' ? 1 : 0
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

/** `Bearer TOKEN`, or the token alone. What a browser sends by itself (Basic) gives no order. */
function readToken(header: string): string {
  return /^basic\b/i.test(header) ? '' : header.replace(/^bearer +/i, '').trim()
}
