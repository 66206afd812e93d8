/**
 * First hops: reliable guards, never of the exit's own family, /16 or address, each with a bound on circuits at once.
 *
 * Where the pool is too small (private networks), conditions are dropped in a fixed order and the report says which:
 * measured, Stable and Fast, Guard, /16, family. The exit itself and its address are never dropped.
 */
import { parseIp } from '../../core/ip-address.ts'
import { randomInt, type Random } from '../../core/random.ts'
import type { KeyedLimit } from '../../measure/keyed-limit.ts'
import type { NetworkView, Relay } from '../../tor/tor-session.ts'

/** Conditions that may be dropped, in this order. */
export type Relaxation = 'measured' | 'stable_fast' | 'guard' | 'subnet' | 'family'

const ORDER: readonly Relaxation[] = ['measured', 'stable_fast', 'guard', 'subnet', 'family']

/** Relays that circuits may begin with. */
export interface FirstHopPool {
  readonly relays: readonly Relay[]
  readonly relaxed: readonly Relaxation[]
  /** Whether the operator named the hops (`--first-hop`). */
  readonly fixed: boolean
}

/**
 * Makes the pool of a run.
 *
 * @param inFlight - Relays in flight at once; a pool below max(3, inFlight / 8) is relaxed.
 * @param fixed - The operator's own first hops, all of them in the view.
 */
export function makeFirstHopPool(view: NetworkView, inFlight: number, fixed: readonly Relay[] = []): FirstHopPool {
  if (fixed.length > 0) return { relays: fixed, relaxed: [], fixed: true }
  const needed = Math.max(3, Math.ceil(inFlight / 8))
  const relaxed: Relaxation[] = []
  let relays = eligible(view, relaxed)
  // The last two conditions concern pairs, not the pool; they are relaxed below only for want of any pair.
  for (const relaxation of ORDER.slice(0, 3)) {
    if (relays.length >= needed) break
    relaxed.push(relaxation)
    relays = eligible(view, relaxed)
  }
  for (const relaxation of ORDER.slice(3)) {
    if (pairsLeft(view, relays, relaxed) >= needed) break
    relaxed.push(relaxation)
  }
  return { relays, relaxed, fixed: false }
}

/** What is known of the hops while a run goes on. */
export interface HopRecord {
  /** Circuits at once per hop. */
  readonly load: KeyedLimit
  /** Hops that did not answer, with how often in a row: a failure at hop 1 counts against the hop. */
  readonly failures: Map<string, number>
  /** Hops that a circuit got past in this run. */
  readonly answered: Set<string>
}

/**
 * Picks a hop for one circuit: of those allowed the ones that failed least in a row, of these the least busy, ties at
 * random.
 *
 * @param used - Fingerprints that this exit was already reached through, or that must not occur for another reason.
 * @param perHopMax - Circuits at once through one hop; a hop without room is passed over.
 * @param prefersProven - Whether hops that have answered in this run come first: for circuits that confirm, where another
 *   dead hop would cost the exit its verdict.
 * @returns `undefined` when no allowed hop has room now.
 */
export function pickFirstHop(
  pool: FirstHopPool,
  exit: Relay,
  used: ReadonlySet<string>,
  { load, failures, answered }: HopRecord,
  random: Random,
  perHopMax: number,
  prefersProven = false,
): Relay | undefined {
  let best: Relay[] = []
  let [fewestFailures, lowestLoad] = [Infinity, Infinity]
  for (const relay of allowedHops(pool, exit, used)) {
    const count = load.count(relay.fingerprint)
    const unproven = prefersProven && !answered.has(relay.fingerprint) ? 0.5 : 0
    const failed = (failures.get(relay.fingerprint) ?? 0) + unproven
    if (count >= perHopMax || failed > fewestFailures) continue
    if (failed === fewestFailures && count > lowestLoad) continue
    if (failed < fewestFailures || count < lowestLoad) best = []
    ;[fewestFailures, lowestLoad] = [failed, count]
    best.push(relay)
  }
  return best.length === 0 ? undefined : best[randomInt(random, best.length)]
}

/** @returns Every hop that this exit may be reached through, whether it has room or not. */
export function allowedHops(pool: FirstHopPool, exit: Relay, used: ReadonlySet<string>): readonly Relay[] {
  return pool.relays.filter((relay) => !used.has(relay.fingerprint) && isAllowedPair(relay, exit, pool))
}

function isAllowedPair(hop: Relay, exit: Relay, pool: Pick<FirstHopPool, 'relaxed' | 'fixed'>): boolean {
  if (hop.fingerprint === exit.fingerprint || hop.address === exit.address) return false
  if (pool.fixed) return true
  if (!pool.relaxed.includes('subnet') && sameSubnet16(hop.address, exit.address)) return false
  return pool.relaxed.includes('family') || !sameFamily(hop, exit)
}

function eligible(view: NetworkView, relaxed: readonly Relaxation[]): readonly Relay[] {
  return [...view.relays.values()].filter(
    ({ flags, measured }) =>
      flags.has('Running') &&
      flags.has('Valid') &&
      !flags.has('BadExit') &&
      (relaxed.includes('measured') || measured) &&
      (relaxed.includes('stable_fast') || (flags.has('Stable') && flags.has('Fast'))) &&
      (relaxed.includes('guard') || flags.has('Guard')),
  )
}

/** Exits looked at when the pairs are counted: enough to see that a network is small. */
const SAMPLE_MAX = 50

/** @returns The smallest number of hops that any of the first exits has. */
function pairsLeft(view: NetworkView, relays: readonly Relay[], relaxed: readonly Relaxation[]): number {
  let fewest = Infinity
  let looked = 0
  for (const exit of view.relays.values()) {
    if (!exit.flags.has('Exit')) continue
    if (looked++ >= SAMPLE_MAX) break
    fewest = Math.min(fewest, relays.filter((hop) => isAllowedPair(hop, exit, { relaxed, fixed: false })).length)
  }
  return fewest
}

/** Both relays name each other (path-spec: a family is declared mutually). */
function sameFamily(a: Relay, b: Relay): boolean {
  return names(a, b) && names(b, a)
}

function names(a: Relay, b: Relay): boolean {
  return a.family.includes(b.fingerprint) || a.family.includes(b.nickname)
}

function sameSubnet16(a: string, b: string): boolean {
  const [x, y] = [parseIp(a), parseIp(b)]
  return x?.length === 4 && y?.length === 4 && x[0] === y[0] && x[1] === y[1]
}
