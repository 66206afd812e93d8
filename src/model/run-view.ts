/** What a page shows of a run while it goes on: the port between campaigns and doors. */
import type { ExitMetadata, ExitResult } from './exit-result.ts'

/** Where a run stands. */
export type RunPhase = 'building_laboratory' | 'starting_tor' | 'preflight' | 'scanning' | 'writing' | 'done' | 'failed'

/** A snapshot of a run in progress. */
export interface ExitRunView {
  readonly phase: RunPhase
  /** One sentence for people: what happens just now. */
  readonly message: string
  readonly runId: string | null
  /** ISO 8601 UTC; `null` before the start. */
  readonly startedAt: string | null
  readonly candidates: number
  readonly done: number
  readonly inFlight: number
  /** Relays finished per second since the scan began. */
  readonly relaysPerSecond: number
  /** Seconds left at this rate; `null` when not known. */
  readonly secondsLeft: number | null
  /** Finished results, in order of finishing. */
  readonly results: readonly ExitResult[]
  /** Set when the run is finished. */
  readonly metadata: ExitMetadata | null
  /** Fingerprint → what is true, in a laboratory; empty elsewhere. */
  readonly truth: ReadonlyMap<string, ExitTruth>
}

/** What is known to be wrong with a laboratory exit. */
export interface ExitTruth {
  /** Name of the fault, `right` for none. */
  readonly fault: string
  /** One sentence. */
  readonly description: string
  /** Every (status, code) pair that is right for this fault; a `null` code stands for none. */
  readonly expected: readonly { readonly status: string; readonly errorCode: string | null }[]
}

/** Where pages get runs from. */
export interface RunViewSource {
  view(): ExitRunView
  /** Calls back after each change, at most every 100 ms. @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void
}
