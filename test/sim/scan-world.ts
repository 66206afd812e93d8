/** A simulated Tor network for the scan: exits that behave as told, on a clock that the test owns. */
import { silentLog } from '../../src/core/log.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { createFirstHopRecord } from './first-hop-record.ts'
import { sleep } from '../../src/core/clock.ts'
import { makeFirstHopPool } from '../../src/campaigns/exits/first-hops.ts'
import { isInternalAddress } from '../../src/campaigns/exits/internal-address.ts'
import { createQueryNames } from '../../src/campaigns/exits/issue-names.ts'
import type { CircuitRecord, ScanContext, TorHandle } from '../../src/campaigns/exits/scan-context.ts'
import type { TorSupervisor } from '../../src/campaigns/exits/tor-supervisor.ts'
import type { ExitRunOptions } from '../../src/model/exit-options.ts'
import type { NetworkView, Relay, TorSession } from '../../src/tor/tor-session.ts'
import type { TorExitAnswer } from '../../src/vantages/tor-exit.ts'
import { exampleRunOptions } from './run-options.ts'
import { simNetwork } from './relays.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

/** What the resolver behind an exit does with a question; `undefined` is silence until the query times out. */
export type Resolver = (attempt: number) => Partial<TorExitAnswer> | undefined

/** A hop or exit that does something else than work. */
export interface SimTrouble {
  /** Fingerprints that answer no EXTEND. */
  readonly frozen?: ReadonlySet<string>
  /** Resolver by fingerprint; others answer rightly. */
  readonly resolvers?: ReadonlyMap<string, Resolver>
}

/** The address that the zone has. */
export const RIGHT = '198.51.100.53'

/** The network, and what was seen in it. */
export interface ScanWorld {
  readonly clock: VirtualClock
  readonly context: ScanContext
  readonly supervisor: TorSupervisor
  /** Kills the Tor of now; the supervisor gives another. */
  killTor(): void
  stop(): void
  /** Most circuits at once per exit so far, and how many questions were asked per exit. */
  readonly seen: { most: number; readonly asked: Map<string, number>; readonly firstHops: string[] }
}

/** A Tor process with its end. */
interface SimTor {
  readonly handle: TorHandle
  readonly gone: AbortController
}

function simulateTor(clock: VirtualClock, network: NetworkView, trouble: SimTrouble, seen: ScanWorld['seen']): SimTor {
  let inFlight = 0
  const gone = new AbortController()
  const session: TorSession = {
    version: '0.4.9.11',
    owned: true,
    dnsPort: { address: '127.0.0.1', port: 9053 },
    gone: gone.signal,
    network: () => network,
    buildCircuit: async (path, timeoutMs, signal) => {
      const startedAtMs = clock.nowMs()
      const stuck = path.findIndex((fingerprint) => trouble.frozen?.has(fingerprint) === true)
      seen.firstHops.push(path[0] ?? '')
      const ended = AbortSignal.any([gone.signal, ...(signal === undefined ? [] : [signal])])
      await sleep(clock, stuck < 0 ? 50 : timeoutMs, ended)
      const elapsedMs = clock.nowMs() - startedAtMs
      if (stuck >= 0 || ended.aborted) {
        const reason = ended.aborted ? 'TOR_GONE' : 'OUR_TIMEOUT'
        const end = { reason, remoteReason: null }
        return {
          kind: 'failed',
          operation: 'circuit_build',
          side: 'vantage',
          hopsReached: Math.max(0, stuck),
          end,
          elapsedMs,
        }
      }
      seen.most = Math.max(seen.most, ++inFlight)
      return {
        kind: 'built',
        circuit: { id: '1', path, roundTripMs: 20, buildMs: elapsedMs, closed: new AbortController().signal },
      }
    },
    closeCircuit: () => {
      inFlight--
      return Promise.resolve()
    },
    expectStream: () => Promise.reject(new Error('the vantage is simulated')),
    connectThrough: () => Promise.reject(new Error('not simulated')),
    openSocksPort: () => Promise.reject(new Error('not simulated')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const ask = simulateResolvers(clock, gone.signal, trouble, seen)
  return { handle: { session, vantage: { ask } }, gone }
}

function simulateResolvers(
  clock: VirtualClock,
  gone: AbortSignal,
  trouble: SimTrouble,
  seen: ScanWorld['seen'],
): TorHandle['vantage']['ask'] {
  return async (circuit, _name, type, timeoutMs) => {
    const exit = circuit.path.at(-1) ?? ''
    const attempt = (seen.asked.get(exit) ?? 0) + 1
    seen.asked.set(exit, attempt)
    const resolver = trouble.resolvers?.get(exit)
    const said = resolver === undefined ? { rcode: 0, addresses: type === 'A' ? [RIGHT] : [] } : resolver(attempt)
    const elapsedMs = said === undefined ? timeoutMs : (said.elapsedMs ?? 30)
    await sleep(clock, elapsedMs, gone)
    const silent = { rcode: null, addresses: [], ttlSeconds: null, elapsedMs: null, attachMs: 1, streamReason: null }
    if (gone.aborted) return { ...silent, failure: 'TOR_GONE' }
    if (said === undefined) return { ...silent, failure: 'STALLED' }
    return { ...silent, ttlSeconds: 60, elapsedMs, failure: null, ...said }
  }
}

/** A world of these relays, all of which work unless `trouble` says otherwise. */
export function createScanWorld(
  relays: readonly Relay[],
  trouble: SimTrouble = {},
  changes: Partial<ExitRunOptions> = {},
): ScanWorld {
  const clock = createVirtualClock()
  const options = { ...exampleRunOptions(), ...changes }
  const network = simNetwork(relays)
  const stop = new AbortController()
  const seen: ScanWorld['seen'] = { most: 0, asked: new Map(), firstHops: [] }
  const makeHandle = (): SimTor => simulateTor(clock, network, trouble, seen)
  let current = makeHandle()
  let restarts = 0
  const context: ScanContext = {
    clock,
    random: createSeededRandom('world'),
    log: silentLog,
    options,
    zone: { mode: 'wildcard', domain: 'exit.test', ipv4: [RIGHT], ipv6: [] },
    tor: () => current.handle,
    pacer: { next: (signal) => Promise.resolve(!signal.aborted) },
    hops: makeFirstHopPool(network, options.inFlight),
    middles: makeFirstHopPool(network, options.inFlight),
    hopRecord: createFirstHopRecord(),
    ownDelay: { since: () => 0, [Symbol.dispose]: () => {} },
    names: createQueryNames(clock, options.runId, 'exit.test'),
    resolveTimeoutMs: 2_000,
    isInternal: isInternalAddress,
    onIssued: () => {},
    onCircuit: () => {},
    startSignal: stop.signal,
    signal: new AbortController().signal,
  }
  return {
    clock,
    context,
    seen,
    supervisor: {
      current: () => current.handle,
      restarts: () => restarts,
      recover: (dead) => {
        if (dead.session === current.handle.session) {
          restarts++
          current = makeHandle()
        }
        return Promise.resolve(restarts <= 3)
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    killTor: () => {
      current.gone.abort()
    },
    stop: () => {
      stop.abort()
    },
  }
}

/** Circuits of a relay as they would come from an earlier process. */
export type PriorCircuits = ReadonlyMap<string, readonly CircuitRecord[]>
