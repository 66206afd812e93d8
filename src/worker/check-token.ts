/**
 * Whether a request carries a token.
 *
 * **Invariant**: what is compared are digests of equal length, octet by octet, so that the time says nothing about the token. A
 * token that was not configured is carried by nobody.
 *
 * **Sources**: RFC 6750 (Bearer), RFC 7617 (Basic).
 */
import { digest } from '../api/access.ts'

const HEADER_CHARS_MAX = 600

/**
 * Compares.
 *
 * @param isBasicTaken - Whether the password that a browser asks for will do: for reading, never for orders.
 */
export async function hasToken(
  authorization: string | null,
  token: string | undefined,
  isBasicTaken: boolean,
): Promise<boolean> {
  const expected = (token ?? '').trim()
  const given = readToken((authorization ?? '').slice(0, HEADER_CHARS_MAX), isBasicTaken)
  const [a, b] = await Promise.all([digest(given), digest(expected)])
  let difference = expected === '' ? 1 : 0
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

/** `Bearer TOKEN`, the token alone, or the password of `Basic …`. */
function readToken(header: string, isBasicTaken: boolean): string {
  const basic = /^basic +([\w+/=]+)$/i.exec(header)?.[1]
  if (basic === undefined) return header.replace(/^bearer +/i, '').trim()
  if (!isBasicTaken) return ''
  try {
    const pair = atob(basic)
    return pair.slice(pair.indexOf(':') + 1)
  } catch {
    return ''
  }
}
