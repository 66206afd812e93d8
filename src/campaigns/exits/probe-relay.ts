/**
 * One relay, from its first circuit to its verdict: the state machine that always ends.
 *
 * ```text
 *   circuit 1 (or several at once) ── decided ──────────────► verdict
 *        │ not a success                                         ▲
 *        └─► circuit 2 over another hop ── decided ──────────────┤
 *                 └─► circuit 3 over a third ────────────────────┘
 * ```
 *
 * A failure at the first hop counts against the hop; the next circuit takes another one. What an earlier process had
 * seen already (`prior`) is not asked again.
 *
 * Invariant: at most {@link CIRCUITS_MAX} circuits one after another that get past their first hop, and
 * {@link HOP_FAILURES_MAX} more that do not; never longer than five builds and three rounds of attempts, once a first hop
 * has room.
 */
import { sleep } from '../../core/clock.ts'
import type { Relay } from '../../tor/tor-session.ts'
import type { ResolveType } from '../../vantages/tor-exit.ts'
import { familiesToAsk } from '../../verdicts/exit-relay.ts'
import { probeCircuit } from './probe-circuit.ts'
import type { CircuitRecord, ScanContext } from './scan-context.ts'
import { releaseHops, takeHops } from './take-hops.ts'

/** A verdict rests on up to three circuits: the first and two confirmations. */
const CIRCUITS_MAX = 3

/** Circuits more than that, for first hops that did not answer. */
const HOP_FAILURES_MAX = 2

/** What a relay's probe ended with. */
export type RelayProbe =
  | { readonly kind: 'done'; readonly circuits: readonly CircuitRecord[] }
  /** Tor went away: ask again with the next Tor; the circuits that were complete are kept. */
  | { readonly kind: 'tor_gone'; readonly circuits: readonly CircuitRecord[] }
  /** The run stopped before there was a verdict. */
  | { readonly kind: 'stopped'; readonly circuits: readonly CircuitRecord[] }

/** Sinks of one relay's probe. */
export interface RelayProbeOptions {
  /** Circuits that were complete in an earlier process, in order. */
  readonly prior: readonly CircuitRecord[]
  /** Called when a circuit is complete, before the next one begins. */
  readonly onCircuitDone: (record: CircuitRecord) => void
}

/** Probes one relay. Always ends. */
export async function probeRelay(context: ScanContext, exit: Relay, options: RelayProbeOptions): Promise<RelayProbe> {
  const circuits: CircuitRecord[] = [...options.prior]
  let attempts = Math.max(0, ...circuits.flatMap((record) => record.attempts.map(({ attempt }) => attempt)))
  const usedHops = new Set(circuits.flatMap(({ path }) => path.slice(0, 1)))
  const ended = new Set<'tor_gone' | 'stopped'>()
  const started = { count: circuits.length }

  const oneCircuit = async (types: readonly ResolveType[]): Promise<void> => {
    const circuit = ++started.count
    const hops = await takeHops(context, exit, usedHops)
    if (hops === 'stopped' || !(await context.pacer.next(context.startSignal))) {
      if (hops !== 'stopped') releaseHops(context, hops)
      ended.add('stopped')
      return
    }
    try {
      const nextAttempt = (): number => ++attempts
      const probe = await probeCircuit(context, { exit, circuit, hops, nextAttempt, types })
      if (probe.torGone) ended.add('tor_gone')
      else if (context.signal.aborted && !hasVerdict(probe.record)) ended.add('stopped')
      else {
        circuits.push(probe.record)
        options.onCircuitDone(probe.record)
      }
    } finally {
      releaseHops(context, hops)
    }
  }

  const atOnce = Math.max(0, context.options.crossValidate - circuits.length)
  const first = questionTypes(context, exit)
  if (atOnce > 1) await Promise.all(Array.from({ length: atOnce }, () => oneCircuit(first)))
  while (ended.size === 0 && started.count < CIRCUITS_MAX + HOP_FAILURES_MAX) {
    const types = circuits.length === 0 ? first : familiesToAsk(circuits)
    if (types.length === 0) break
    if (circuits.length > 0) await sleep(context.clock, context.options.pace.retryDelayMs, context.startSignal)
    await oneCircuit(types)
  }
  circuits.sort((a, b) => a.circuit - b.circuit)
  if (ended.has('tor_gone')) return { kind: 'tor_gone', circuits }
  if (ended.has('stopped')) return { kind: 'stopped', circuits }
  return { kind: 'done', circuits }
}

/** AAAA is asked where the zone has IPv6 addresses and the exit's policy lets it answer. */
function questionTypes(context: ScanContext, exit: Relay): readonly ResolveType[] {
  return context.zone.ipv6.length > 0 && exit.exitsToIpv6 ? ['A', 'AAAA'] : ['A']
}

function hasVerdict(record: CircuitRecord): boolean {
  return record.attempts.some(({ dns_rcode: rcode }) => rcode !== null)
}
