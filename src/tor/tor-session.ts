/**
 * What the rooms above know of Tor: a session with one Tor process, its view of the network, circuits and streams.
 *
 * `own-tor.ts` gives a session with a Tor of our own, `shared-tor.ts` one with a Tor that somebody else uses too. The
 * two differ in what they may change; above, nobody sees the difference.
 *
 * Invariant: knows no DNS. A stream is bound to a circuit by its unique target name, never by port or order.
 *
 * Sources: Tor control-spec (https://spec.torproject.org/control-spec), dir-spec, path-spec.
 */
import type { Operation, Side } from '../model/failure.ts'
import type { Connection, Endpoint } from '../net/net.ts'

/** A relay's identity: 40 hexadecimal digits, upper case, without `$`. */
export type Fingerprint = string

/** A relay as the current consensus and its newest descriptor describe it. */
export interface Relay {
  readonly fingerprint: Fingerprint
  readonly nickname: string
  /** IPv4 address of the ORPort. */
  readonly address: string
  readonly orPort: number
  /** All `address:port` pairs, IPv6 in brackets. */
  readonly orAddresses: readonly string[]
  /** As in the consensus: `Exit`, `Guard`, `Running`, `Stable`, … */
  readonly flags: ReadonlySet<string>
  /** Consensus weight in kilobytes per second. */
  readonly bandwidth: number
  /** `false` when the consensus says `Unmeasured=1`. */
  readonly measured: boolean
  /** The `p` line (`accept 80,443`); `null` when there is none. */
  readonly policySummary: string | null
  /** Whether the descriptor's policy accepts at least one public IPv4 address and port. */
  readonly exitsToIpv4: boolean
  /** Whether the descriptor's IPv6 policy accepts anything. */
  readonly exitsToIpv6: boolean
  /** Fingerprints (upper case) and nicknames that the descriptor names as family, declared one-sidedly. */
  readonly family: readonly string[]
  readonly contact: string | null
  readonly platform: string | null
}

/** One consensus with the descriptors known. */
export interface NetworkView {
  /** ISO 8601 UTC. */
  readonly validAfter: string
  readonly relays: ReadonlyMap<Fingerprint, Relay>
  /** The `params` line. */
  readonly params: ReadonlyMap<string, number>
}

/** A circuit that was built. */
export interface Circuit {
  readonly id: string
  /** First hop first, exit last. */
  readonly path: readonly Fingerprint[]
  /** Last EXTEND → BUILT, in milliseconds: one round trip through the whole circuit, plus the handshake. */
  readonly roundTripMs: number
  /** Start → BUILT, in milliseconds. */
  readonly buildMs: number
  /** Aborts when the circuit is gone, with a {@link CircuitEnd} as reason. */
  readonly closed: AbortSignal
}

/** Why a circuit ended or was not built. */
export interface CircuitEnd {
  /**
   * REASON of the event (`TIMEOUT`, `DESTROYED`, `CHANNEL_CLOSED`, …), or `OUR_TIMEOUT`, `REQUESTED`, `CONTROL_…` (Tor's
   * status when it refuses to begin, or `CONTROL_TIMEOUT`), `TOR_GONE`.
   */
  readonly reason: string
  /** REMOTE_REASON of the event; `null` when there is none. */
  readonly remoteReason: string | null
}

/** The outcome of building. */
export type CircuitOutcome =
  | { readonly kind: 'built'; readonly circuit: Circuit }
  | {
      readonly kind: 'failed'
      readonly operation: Operation
      readonly side: Side
      /** Hops that were reached before it failed: 0 means the first hop itself did not answer. */
      readonly hopsReached: number
      readonly end: CircuitEnd
      readonly elapsedMs: number
    }

/** What happened to a stream that was waited for. */
export type StreamOutcome =
  | { readonly kind: 'attached'; readonly streamId: string; readonly controlRoundTripMs: number }
  | {
      readonly kind: 'failed'
      /**
       * `CONTROL_…` (ATTACHSTREAM refused, with its status, or `CONTROL_TIMEOUT`), `STREAM_…` (REASON of the event before
       * it was attached), `STREAM_NOT_SEEN` (it never appeared), `NAME_BUSY` (its turn did not come), `CIRCUIT_CLOSED`,
       * `TOR_GONE`, `RELEASED`.
       */
      readonly reason: string
    }

/** A stream that was announced before its request is sent. */
export interface ExpectedStream {
  /** Resolves when the stream was attached, or could not be. Never rejects. */
  readonly attached: Promise<StreamOutcome>
  /**
   * Resolves when the stream failed, was detached or closed, with the event's REASON (`DONE` when all went well; the exit's
   * own reason where Tor says only `END`); `DETACHED_…` when Tor took it off the circuit. Otherwise as {@link attached}.
   */
  readonly ended: Promise<string>
  /** Stops waiting and closes the stream if it is still open. Call it always. */
  release(): void
}

/** A session with a Tor process. */
export interface TorSession extends AsyncDisposable {
  /** For example `0.4.9.11`. */
  readonly version: string
  /** Whether the process is ours (and ends with us). */
  readonly owned: boolean
  /** Where DNS questions are asked (UDP). */
  readonly dnsPort: Endpoint
  /** Aborts when the Tor process or the control connection is gone, with an Error as reason. */
  readonly gone: AbortSignal
  /** The newest view; replaced after NEWCONSENSUS and NEWDESC. */
  network(): NetworkView
  /**
   * Builds a circuit through exactly these relays. Never retries.
   *
   * @returns Always, at the latest `timeoutMs` after the call; a circuit that is not built by then is closed.
   */
  buildCircuit(path: readonly Fingerprint[], timeoutMs: number, signal?: AbortSignal): Promise<CircuitOutcome>
  /** Closes one of our circuits; does nothing when it is gone. */
  closeCircuit(circuit: Circuit): Promise<void>
  /**
   * Announces that a stream for `target` will appear and belongs on `circuit`. Call it before sending the request.
   * Names are compared without case. Only one announcement per name at a time: a second one waits its turn for at most
   * `timeoutMs`.
   */
  expectStream(target: string, circuit: Circuit, timeoutMs: number): Promise<ExpectedStream>
  /** Connects to a host through a circuit (Tor's SocksPort). @throws {NetError} With Tor's reason as failure. */
  connectThrough(circuit: Circuit, host: string, port: number, timeoutMs: number): Promise<Connection>
  /**
   * Opens a SOCKS5 port on loopback whose every stream leaves through `circuit`, for external programs. Once the circuit
   * is closed, connections are refused, never sent elsewhere.
   */
  openSocksPort(circuit: Circuit): Promise<{ readonly endpoint: Endpoint; close(): Promise<void> }>
}
