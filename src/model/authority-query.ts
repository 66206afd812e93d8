/**
 * One query that reached an authoritative server: the record that `authority/` writes and a run is joined with.
 *
 * Format: docs/formats/authority-log.md
 */

/** A query in the authoritative log. */
export interface AuthorityQuery {
  /** When it arrived, ISO 8601 UTC with milliseconds. */
  readonly timestamp: string
  /** Who asked: the address of the resolver. */
  readonly source_address: string
  readonly source_port: number
  readonly transport: 'udp' | 'tcp'
  /** The name as it was spelled in the query (0x20 casing kept), without trailing dot. */
  readonly query_name: string
  /** `A`, `AAAA`, `NS`, … or `TYPE65280`. */
  readonly query_type: string
  /** Message id. */
  readonly id: number
  readonly recursion_desired: boolean
  /** `null` when the query had no OPT record. */
  readonly edns_udp_size: number | null
  readonly dnssec_ok: boolean
  /** The EDNS Client Subnet that was leaked, `192.0.2.0/24`; `null` when there was none. */
  readonly client_subnet: string | null
  /** Whether the query carried a DNS cookie (RFC 7873). */
  readonly cookie: boolean
  /** Whether the name mixes upper and lower case (0x20). */
  readonly mixed_case: boolean
  /** `answered`, `truncated` (TC = 1 by rate limiting), `refused` (not our zone). Never silence. */
  readonly outcome: 'answered' | 'truncated' | 'refused'
  /** RCODE that was sent. */
  readonly rcode: number
}

/** Where queries of the authoritative log come from while a run goes on, or afterwards from a file. */
export interface AuthorityLogSource {
  /** Queries that have arrived since the last call, earliest first; at most 100,000 a call. */
  take(): Promise<readonly AuthorityQuery[]>
}
