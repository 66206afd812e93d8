/**
 * When a domain is looked at next: one time for each, spread by a hash of its name.
 *
 * Invariant: the same name and state give the same interval, for ever; so a list never comes due all at once twice.
 *
 * Specification: docs/detectors/domain-schedule.md
 */
import type { DomainState } from '../model/domain.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_SECONDS = 86_400
const DAY_MS = DAY_SECONDS * 1000
const UINT32 = 0x1_0000_0000

const INTERVAL_MS: Readonly<Record<Exclude<DomainState, 'HARD'>, number>> = {
  ACTIVE: 24 * HOUR_MS,
  STABLE: 24 * HOUR_MS,
  SUSPECT: 6 * HOUR_MS,
  QUARANTINE: 24 * HOUR_MS,
}
/** An interval is up to this share shorter or longer. */
const JITTER = 0.1

const REFRESH_MIN_MS = 5 * MINUTE_MS
const REFRESH_MAX_MS = 6 * HOUR_MS
const REFRESH_GUARDED_MAX_MS = HOUR_MS
/** 5 min × 2⁷ is more than 6 h. */
const DOUBLINGS_MAX = 7

/**
 * A number from 0 to 2³² − 1 that depends on the name alone.
 *
 * FNV-1a with the finaliser of MurmurHash3: names that differ in their last letter lie far apart.
 */
export function hashDomain(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** An interval with the jitter of a name, in milliseconds. */
export function jitterInterval(name: string, intervalMs: number): number {
  return Math.round(intervalMs * (1 - JITTER + 2 * JITTER * (hashDomain(name) / UINT32)))
}

/** The latest time of the next scored check of a domain that was checked at `atMs`. */
export function nextScoredCheck(name: string, state: DomainState, atMs: number): number {
  return state === 'HARD' ? nextHardSlot(name, atMs) : atMs + jitterInterval(name, INTERVAL_MS[state])
}

/** The next time after `atMs` of the second of the day (UTC) that a name in HARD quarantine is probed at. */
export function nextHardSlot(name: string, atMs: number): number {
  const slotMs = (hashDomain(name) % DAY_SECONDS) * 1000
  const atSlotMs = Math.floor(atMs / DAY_MS) * DAY_MS + slotMs
  return atSlotMs > atMs ? atSlotMs : atSlotMs + DAY_MS
}

/** When the live pass asks for an answer of this TTL again: after 5 minutes at least and 6 hours at most. */
export function nextRefresh(ttlSeconds: number, atMs: number): number {
  return atMs + Math.min(Math.max(ttlSeconds * 1000, REFRESH_MIN_MS), REFRESH_MAX_MS)
}

/**
 * When the live pass asks again for a name that had no address, `failures` times in a row: 5 minutes, then twice as long
 * each time, up to 6 hours; up to 1 hour where it was not the name that failed, but all of them.
 */
export function nextRefreshAfterFailure(failures: number, atMs: number, isGuarded: boolean): number {
  const longestMs = isGuarded ? REFRESH_GUARDED_MAX_MS : REFRESH_MAX_MS
  return atMs + Math.min(REFRESH_MIN_MS * 2 ** Math.min(Math.max(0, failures - 1), DOUBLINGS_MAX), longestMs)
}
