/**
 * How good a resolver is: its last hundred outcomes, how fast it answers, and whether its denials may be believed.
 *
 * Invariant: one contradiction proves nothing: caches differ. Three different names within a day cost the vote, until they
 * are a day old.
 *
 * Specification: docs/detectors/domain-resolver.md
 */

/** What is remembered of the outcomes. */
const RING = 100
const RTT_SHARE = 0.2
const RTT_MAX_MS = 1000
const CONTRADICTIONS_MAX = 3
const CONTRADICTION_MS = 24 * 3_600_000
/** A liar contradicts thousands: the newest are enough. */
const REMEMBERED_MAX = 32

/** An answer that other resolvers contradict. */
export interface Contradiction {
  readonly name: string
  readonly atMs: number
}

/** What is remembered of one resolver. */
export interface ResolverHealth {
  /** The last outcomes, oldest first: `1` for an answer, `0` for none. */
  readonly ring: string
  /** Average time to an answer; `null` before the first. */
  readonly rttMs: number | null
  /** Denials, sinkhole addresses and refusals that others contradicted, one for each name, oldest first. */
  readonly contradictions: readonly Contradiction[]
}

/** A resolver that was never asked. */
export const UNKNOWN_RESOLVER: ResolverHealth = { ring: '', rttMs: null, contradictions: [] }

/** @param rttMs - Time to the answer; `null` when none came. */
export function addResolverOutcome(health: ResolverHealth, rttMs: number | null): ResolverHealth {
  const ring = `${health.ring}${rttMs === null ? '0' : '1'}`.slice(-RING)
  if (rttMs === null) return { ...health, ring }
  const averageMs = health.rttMs === null ? rttMs : health.rttMs + RTT_SHARE * (rttMs - health.rttMs)
  return { ...health, ring, rttMs: averageMs }
}

/** Notes that others contradicted a resolver about a name. */
export function addContradiction(health: ResolverHealth, name: string, atMs: number): ResolverHealth {
  const others = recent(health, atMs).filter((each) => each.name !== name)
  return { ...health, contradictions: [...others, { name, atMs }].slice(-REMEMBERED_MAX) }
}

/** Whether denials of a resolver count. */
export function hasVote(health: ResolverHealth, atMs: number): boolean {
  return recent(health, atMs).length < CONTRADICTIONS_MAX
}

/** 0 to 100; 0 for a resolver that was never asked or never answered. */
export function scoreResolver({ ring, rttMs }: ResolverHealth): number {
  if (rttMs === null || ring === '') return 0
  const speed = 1 - Math.min(rttMs, RTT_MAX_MS) / RTT_MAX_MS
  return 100 * (0.7 * speed + 0.3 * successShare({ ring }))
}

/** Share of the last outcomes that were answers, 0 to 1; 0 without any. */
export function successShare({ ring }: Pick<ResolverHealth, 'ring'>): number {
  if (ring === '') return 0
  let answers = 0
  for (const outcome of ring) if (outcome === '1') answers++
  return answers / ring.length
}

function recent({ contradictions }: ResolverHealth, atMs: number): readonly Contradiction[] {
  return contradictions.filter((each) => atMs - each.atMs <= CONTRADICTION_MS)
}
