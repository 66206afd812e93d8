/**
 * The published records of the exits campaign: one result per relay, one report per run. Field names are the format
 * (snake_case), because these records go to files and pages as they are.
 *
 * Format: docs/formats/exits.md
 */

/** Exactly one per tested relay; `not_tested` stands outside the seven and is counted apart. */
export type ExitStatus =
  | 'success'
  | 'wrong_ip'
  | 'dns_fail'
  | 'timeout'
  | 'circuit_fail'
  | 'error'
  | 'exception'
  | 'not_tested'

/** Why: the normalized code beside the status. `SOCKS_*` and `CONTROL_*` end in the reply's name. */
export type ExitErrorCode =
  | 'WRONG_ADDRESS'
  | 'INTERNAL_ADDRESS_SUSPECTED'
  | 'NXDOMAIN_REWRITTEN'
  | 'PERMANENT'
  | 'SERVFAIL_CLASS'
  | 'SERVFAIL_SLOW'
  | 'NO_A_ANSWER'
  | 'RESOLVER_TIMEOUT'
  | 'NOT_EXITING'
  | 'HOP1_FAIL'
  | 'EXIT_FAIL'
  | 'LEFT_CONSENSUS'
  | 'STREAM_STALL'
  | `SOCKS_${string}`
  | `CONTROL_${string}`
  | 'EXCEPTION'
  | 'DEADLINE'
  | 'RUN_STOPPED'

/** What the zone is expected to do. */
export type ExitMode = 'wildcard' | 'nxdomain' | 'stable'

/** Marks on a result that change how it is read, not what it is. */
export type ExitFlag =
  | 'inconsistent'
  | 'unconfirmed'
  | 'unsure'
  | 'confirmed_same_hop'
  | 'suspected'
  | 'weak_evidence'
  | 'decoy_mismatch'

/** One question asked through one circuit: the evidence. */
export interface ExitAttempt {
  /** 1 for the first query of the relay, counted through all circuits. */
  readonly attempt: number
  /** 1 for the first circuit, 2 and 3 for the confirmations. */
  readonly circuit: number
  readonly query_type: 'A' | 'AAAA'
  /** The unique name; `null` when the circuit did not get as far as a question. */
  readonly query_domain: string | null
  /** When the question was sent (or the circuit given up), Unix seconds with fraction. */
  readonly timestamp: number
  /** Fingerprints, first hop first, exit last. */
  readonly path: readonly string[]
  /** RCODE from the DNSPort; `null` when nothing came back. */
  readonly dns_rcode: number | null
  /** Reply code from SOCKS where a module asked that way; else `null`. */
  readonly socks_reply: number | null
  /**
   * REASON of the stream's end (`DONE`, `TORPROTOCOL`, …), where a failure (RCODE 2) makes it worth knowing: our own Tor
   * says `TORPROTOCOL` when it dropped an internal address. `null` when it was not looked at or did not come.
   */
  readonly stream_reason: string | null
  /** Every address in the answer, in its order. */
  readonly addresses: readonly string[]
  /** Smallest TTL of the answer, in seconds; `null` without answer. */
  readonly ttl_seconds: number | null
  /** Sending → answer, in milliseconds; `null` when no answer came. */
  readonly latency_ms: number | null
  /** Round trip of the circuit (last EXTEND → BUILT), in milliseconds; `null` when it was not built. */
  readonly circuit_rtt_ms: number | null
  /** Our own delay while this was in flight (event loop, control port), in milliseconds. */
  readonly own_delay_ms: number
  readonly status: ExitStatus
  readonly error_code: ExitErrorCode | null
  /** One sentence for people; `null` on success. */
  readonly error: string | null
  /** Whether round trip or own delay exceed a quarter of the resolver's time-out. */
  readonly unsure: boolean
}

/** What the authoritative log says about the resolver behind an exit. */
export interface ExitResolver {
  /** Addresses that asked for names of this relay, in order of first arrival. */
  readonly addresses: readonly string[]
  readonly as: string | null
  readonly country: string | null
  /** Whether our authority saw at least one A query of this relay within its window. */
  readonly asked: boolean
  readonly transport: readonly ('udp' | 'tcp')[]
  readonly edns: boolean
  readonly dnssec_ok: boolean
  /** The client subnet that the resolver leaked; `null` when it leaked none. */
  readonly client_subnet: string | null
  readonly mixed_case: boolean
  readonly qname_minimisation: boolean
  /** What a wrong answer was: asked and another answer came back, or never asked; `null` when no answer was wrong. */
  readonly wrong_answer: 'poisoned' | 'rewritten' | null
}

/** The verdict about one relay in one run. The first 16 fields are the plan's, with its types. */
export interface ExitResult {
  readonly exit_fingerprint: string
  readonly exit_nickname: string
  readonly exit_address: string
  readonly first_hop_fingerprint: string | null
  readonly query_domain: string | null
  readonly expected_ip: string | null
  /** Unix seconds with fraction, of the deciding attempt. */
  readonly timestamp: number
  readonly run_id: string
  /** `N/M`. */
  readonly shard: string
  readonly mode: ExitMode
  /** The verdict about A. */
  readonly status: ExitStatus
  readonly resolved_ip: string | null
  readonly latency_ms: number | null
  readonly error: string | null
  readonly error_code: ExitErrorCode | null
  readonly attempt: number
  // Ours, after the plan's.
  readonly resolved_ipv6: string | null
  /** The verdict about AAAA; `null` when it was not asked (no IPv6 address expected, or no IPv6 exit). */
  readonly status_ipv6: ExitStatus | null
  readonly flags: readonly ExitFlag[]
  readonly attempts: readonly ExitAttempt[]
  readonly or_addresses: readonly string[]
  /** Whether the consensus gives the relay the Exit flag. */
  readonly exit_flag: boolean
  readonly bad_exit: boolean
  /** Why the relay is a candidate. */
  readonly candidate_reason: string
  readonly policy_summary: string | null
  readonly family: readonly string[]
  /** Bandwidth weight in the consensus; `null` where it is not known. */
  readonly bandwidth_weight: number | null
  /** `AS64496 Example`; `null` when not known. */
  readonly as: string | null
  /** ISO 3166 code, upper case; `null` when not known. */
  readonly country: string | null
  readonly contact: string | null
  /** The operator as the contact names it (CIISS `url:` or `email:`), or the family; `null` when not known. */
  readonly operator: string | null
  /** DNS verdicts in a row that were no success, this run included; unreachable runs leave it. */
  readonly consecutive_failures: number
  readonly consecutive_failures_ipv6: number
  /** First and last run that had a DNS verdict about this relay, ISO 8601 UTC; `null` when there is none. */
  readonly first_seen: string | null
  readonly last_seen: string | null
  /** From the authoritative log; `null` when no log was joined. */
  readonly resolver: ExitResolver | null
}

/** Times of answers in a run, in milliseconds; `null` where nothing was answered. */
export interface ExitTiming {
  readonly avg: number | null
  readonly min: number | null
  readonly max: number | null
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** What a run was. The first ten fields are the plan's. */
export interface ExitMetadata {
  readonly run_id: string
  readonly shard: string
  /** When the report was made, ISO 8601 UTC. */
  readonly timestamp: string
  /** The sum of the seven statuses. */
  readonly total_relays: number
  readonly success: number
  readonly dns_fail: number
  readonly wrong_ip: number
  readonly timeout: number
  readonly error: number
  readonly success_rate_percent: number | null
  // Ours, after the plan's.
  readonly circuit_fail: number
  readonly exception: number
  readonly not_tested: number
  /** total_relays + not_tested. */
  readonly candidates: number
  /** success + wrong_ip + dns_fail + timeout. */
  readonly dns_tested: number
  readonly reachability_rate_percent: number | null
  readonly success_rate_percent_all: number | null
  /** Relays whose timing is too uncertain for a strict class. */
  readonly unsure: number
  readonly consensus_valid_after: string
  /** SHA-256 over the sorted candidate fingerprints of all shards, hex: shards of one run must agree on it. */
  readonly candidates_sha256: string
  readonly seed: string
  readonly profile: string
  readonly mode: ExitMode
  /** What the mode was asked to be: `auto` may have fallen back. */
  readonly mode_requested: ExitMode | 'auto'
  readonly domain: string | null
  readonly expect: readonly string[]
  readonly module: string
  readonly tor_version: string
  readonly started_at: string
  readonly finished_at: string
  readonly duration_ms: number
  /** T: how long an exit waits for its resolver, in milliseconds (consensus parameters). */
  readonly exit_resolve_timeout_ms: number
  readonly timing: ExitTiming
  /** Why the run is invalid; `null` for a valid run. An invalid run accuses nobody. */
  readonly invalid: string | null
  /** Whether the run was interrupted, so that `not_tested` relays remain. */
  readonly interrupted: boolean
  /** Which conditions on first hops were relaxed, in order. */
  readonly first_hops_relaxed: readonly string[]
  readonly first_hops: number
  readonly circuits_built: number
  readonly circuits_failed: number
  readonly queries: number
  /** Answers that our authority limited (TC = 1) during the run; `null` when no log was joined. */
  readonly authority_limited: number | null
  /** What was absent and therefore not done: `decoys`, `stable_domains`, `second_zone`, `authority_log`, … */
  readonly absent: readonly string[]
  readonly notes: readonly string[]
}

/** The file `dnshealth_YYYYMMDD_HHMMSS.json`. */
export interface ExitReport {
  readonly metadata: ExitMetadata
  /** In order of fingerprint. */
  readonly results: readonly ExitResult[]
  /** Every result that is no success (`not_tested` included). */
  readonly failures: readonly ExitResult[]
  /** Fingerprints with status wrong_ip, dns_fail or timeout. */
  readonly dns_failures: readonly string[]
  /** Exit address → fingerprints, of all failures. */
  readonly failures_by_ip: Readonly<Record<string, readonly string[]>>
}
