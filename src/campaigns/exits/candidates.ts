/**
 * Which relays a run tests: the Exit flag or a policy that accepts anything public, among the running relays.
 *
 * The list is frozen at the start and the same for every shard, so that shards of one run are parts of one whole; later
 * consensuses only mark departures.
 */
import { ConfigError } from '../../core/config-error.ts'
import type { ExitSelection } from '../../model/exit-options.ts'
import type { NetworkView, Relay } from '../../tor/tor-session.ts'
import { hashCandidates, shardOf } from './shard.ts'

/** A relay that the run tests. */
export interface Candidate {
  readonly relay: Relay
  /** `exit_flag`, `policy`, or both joined by `+`. */
  readonly reason: string
}

/** The frozen list of a run. */
export interface CandidateList {
  /** This shard's candidates, in order of fingerprint. */
  readonly candidates: readonly Candidate[]
  /** SHA-256 over the fingerprints of all shards in order, hex: shards of one run agree on it. */
  readonly sha256: string
  /** Candidates of all shards. */
  readonly total: number
}

/** Gives the country of an address, upper case, or `undefined`. */
export type CountryOf = (address: string) => string | undefined

/**
 * Selects the candidates of this shard.
 *
 * @throws {ConfigError} When a fingerprint that was asked for is not in the consensus, or nothing is selected at all.
 */
export async function selectCandidates(
  view: NetworkView,
  selection: ExitSelection,
  countryOf: CountryOf,
): Promise<CandidateList> {
  const chosen =
    selection.fingerprints.length > 0
      ? selection.fingerprints.map((fingerprint) => findAsked(view, fingerprint))
      : [...view.relays.values()].flatMap((relay) => candidateOf(relay) ?? [])
  const selected = chosen
    .filter(({ relay }) => matches(relay, selection, countryOf))
    .toSorted((a, b) => (a.relay.fingerprint < b.relay.fingerprint ? -1 : 1))
  if (selected.length === 0) {
    throw new ConfigError(
      'selection',
      `no relay is selected: the consensus of ${view.validAfter} has ${view.relays.size} relays, none of them fits`,
      'leave out --country, --bad-exits or -e to test every exit, and look into --opt-out-file',
    )
  }
  const { index, count } = selection.shard
  const shards = await Promise.all(selected.map(({ relay }) => shardOf(relay.fingerprint, count)))
  return {
    candidates: selected.filter((_, at) => shards[at] === index),
    sha256: await hashCandidates(selected.map(({ relay }) => relay.fingerprint)),
    total: selected.length,
  }
}

/** @returns The relay as a candidate with the reason; `undefined` when it does not exit or does not run. */
export function candidateOf(relay: Relay): Candidate | undefined {
  if (!relay.flags.has('Running')) return undefined
  const reasons: string[] = []
  if (relay.flags.has('Exit')) reasons.push('exit_flag')
  if (relay.exitsToIpv4 || relay.exitsToIpv6) reasons.push('policy')
  return reasons.length > 0 ? { relay, reason: reasons.join('+') } : undefined
}

function findAsked(view: NetworkView, fingerprint: string): Candidate {
  const relay = view.relays.get(fingerprint)
  if (relay === undefined) {
    throw new ConfigError(
      '--exit',
      `relay ${fingerprint} is not in the consensus of ${view.validAfter}`,
      'look the relay up at https://metrics.torproject.org/rs.html and give the fingerprint of a running relay: -e FINGERPRINT',
    )
  }
  return candidateOf(relay) ?? { relay, reason: 'asked_for' }
}

function matches(relay: Relay, selection: ExitSelection, countryOf: CountryOf): boolean {
  if (selection.optedOut.includes(relay.fingerprint)) return false
  const bad = relay.flags.has('BadExit')
  if (selection.badExits === 'exclude' && bad) return false
  if (selection.badExits === 'only' && !bad) return false
  return selection.countries.length === 0 || selection.countries.includes(countryOf(relay.address) ?? '??')
}
