/**
 * What a module of the exits campaign is: one file with `setup`, `probe` and `teardown`.
 *
 * A module is handed a circuit through the exit under test and yields records; building circuits, pacing, retries over
 * other first hops, the journal and the report are the campaign's. See docs/manual/modules.md.
 */
import type { Json, Log } from '../../core/log.ts'
import type { Connection, Endpoint } from '../../net/net.ts'

/** The relay that a probe is about. */
export interface ExitUnderTest {
  /** 40 hexadecimal digits, upper case. */
  readonly fingerprint: string
  readonly nickname: string
  /** IPv4 address of the ORPort. */
  readonly address: string
  /** Fingerprint of the first hop of this circuit. */
  readonly firstHop: string
}

/** What a DNS question gave. */
export interface ResolveAnswer {
  /** RCODE; `null` when nothing came back. */
  readonly rcode: number | null
  /** Addresses of the asked family, canonical. */
  readonly addresses: readonly string[]
  /** Smallest TTL, in seconds; `null` without records. */
  readonly ttlSeconds: number | null
  /** Sending → answer, in milliseconds; `null` when nothing came back. */
  readonly elapsedMs: number | null
  /** Why nothing came back; `null` with an answer. */
  readonly failure: string | null
}

/** Everything that leaves through this exit, and nothing else does. */
export interface ExitDialer {
  /** Asks the exit's resolver. Network trouble is data: never rejects. */
  resolve(name: string, type?: 'A' | 'AAAA', timeoutMs?: number): Promise<ResolveAnswer>
  /** Connects to a host through the exit. @throws {NetError} With Tor's reason as failure. */
  connect(host: string, port: number, timeoutMs?: number): Promise<Connection>
  /** A SOCKS5 port on loopback whose every stream leaves through this exit; closed when the probe ends. */
  socksPort(): Promise<Endpoint>
}

/** How a program ended. */
export interface ProgramOutcome {
  /** Exit status; `null` when a signal or the time-out ended it. */
  readonly code: number | null
  /** Lines of stdout and stderr, at most 1,000. */
  readonly lines: readonly string[]
}

/** What a probe is handed. */
export interface ModuleContext {
  readonly dialer: ExitDialer
  readonly log: Log
  readonly runId: string
  /** `-H` and `-p`; `null` without them. */
  readonly target: { readonly host: string; readonly port: number } | null
  /** Aborts when the run stops or the probe's time is over. */
  readonly signal: AbortSignal
  /** Keeps octets as evidence beside the records, at most 1 MiB a file and 16 files a probe. */
  attach(name: string, octets: Uint8Array): Promise<void>
  /**
   * Runs a program with `ALL_PROXY=socks5h://…` (and `TORSOCKS_TOR_ADDRESS`, `TORSOCKS_TOR_PORT`) set to this exit's own
   * SOCKS port; killed after `timeoutMs` (60,000 by default).
   */
  runProgram(command: string, args: readonly string[], timeoutMs?: number): Promise<ProgramOutcome>
}

/** What `setup` is handed, once per run. */
export interface ModuleSetup {
  readonly log: Log
  /** How many relays will be probed. */
  readonly candidates: number
  readonly target: { readonly host: string; readonly port: number } | null
  readonly stableDomains: readonly string[]
  readonly decoys: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** Asks the trusted resolver directly, without Tor. @throws {ConfigError} When none is configured. */
  askTrusted(name: string, type?: 'A' | 'AAAA'): Promise<ResolveAnswer>
}

/** A record of a module: its own fields, after those that every record has. */
export type ModuleFields = Readonly<Record<string, Json>>

/** A module. */
export interface ExitModule {
  /** Lower-case letters, digits and `-`: the name of its report. */
  readonly name: string
  /** One line for `candor exits modules`. */
  readonly description?: string
  /** Called once before the first probe. A {@link ConfigError} ends the command with status 2. */
  setup?(context: ModuleSetup): Promise<void> | void
  /** Called once per exit, with a circuit that was built. Its time is bounded by the run. */
  probe(exit: ExitUnderTest, context: ModuleContext): AsyncIterable<ModuleFields> | Iterable<ModuleFields>
  /** Called once after the last probe, also after an interruption. */
  teardown?(): Promise<void> | void
}
