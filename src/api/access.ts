/**
 * Who may read and who may give orders: tokens, the owner's socket, and limits on guessing and ordering.
 *
 * Invariant: a token is compared with every entry, in the same time whether and where it fits. What a browser sends by
 * itself (Basic) never gives an order, so no web page can give one in the name of its reader.
 *
 * Sources: RFC 6750 (Bearer), RFC 7617 (Basic).
 */
import type { Clock } from '../core/clock.ts'
import { formatPrefix, parseIp, truncatePrefix } from '../core/ip-address.ts'
import type { ProblemName } from './problem.ts'
import { createRateLimit } from './rate-limit.ts'
import type { RequestOrigin } from './request-origin.ts'

/** What a token may do. */
export type AccessScope = 'read' | 'write'

/** One token, without its text. */
export interface ApiToken {
  readonly name: string
  readonly scopes: readonly AccessScope[]
  /** Whose watched names it reads, and nothing else; absent for a token that reads everything. */
  readonly owner?: string | undefined
  /** SHA-256 of the token's text, 64 hex digits, lower case. */
  readonly sha256: string
  /** ISO 8601 UTC. */
  readonly created_at: string
}

/** Who may do what; asked anew at each request. */
export interface AccessRules {
  tokens(): Promise<readonly ApiToken[]>
  /** Whether reading needs a token as well. */
  isReadProtected(): boolean
}

/** Whether a request may do something. */
export type Access =
  | {
      readonly granted: true
      /** Only what belongs to this owner of watched names. */
      readonly owner?: string
    }
  | {
      readonly granted: false
      readonly problem: ProblemName
      readonly detail: string
      /** When another try is worth it. */
      readonly retryAfterSeconds?: number
    }

/** Decides. */
export interface AccessGuard {
  /** @param authorization - The header; `undefined` without one. */
  check(scope: AccessScope, origin: RequestOrigin, authorization: string | undefined): Promise<Access>
  /** Whether reading needs a token, so that no shared cache may keep an answer. */
  isReadProtected(): boolean
  /** Whether anybody but the owner of the machine can give orders at all. */
  takesOrders(): boolean
}

/** Addresses or tokens that are remembered, for each limit. */
const KEYS_MAX = 10_000
const FAILURES = { perMinute: 10, burst: 10, keysMax: KEYS_MAX }
/** All clients of a proxy on this machine have one address. */
const LOOPBACK_FAILURES = { perMinute: 60, burst: 60, keysMax: 1 }
const ORDERS = { perMinute: 30, burst: 30, keysMax: KEYS_MAX }
const TOKEN_CHARS_MAX = 200
const GRANTED: Access = { granted: true }
/** No token of ours: takes the place of a header that is none. */
const NO_DIGEST = '0'.repeat(64)

/** Rules of a server that has no tokens: anybody reads, only the owner gives orders. */
export const OPEN_READING: AccessRules = { tokens: () => Promise.resolve([]), isReadProtected: () => false }

/** Makes a guard. */
export function createAccessGuard(rules: AccessRules, clock: Clock): AccessGuard {
  const failures = createRateLimit(clock, FAILURES)
  const loopbackFailures = createRateLimit(clock, LOOPBACK_FAILURES)
  const orders = createRateLimit(clock, ORDERS)
  return {
    isReadProtected: () => rules.isReadProtected(),
    takesOrders: () => rules !== OPEN_READING,
    check: async (scope, origin, authorization) => {
      if (origin.isOwner || (scope === 'read' && !rules.isReadProtected())) return GRANTED
      const credentials = parseCredentials(authorization)
      if (credentials === undefined) {
        return { granted: false, problem: 'token-needed', detail: 'The request has no token.' }
      }
      if (scope === 'write' && credentials.scheme === 'basic') {
        return { granted: false, problem: 'token-needed', detail: 'An order needs "Authorization: Bearer TOKEN".' }
      }
      const from = keyOfAddress(origin.address)
      const guesses = from === 'loopback' ? loopbackFailures : failures
      const wait = guesses.wait(from)
      if (wait > 0) return tooMany('Too many tokens from this address were wrong.', wait)
      const token = findToken(await rules.tokens(), await digest(credentials.token))
      if (token === undefined) {
        guesses.take(from)
        return { granted: false, problem: 'token-needed', detail: 'The token is not known here.' }
      }
      if (!token.scopes.includes(scope) || (scope === 'write' && token.owner !== undefined)) {
        return { granted: false, problem: 'not-allowed', detail: `The token may not ${scope}.` }
      }
      const orderWait = scope === 'write' ? orders.take(token.name) : 0
      if (orderWait > 0) return tooMany('This token gave too many orders.', orderWait)
      return token.owner === undefined ? GRANTED : { granted: true, owner: token.owner }
    },
  }
}

/** @returns SHA-256 of a token's text, 64 hex digits. */
export async function digest(token: string): Promise<string> {
  const octets = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')
}

function tooMany(detail: string, retryAfterSeconds: number): Access {
  return { granted: false, problem: 'too-many-requests', detail, retryAfterSeconds }
}

function parseCredentials(header: string | undefined): { readonly scheme: string; readonly token: string } | undefined {
  const match = /^(bearer|basic) +([A-Za-z0-9+/_=.~-]{1,400})$/i.exec(header ?? '')
  if (match === null) return undefined
  const scheme = (match[1] ?? '').toLowerCase()
  const token = scheme === 'basic' ? readPassword(match[2] ?? '') : (match[2] ?? '')
  return token.length > TOKEN_CHARS_MAX ? undefined : { scheme, token }
}

/** The password is the token; any user name will do. */
function readPassword(base64: string): string {
  try {
    const pair = atob(base64)
    return pair.slice(pair.indexOf(':') + 1)
  } catch {
    return ''
  }
}

/** Looks at every entry and at every digit of it. */
function findToken(tokens: readonly ApiToken[], sha256: string): ApiToken | undefined {
  let found: ApiToken | undefined
  for (const token of tokens) {
    const known = token.sha256.length === 64 ? token.sha256 : NO_DIGEST
    let difference = 0
    for (let at = 0; at < 64; at++) difference |= known.charCodeAt(at) ^ sha256.charCodeAt(at)
    if (difference === 0) found = token
  }
  return found
}

/** A household has a /64, so that is what is counted. */
function keyOfAddress(address: string | undefined): string {
  const octets = parseIp((address ?? '').replace(/^::ffff:(?=\d+\.)/i, ''))
  if (octets === undefined) return 'unknown'
  if (octets.length === 4) return octets[0] === 127 ? 'loopback' : (address ?? '')
  const prefix = formatPrefix(truncatePrefix(octets, 64))
  return address === '::1' ? 'loopback' : prefix
}
