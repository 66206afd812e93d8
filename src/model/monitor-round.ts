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
  /** SERVFAIL only: the same resolver answers when it is told not to validate (CD), so the signatures do not verify. */
  readonly answersUnchecked?: boolean
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

/** What the parent and the authoritative servers say about the zone that a name lies in. */
export interface ZoneFacts {
  /** `zone.example`. */
  readonly zone: string
  /** Names of the servers as the parent has them, sorted; `null` when its servers say nothing, or not the same. */
  readonly parentNs: readonly string[] | null
  /** DS records as the parent has them, sorted, empty where it has none; `null` as above. */
  readonly parentDs: readonly string[] | null
  /** The serial that each server's SOA has; servers that gave none are absent. */
  readonly serials: readonly { readonly server: string; readonly serial: number }[]
}

/** What is known about an address that is new for a name. */
export interface AddressIntelligence {
  readonly address: string
  /** ISO 3166; `null` where nobody knows. */
  readonly country: string | null
  readonly region: string | null
  readonly asn: number | null
  readonly org: string | null
  /** The name that the address has: `null` when there is none, `undefined` when nobody looked. */
  readonly ptr?: string | null
  readonly reputation: readonly { readonly list: string; readonly category: string }[]
  /** Sum of the weights, from 0. */
  readonly score: number
  readonly level: 'low' | 'medium' | 'high' | 'critical'
  readonly reasons: readonly string[]
  readonly recommendation: string
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
  /** What the zone looks like: given to one name of all that lie in it, when it was asked. */
  readonly zone?: ZoneFacts
  /** Of addresses that are new. */
  readonly intelligence?: readonly AddressIntelligence[]
}
