/**
 * The addresses of a domain: what joins them, how long they are kept although nobody confirms them, and when they go.
 *
 * Invariant: what was good is never lost to a temporary failure within the stale limit, and the clock of that limit is
 * the last success: handing out what is stale does not renew it.
 *
 * Specification: docs/detectors/domain-addresses.md
 */
import type { DomainAddress, DomainHealth } from '../model/domain.ts'

const HOUR_MS = 3_600_000
/** Names rotate their addresses: clients still hold those of the last day. */
const UNION_MS = 24 * HOUR_MS
const STALE_MS = 48 * HOUR_MS
/** For names that somebody uses. */
const STALE_USED_MS = 72 * HOUR_MS
const USED_MS = 7 * 24 * HOUR_MS
/** A second confirmed NXDOMAIN counts as another one after this time. */
const NX2_APART_MS = HOUR_MS
/** A name with more addresses than this is a mistake or an attack; the newest ones stay. */
export const ADDRESSES_MAX = 256

/** @returns The union of what is known and what was said now, newest first; what is older than a day drops out. */
export function joinAddresses(
  known: readonly DomainAddress[],
  found: readonly { readonly address: string; readonly source: string }[],
  atMs: number,
): readonly DomainAddress[] {
  const joined = new Map<string, DomainAddress>()
  for (const { address, source } of found) joined.set(address, { address, source, seenAtMs: atMs })
  for (const each of known)
    if (!joined.has(each.address) && each.seenAtMs > atMs - UNION_MS) joined.set(each.address, each)
  return [...joined.values()].slice(0, ADDRESSES_MAX)
}

/** Until when addresses may be handed out without a new success; `null` where there never was one. */
export function staleLimit(
  { lastOkAtMs, runtimeSeenAtMs }: Pick<DomainHealth, 'lastOkAtMs' | 'runtimeSeenAtMs'>,
  atMs: number,
): number | null {
  if (lastOkAtMs === null) return null
  const isUsed = runtimeSeenAtMs !== null && atMs - runtimeSeenAtMs <= USED_MS
  return lastOkAtMs + (isUsed ? STALE_USED_MS : STALE_MS)
}

/** The addresses that may be handed out now. */
export function currentAddresses(health: DomainHealth, atMs: number): readonly DomainAddress[] {
  const limitMs = staleLimit(health, atMs)
  return limitMs === null || atMs > limitMs ? [] : health.addresses
}

/** What may be said about the addresses that are handed out. */
export function describeAddresses(health: DomainHealth, atMs: number): 'none' | 'fresh' | 'stale' | 'suspect' {
  if (currentAddresses(health, atMs).length === 0) return 'none'
  if (health.isSuspectSet) return 'suspect'
  return health.failures === 0 ? 'fresh' : 'stale'
}

/** Whether a confirmed NXDOMAIN is the second one, an hour or more after the first. */
export function isSecondNx2(nx2SinceMs: number | null, atMs: number): boolean {
  return nx2SinceMs !== null && atMs - nx2SinceMs >= NX2_APART_MS
}
