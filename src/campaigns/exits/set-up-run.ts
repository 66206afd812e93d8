/** Looks at the network and freezes what a run works on: candidates in their seeded order, and the pools of hops. */
import { ConfigError } from '../../core/config-error.ts'
import { shuffle } from '../../core/random.ts'
import type { NetworkView, Relay } from '../../tor/tor-session.ts'
import { selectCandidates, type Candidate, type CandidateList } from './candidates.ts'
import type { RunHeader } from './exits-journal.ts'
import { makeFirstHopPool } from './first-hops.ts'
import type { RunDependencies, RunSetup } from './run-setup.ts'
import type { TorSupervisor } from './tor-supervisor.ts'

/** How long exits wait for their resolvers where the consensus does not say, in milliseconds (tor 0.4.9). */
const EXIT_DNS_TIMEOUT_MS = 1_000
const EXIT_DNS_ATTEMPTS = 2

/**
 * Looks at the network and freezes what the run works on.
 *
 * @throws {ConfigError} When the selection or the first hops do not fit the consensus.
 */
export async function setUpRun(dependencies: RunDependencies, supervisor: TorSupervisor): Promise<RunSetup> {
  const { options, prior, random, factsOf } = dependencies
  const view = supervisor.current().session.network()
  const list =
    prior === undefined
      ? await selectCandidates(view, options.selection, (address) => factsOf(address).country ?? undefined)
      : resumedCandidates(view, prior.header)
  const fixed = options.firstHops.map((fingerprint) => findHop(view, fingerprint))
  const circuitsAtOnce = options.inFlight * options.crossValidate
  return {
    supervisor,
    view,
    list,
    order: prior === undefined ? shuffle(random, list.candidates) : list.candidates,
    hops: makeFirstHopPool(view, circuitsAtOnce, fixed),
    middles: makeFirstHopPool(view, circuitsAtOnce),
    resolveTimeoutMs:
      (view.params.get('exit_dns_timeout') ?? EXIT_DNS_TIMEOUT_MS) *
      (view.params.get('exit_dns_num_attempts') ?? EXIT_DNS_ATTEMPTS),
  }
}

/** Reason of a candidate of the frozen list that the consensus of now does not have. */
export const LEFT_REASON = 'left_consensus'

function resumedCandidates(view: NetworkView, frozen: RunHeader): CandidateList {
  const candidates = frozen.candidates.map(({ fingerprint, reason }): Candidate => {
    const relay = view.relays.get(fingerprint)
    return relay === undefined ? { relay: departedRelay(fingerprint), reason: LEFT_REASON } : { relay, reason }
  })
  return { candidates, sha256: frozen.candidatesSha256, total: candidates.length }
}

function departedRelay(fingerprint: string): Relay {
  return {
    fingerprint,
    nickname: 'unknown',
    address: '0.0.0.0',
    orPort: 0,
    orAddresses: [],
    flags: new Set(),
    bandwidth: 0,
    measured: false,
    policySummary: null,
    exitsToIpv4: false,
    exitsToIpv6: false,
    family: [],
    contact: null,
    platform: null,
  }
}

function findHop(view: NetworkView, fingerprint: string): Relay {
  const relay = view.relays.get(fingerprint)
  if (relay?.flags.has('Running') === true) return relay
  throw new ConfigError(
    '--first-hop',
    `relay ${fingerprint} is not running in the consensus of ${view.validAfter}`,
    'leave out --first-hop to use a pool of guards, or name a running relay',
  )
}
