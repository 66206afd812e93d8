/**
 * Who sent a request, as the server knows it: the socket it came over, never a header.
 */
import type { Context } from 'hono'

/** Who sent a request. */
export interface RequestOrigin {
  /** Whether it came over the socket file, which only its owner can open. Such a request may do everything. */
  readonly isOwner: boolean
  /** Address of the client, IPv4 or IPv6; absent where there is none. */
  readonly address?: string | undefined
}

/** @returns The origin that the server handed over with the request; a stranger without address where it did not. */
export function originOf(context: Context): RequestOrigin {
  return (context.env as RequestOrigin | undefined) ?? { isOwner: false }
}
