/**
 * What a run over open resolvers keeps beside its rows: every datagram of a question, and what stands at an address under a
 * name.
 *
 * **Invariant**: facts only; they belong to (resolver, domain) and to (address, domain), since Host and SNI decide the page.
 *
 * Format: docs/formats/satellite.md
 */

/** A certificate that a handshake showed. */
export interface SatelliteCertificate {
  /** SHA-256 of the leaf, lower-case hexadecimal. */
  readonly sha256: string
  readonly isChainValid: boolean
  readonly isNameValid: boolean
  /** Why it does not verify; `null` when it does. */
  readonly reason: string | null
}

/** A page, or why there is none. */
export type SatellitePage =
  | {
      /** `200 OK`. */
      readonly statusLine: string
      /** Names as they came. */
      readonly headers: Readonly<Record<string, readonly string[]>>
      /** At most 64 KiB, as UTF-8; what is no UTF-8 becomes U+FFFD. */
      readonly body: string
      /** Whether the body was longer: then its hash is one of a part. */
      readonly isTruncated: boolean
      /** SHA-256 of the octets of the body that were read, lower-case hexadecimal. */
      readonly bodySha256: string
    }
  | { readonly error: string }

/** What stands at an address under a name. */
export interface SatelliteFetch {
  readonly address: string
  /** Host and SNI; empty when none was named. */
  readonly domain: string
  /** `null`: not asked. */
  readonly http: SatellitePage | null
  /** `null`: not asked. */
  readonly https: SatellitePage | null
  /** `null`: no handshake showed one. */
  readonly certificate: SatelliteCertificate | null
  /** Unix milliseconds. */
  readonly startedAtMs: number
  /** Unix milliseconds. */
  readonly endedAtMs: number
}

/** One datagram that came for a query. */
export interface SatellitePacket {
  /** From sending the query, in milliseconds. */
  readonly elapsedMs: number
  /** −1 where the octets are no message. */
  readonly rcode: number
  /** IPv4 addresses, in their order. */
  readonly answers: readonly string[]
  /** Equal packets have equal ones: a late identical duplicate is no injection. */
  readonly octetsSha256: string
}

/** All that came for one query of a pair. */
export interface SatelliteQueryPackets {
  readonly purpose: 'control' | 'test'
  readonly name: string
  /** Earliest first; empty when nothing came. */
  readonly packets: readonly SatellitePacket[]
}
