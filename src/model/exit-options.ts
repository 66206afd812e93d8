/** What a person can ask of an exits run, after flags, environment, file and defaults were put together. */
import type { ExitMode } from './exit-result.ts'

/** How fast circuits are built and how long answers are waited for. */
export interface ExitPace {
  readonly profile: 'conservative' | 'default' | 'aggressive' | 'fast'
  /** Pause between circuits, in milliseconds. */
  readonly buildDelayMs: number
  /** Largest random part added to or taken from the pause, in milliseconds. */
  readonly delayNoiseMs: number
  /** Circuits per second at most; 0 for no bound beside the pause. */
  readonly circuitsPerSecond: number
  /** How long one answer is waited for, in milliseconds. */
  readonly queryTimeoutMs: number
  /** Queries on one circuit until one answers. */
  readonly attempts: number
  /** Pause between queries on one circuit, in milliseconds. */
  readonly retryDelayMs: number
}

/** Which relays are candidates. */
export interface ExitSelection {
  /** Fingerprints to test; empty means all. */
  readonly fingerprints: readonly string[]
  /** Country codes, upper case; empty means all. */
  readonly countries: readonly string[]
  readonly badExits: 'include' | 'exclude' | 'only'
  /** Fingerprints of relays whose operators do not want to be tested; never tested, also when asked for. */
  readonly optedOut: readonly string[]
  /** This process's part. */
  readonly shard: { readonly index: number; readonly count: number }
}

/** The options of `candor exits run`. */
export interface ExitRunOptions {
  /** 14 digits UTC. */
  readonly runId: string
  readonly seed: string
  readonly mode: ExitMode | 'auto'
  /** The wildcard zone; `null` without one. */
  readonly domain: string | null
  /** The addresses that the wildcard zone has, IPv4 and IPv6. */
  readonly expect: readonly string[]
  /** The second wildcard zone, on another authoritative server; `null` without one. */
  readonly secondDomain: string | null
  readonly secondExpect: readonly string[]
  /** `null` means a random label under `invalid.` */
  readonly nxdomainDomain: string | null
  /** Names that everybody can resolve; empty when the file is absent. */
  readonly stableDomains: readonly string[]
  /** Names with their right addresses, mixed into the run. */
  readonly decoys: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** Where the zone is asked without Tor; `null` means that it cannot be asked so. */
  readonly directResolver: { readonly address: string; readonly port: number } | null
  /** The same for the second zone. */
  readonly secondDirectResolver: { readonly address: string; readonly port: number } | null
  readonly selection: ExitSelection
  /** First hops to use; empty means a pool from the consensus. */
  readonly firstHops: readonly string[]
  /** Circuits per relay at once, each over another first hop (cross-validation). */
  readonly crossValidate: number
  /** Relays on a circuit: 2 (first hop, exit) or 3 (a middle between them). */
  readonly hops: 2 | 3
  readonly pace: ExitPace
  /** Relays in flight at once. */
  readonly inFlight: number
  /** Circuits at once through one first hop; `Infinity` for no bound. */
  readonly perFirstHop: number
  /** Whole-scan deadline, in milliseconds. */
  readonly deadlineMs: number
  /** Directory of journal and report. */
  readonly analysisDir: string
  readonly perRelayFiles: boolean
  /** Directory with state (SQLite, locks); `null` when history is read from the reports in `analysisDir`. */
  readonly dataDir: string | null
  readonly resume: boolean
  /** Path of the authority's log; `null` without one. */
  readonly authorityLog: string | null
  /** Built-in modules to run, `dnshealth` first; empty when only files of the user are. */
  readonly modules: readonly string[]
  /** Paths of modules that the user wrote. */
  readonly moduleFiles: readonly string[]
  /** `-H` and `-p`: the target of modules that connect somewhere; `null` without one. */
  readonly target: { readonly host: string; readonly port: number } | null
  /** `23:00-06:00` in UTC: no circuit is built then; `null` without. */
  readonly quietHours: { readonly fromMinute: number; readonly toMinute: number } | null
}
