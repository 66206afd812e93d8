/**
 * What one round of the monitor saw: every resolver asked once for one name and type, and what others said about it.
 *
 * Invariant: facts only; whether a value is new is for `verdicts/` to say.
 */

/**
 * What can be known or new in an answer: an address, or for types without addresses the whole record set, because
 * removing a record is a change too.
 */
export interface AnswerUnit {
  /** Presentation form; the lines of a record set are sorted. */
  readonly text: string
  /** Origin AS of an address; `null` where no table knows it, and for other types. */
  readonly asn: number | null
  /** ISO 3166 code; `null` where no table knows it. */
  readonly country: string | null
  /** The /24 (IPv6 /48) that an address lies in; `null` for other types. */
  readonly prefix: string | null
  /** Whether it is an address that a public name cannot have: private, reserved, or a sinkhole. */
  readonly isBogus: boolean
  /** For CNAME: the zone that the target lies in, by its last two labels; `null` otherwise. */
  readonly zone: string | null
}

/** What an exchange amounts to. NXDOMAIN, NODATA, SERVFAIL and no answer are four things. */
export type AnswerOutcome = 'answer' | 'nxdomain' | 'nodata' | 'servfail' | 'failure'

/** What one resolver said. */
export interface ResolverAnswer {
  readonly resolver: string
  readonly operator: string
  readonly outcome: AnswerOutcome
  /** Sorted by text; empty unless the outcome is `answer`. */
  readonly units: readonly AnswerUnit[]
  /** The lowest TTL of the answer in seconds; `null` without one. */
  readonly ttlSeconds: number | null
  /** Whether the resolver says that it validated (AD). */
  readonly isAuthenticated: boolean
  /** RCODE or failure for people; `null` for an answer. */
  readonly reason: string | null
}

/** What others than the resolvers say about a new value. `unknown`: not asked, or nobody answered. */
export interface Corroboration {
  /** Whether the authoritative servers, asked directly, all give what is new, some, or none. */
  readonly authoritative: 'all' | 'some' | 'none' | 'unknown'
  /** `validated`: at least two operators say that the new answer validates. */
  readonly dnssec: 'validated' | 'bogus' | 'unknown'
  /** A TLS handshake with a new address under the name. */
  readonly tls: 'valid' | 'invalid' | 'unknown'
  readonly parentNs: 'same' | 'changed' | 'unknown'
  readonly parentDs: 'same' | 'changed' | 'removed' | 'unknown'
}

/** One round. */
export interface MonitorRound {
  /** Unix milliseconds. */
  readonly atMs: number
  /** Whether it was made to confirm an earlier one, beside the interval. */
  readonly isConfirmation: boolean
  /** In the order of the configuration, which decides nothing. */
  readonly answers: readonly ResolverAnswer[]
  readonly corroboration: Corroboration
}
