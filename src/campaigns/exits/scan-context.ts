/** What every part of a scan is handed: capabilities, the zone, the pools, and the sinks for what was seen. */
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Random } from '../../core/random.ts'
import type { OwnDelay } from '../../measure/own-delay.ts'
import type { Pacer } from '../../measure/pacer.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { ExitAttempt, ExitMode } from '../../model/exit-result.ts'
import type { TorSession } from '../../tor/tor-session.ts'
import type { TorExitVantage } from '../../vantages/tor-exit.ts'
import type { FirstHopPool, HopRecord } from './first-hops.ts'
import type { QueryNames } from './issue-names.ts'

/** How long a circuit may take to be built, in milliseconds: Tor's own CircuitBuildTimeout of this campaign. */
export const BUILD_TIMEOUT_MS = 20_000

/** What is asked, and what is right. */
export interface ZoneExpectation {
  readonly mode: ExitMode
  /** Base of the unique names; `null` in stable mode. */
  readonly domain: string | null
  /** Canonical IPv4 addresses of the wildcard. */
  readonly ipv4: readonly string[]
  /** Canonical IPv6 addresses of the wildcard; empty when AAAA is not asked. */
  readonly ipv6: readonly string[]
}

/** A session with Tor and the vantage over it; replaced as a whole when Tor had to be started again. */
export interface TorHandle {
  readonly session: TorSession
  readonly vantage: TorExitVantage
}

/** A name that is about to be asked: what the authoritative log is joined by. */
export interface IssuedName {
  readonly name: string
  readonly fingerprint: string
  readonly attempt: number
  readonly queryType: 'A' | 'AAAA'
  /** Unix milliseconds. */
  readonly sentAtMs: number
}

/** One circuit's part in the verdict about a relay. */
export interface CircuitRecord {
  /** 1 for the first circuit to this relay. */
  readonly circuit: number
  readonly path: readonly string[]
  /** In order; at least one, even when the circuit was not built. */
  readonly attempts: readonly ExitAttempt[]
  /** Questions for other people's names, asked beside: evidence that decides nothing about our zone. */
  readonly decoys: readonly ExitAttempt[]
}

/** Everything a scan needs. */
export interface ScanContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly options: ExitRunOptions
  readonly zone: ZoneExpectation
  readonly tor: () => TorHandle
  readonly pacer: Pacer
  readonly hops: FirstHopPool
  /** Relays for the middle of three-hop circuits: from the consensus, also where the first hop is the operator's own. */
  readonly middles: FirstHopPool
  /** Load and failures of the hops. */
  readonly hopRecord: HopRecord
  readonly ownDelay: OwnDelay
  readonly names: QueryNames
  /** T: how long exits wait for their resolvers, in milliseconds. */
  readonly resolveTimeoutMs: number
  /** Whether an address is one that Tor's clients refuse (RFC 1918, loopback, …). */
  readonly isInternal: (address: string) => boolean
  /** Called before a name is sent. */
  readonly onIssued: (issued: IssuedName) => void
  /** Called when a circuit was built or failed, for the counts. */
  readonly onCircuit: (outcome: { readonly built: boolean }) => void
  /** Aborts when no further circuit may be begun (interrupted, or any reason of `signal`). */
  readonly startSignal: AbortSignal
  /** Aborts when what is in flight must end too (deadline, invalid run). */
  readonly signal: AbortSignal
}
