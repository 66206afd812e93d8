/** What a run is handed, what it works on, and what it leaves. */
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Random } from '../../core/random.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { ExitResult } from '../../model/exit-result.ts'
import type { Journal } from '../../model/journal.ts'
import type { Net } from '../../net/net.ts'
import type { NetworkView } from '../../tor/tor-session.ts'
import type { Candidate, CandidateList } from './candidates.ts'
import type { PriorRun } from './exits-journal.ts'
import type { FirstHopPool } from './first-hops.ts'
import type { AddressFacts } from './make-result.ts'
import type { RunProgress } from './run-progress.ts'
import type { IssuedName, ZoneExpectation } from './scan-context.ts'
import type { StopReason } from './scan-relays.ts'
import type { TorSupervisor } from './tor-supervisor.ts'

/** Capabilities, options and ports of a run. */
export interface RunDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly net: Net
  readonly options: ExitRunOptions
  readonly journal: Journal
  /** What an earlier process of this run left; `undefined` for a new run. */
  readonly prior: PriorRun | undefined
  readonly factsOf: (address: string) => AddressFacts
  readonly progress: RunProgress
  /** Aborts when a person wants the run to end: what is in flight is finished. */
  readonly interrupted: AbortSignal
  /** When the run is over, modules included; a reading of the monotonic clock. */
  readonly endsAtMs: number
  /** Called before a name is sent. */
  readonly onIssued: (name: string) => void
  /** Says a line to people. */
  readonly say: (line: string) => Promise<void>
}

/** What a run works on: frozen at its start. */
export interface RunSetup {
  readonly supervisor: TorSupervisor
  readonly view: NetworkView
  readonly list: CandidateList
  /** The candidates in the seeded order of testing. */
  readonly order: readonly Candidate[]
  readonly hops: FirstHopPool
  readonly middles: FirstHopPool
  /** T, in milliseconds. */
  readonly resolveTimeoutMs: number
}

/** What a run leaves: the report is made from it. */
export interface RunOutcome {
  /** One per candidate, before history and the authoritative log are joined. */
  readonly results: readonly ExitResult[]
  /** Every name that was issued, those of earlier processes included. */
  readonly issued: readonly IssuedName[]
  readonly zone: ZoneExpectation
  /** ISO 8601 UTC. */
  readonly startedAt: string
  /** From the start of the scan, in milliseconds; of a resumed run with the pause between. */
  readonly durationMs: number
  readonly invalid: string | null
  readonly stopReason: StopReason | null
  readonly circuitsBuilt: number
  readonly circuitsFailed: number
  readonly notes: readonly string[]
}
