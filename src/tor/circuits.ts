/**
 * Our circuits: built through exactly the relays asked for, timed, and watched until they are gone.
 *
 * A frozen first hop never fails by itself, so every build has a timer of its own; what is not built by then is closed
 * here.
 *
 * ```
 * EXTENDCIRCUIT ─► building ── BUILT ──► open ── CLOSED ──► gone
 *                     │                    └── Tor gone ───► gone
 *                     └── FAILED, CLOSED, our timer, Tor gone ─► failed
 * ```
 *
 * Invariant: a build ends at most `timeoutMs` after the call, and no circuit of ours outlives its entry in the table.
 *
 * Sources: Tor control-spec sections 3.10 (EXTENDCIRCUIT), 4.1.1 (CIRC).
 */
import type { Clock } from '../core/clock.ts'
import type { Side } from '../model/failure.ts'
import { ControlError, type ControlClient } from './control-client.ts'
import { parseControlFields } from './control-parser.ts'
import type { Circuit, CircuitEnd, CircuitOutcome, Fingerprint } from './tor-session.ts'

/** Circuits that we do not know (yet) and whose events are kept: Tor may report a step before it answers the command. */
const EARLY_CIRCUITS_MAX = 1_024
/** More steps than a circuit has hops. */
const EVENTS_PER_CIRCUIT_MAX = 16

/** What Tor may use a circuit of ours for: anything, or only what we say. */
export type CircuitPurpose = 'general' | 'controller'

/** The circuits of one session. */
export interface CircuitTable {
  /** As {@link TorSession.buildCircuit}. */
  build(path: readonly Fingerprint[], timeoutMs: number, signal?: AbortSignal): Promise<CircuitOutcome>
  /** As {@link TorSession.closeCircuit}. */
  close(circuit: Circuit): Promise<void>
}

interface CircEvent {
  readonly status: string
  readonly hops: number
  readonly end: CircuitEnd
  readonly atMs: number
}

interface Building {
  readonly path: readonly Fingerprint[]
  readonly startedAtMs: number
  hopsReached: number
  /** When the hop before the last was reached, or the start. */
  lastExtendAtMs: number
  readonly settle: (outcome: CircuitOutcome) => void
}

/**
 * Watches the circuits of a session; the caller has subscribed to CIRC events.
 *
 * @param purpose - `controller` keeps Tor from putting streams of its other users on our circuits.
 * @param onLaunched - Told the id of each circuit that Tor has begun for us.
 */
export function createCircuitTable(
  client: ControlClient,
  clock: Clock,
  purpose: CircuitPurpose,
  onLaunched: (id: string) => void = () => {},
): CircuitTable {
  const table = new Circuits(client, clock, purpose, onLaunched)
  return {
    build: (path, timeoutMs, signal) => table.build(path, timeoutMs, signal),
    close: async (circuit) => {
      if (!circuit.closed.aborted) await table.sendClose(circuit.id)
    },
  }
}

class Circuits {
  readonly #client: ControlClient
  readonly #clock: Clock
  readonly #purpose: CircuitPurpose
  readonly #onLaunched: (id: string) => void
  readonly #building = new Map<string, Building>()
  readonly #open = new Map<string, AbortController>()
  readonly #early = new Map<string, readonly CircEvent[]>()

  constructor(client: ControlClient, clock: Clock, purpose: CircuitPurpose, onLaunched: (id: string) => void) {
    this.#client = client
    this.#clock = clock
    this.#purpose = purpose
    this.#onLaunched = onLaunched
    client.onEvent('CIRC', ({ text }) => {
      this.#take(text)
    })
    client.gone.addEventListener('abort', () => {
      this.#endAll()
    })
  }

  build(path: readonly Fingerprint[], timeoutMs: number, signal: AbortSignal | undefined): Promise<CircuitOutcome> {
    const { promise, resolve } = Promise.withResolvers<CircuitOutcome>()
    const startedAtMs = this.#clock.nowMs()
    let id: string | undefined
    let settled = false
    const settle = (outcome: CircuitOutcome): void => {
      if (settled) return
      settled = true
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const entry: Building = { path, startedAtMs, hopsReached: 0, lastExtendAtMs: startedAtMs, settle }
    const fail = (reason: string, side?: Side): void => {
      settle(failed(entry, { reason, remoteReason: null }, this.#clock.nowMs(), side))
    }
    const giveUp = (reason: string): void => {
      if (id !== undefined && this.#building.delete(id)) void this.sendClose(id)
      fail(reason)
    }
    const onAbort = (): void => {
      giveUp('REQUESTED')
    }
    const timer = this.#clock.setTimer(timeoutMs, () => {
      giveUp('OUR_TIMEOUT')
    })
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) {
      onAbort()
      return promise
    }
    this.#extend(path).then(
      (extended) => {
        if (typeof extended !== 'string') fail(extended.reason, 'us')
        else if (settled) void this.sendClose(extended)
        else {
          id = extended
          this.#watch(id, entry)
        }
      },
      (error: unknown) => {
        if (!(error instanceof ControlError)) throw error
        fail(this.#client.gone.aborted ? 'TOR_GONE' : 'CONTROL_TIMEOUT', 'us')
      },
    )
    return promise
  }

  /** Sends CLOSECIRCUIT and expects nothing: the circuit may be gone, and so may Tor. */
  async sendClose(id: string): Promise<void> {
    await this.#client.command(`CLOSECIRCUIT ${id}`).catch(ignoreControlError)
  }

  /** @returns The id of the circuit, or why Tor does not begin one. */
  async #extend(path: readonly Fingerprint[]): Promise<string | CircuitEnd> {
    const hops = path.map((fingerprint) => `$${fingerprint}`).join(',')
    const reply = await this.#client.command(`EXTENDCIRCUIT 0 ${hops} purpose=${this.#purpose}`)
    const id = /^EXTENDED (\d+)$/.exec(reply.lines[0]?.text ?? '')?.[1]
    if (reply.status === 250 && id !== undefined) {
      this.#onLaunched(id)
      return id
    }
    return { reason: `CONTROL_${reply.status}`, remoteReason: null }
  }

  #watch(id: string, entry: Building): void {
    this.#building.set(id, entry)
    const events = this.#early.get(id) ?? []
    this.#early.delete(id)
    for (const event of events) this.#handle(id, event)
  }

  #take(text: string): void {
    const { words, named } = parseControlFields(text)
    const [id = '', status = '', path = ''] = words
    if (!['EXTENDED', 'BUILT', 'FAILED', 'CLOSED'].includes(status)) return
    const end = { reason: named.get('REASON') ?? 'NONE', remoteReason: named.get('REMOTE_REASON') ?? null }
    const hops = path === '' ? 0 : path.split(',').length
    const event: CircEvent = { status, hops, end, atMs: this.#clock.nowMs() }
    if (this.#building.has(id) || this.#open.has(id)) {
      this.#handle(id, event)
      return
    }
    this.#early.set(id, [...(this.#early.get(id) ?? []), event].slice(-EVENTS_PER_CIRCUIT_MAX))
    const [oldest] = this.#early.keys()
    if (this.#early.size > EARLY_CIRCUITS_MAX && oldest !== undefined) this.#early.delete(oldest)
  }

  #handle(id: string, event: CircEvent): void {
    const entry = this.#building.get(id)
    if (entry !== undefined) {
      const controller = stepBuilding(id, entry, event)
      if (event.status !== 'EXTENDED') this.#building.delete(id)
      if (controller !== undefined) this.#open.set(id, controller)
    } else if (event.status === 'FAILED' || event.status === 'CLOSED') {
      this.#open.get(id)?.abort(event.end)
      this.#open.delete(id)
    }
  }

  #endAll(): void {
    const end: CircuitEnd = { reason: 'TOR_GONE', remoteReason: null }
    for (const entry of this.#building.values()) entry.settle(failed(entry, end, this.#clock.nowMs()))
    for (const controller of this.#open.values()) controller.abort(end)
    this.#building.clear()
    this.#open.clear()
  }
}

/** @returns The controller of the circuit's `closed` signal when the event finishes it. */
function stepBuilding(id: string, entry: Building, event: CircEvent): AbortController | undefined {
  if (event.hops > entry.hopsReached) {
    entry.hopsReached = event.hops
    if (event.hops < entry.path.length) entry.lastExtendAtMs = event.atMs
  }
  if (event.status === 'BUILT') {
    const controller = new AbortController()
    const circuit: Circuit = {
      id,
      path: entry.path,
      roundTripMs: event.atMs - entry.lastExtendAtMs,
      buildMs: event.atMs - entry.startedAtMs,
      closed: controller.signal,
    }
    entry.settle({ kind: 'built', circuit })
    return controller
  }
  if (event.status !== 'EXTENDED') entry.settle(failed(entry, event.end, event.atMs))
  return undefined
}

/** The exit is to blame only when every hop before it was reached. */
function failed(entry: Building, end: CircuitEnd, atMs: number, side?: Side): CircuitOutcome {
  const isExitsTurn =
    entry.hopsReached >= entry.path.length - 1 && end.reason !== 'TOR_GONE' && end.reason !== 'REQUESTED'
  return {
    kind: 'failed',
    operation: 'circuit_build',
    side: side ?? (isExitsTurn ? 'vantage' : 'us'),
    hopsReached: entry.hopsReached,
    end,
    elapsedMs: atMs - entry.startedAtMs,
  }
}

function ignoreControlError(error: unknown): void {
  if (!(error instanceof ControlError)) throw error
}
