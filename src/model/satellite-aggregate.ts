/**
 * What the resolvers of one country or autonomous system say together about one name.
 *
 * **Invariant**: no share and no verdict from fewer than five resolvers.
 *
 * Format: docs/formats/satellite.md
 */

/** What the resolvers are grouped by. */
export type SatelliteGroupKind = 'country' | 'as'

/** One group and one name. */
export interface SatelliteAggregate {
  readonly kind: SatelliteGroupKind
  /** Code of the country, or number of the autonomous system. */
  readonly group: string
  readonly domain: string
  /** Resolvers that count. */
  readonly resolvers: number
  readonly interference: number
  readonly down: number
  readonly ok: number
  readonly unconfirmed: number
  /** Of `interference` in `resolvers`, with its 95 % interval; `null` with fewer than five resolvers. */
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
  /** The share that chance is held to. */
  readonly nullShare: number | null
  readonly pValue: number | null
  /** Corrected over all pairs of the scan. */
  readonly qValue: number | null
  readonly verdict: 'interference' | 'not_shown' | 'too_few'
}
