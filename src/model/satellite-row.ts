/**
 * One measurement of one name through one resolver, as Satellite data have it: the same type for every flavour that was
 * ever published.
 *
 * **Invariant**: nothing of the source is lost. What has no field of its own stands in `unknown`, and what was written
 * otherwise than the flavour usually writes it in `spelling`, so that writing the same flavour gives the same JSON.
 *
 * Format: docs/formats/satellite.md
 */

/** The published flavours; v2.3 was never documented. */
export type SatelliteFlavour = 'v1' | 'v2.0' | 'v2.1' | 'v2.2' | 'v2.3'

/** A JSON object whose meaning is not known here. */
export type JsonFields = Readonly<Record<string, unknown>>

/**
 * What a row is to the scan: the response of a control resolver, of another one, a query without an answer (v1 keeps
 * those apart), a judged pair, a pair that no control answered (v1), or a judged and verified pair.
 */
export type SatelliteRole = 'control_response' | 'response' | 'no_answer' | 'result' | 'no_control' | 'verified'

/** A moment in Go's text form. */
export interface SatelliteTime {
  /** As it was written. */
  readonly text: string
  /** ISO 8601 UTC with up to nine digits of a second; `null` where the text is empty or no time. */
  readonly utc: string | null
}

/** What is known about an address; `null`, `""` and 0 of the sources are all `null` here. */
export interface SatelliteTags {
  /** Hash of the page at the address. */
  readonly http: string | null
  /** Hash of the certificate at the address. */
  readonly cert: string | null
  readonly asnum: number | null
  readonly asname: string | null
}

/** One address of an answer. */
export interface SatelliteAnswer {
  readonly address: string
  /** `null`: the source does not say, here. */
  readonly tags: SatelliteTags | null
  /** Items of `ip`, `no_tags`, `http`, `cert`, `asnum`, `asname`; `null`: not judged, or not said. */
  readonly matched: readonly string[] | null
  readonly unknown: JsonFields
}

/** One query and what came of it. */
export interface SatelliteTrial {
  /** Whether a control name was asked, or the name of the row. */
  readonly purpose: 'control' | 'test'
  /** The name asked; `null`: the source does not say (control queries of v2.0 results). */
  readonly name: string | null
  readonly hasTypeA: boolean | null
  readonly answers: readonly SatelliteAnswer[]
  readonly error: string | null
  /** −1 for a connection error; `null`: the source does not say. */
  readonly rcode: number | null
  readonly startTime: SatelliteTime | null
  readonly endTime: SatelliteTime | null
  readonly unknown: JsonFields
}

/** How well the answers agree with the control. */
export interface SatelliteConfidence {
  /** 0 to 100. */
  readonly average: number | null
  /** One number per answer, in no order; `null` where there are no answers. */
  readonly matches: readonly number[] | null
  readonly untaggedControls: boolean | null
  readonly untaggedResponse: boolean | null
}

/** Where a resolver is. */
export interface SatelliteLocation {
  readonly countryName: string | null
  /** Two letters. */
  readonly countryCode: string | null
}

/** How a source wrote a row where it differs from the usual form of its flavour. */
export interface SatelliteSpelling {
  /** Fields as they came. */
  readonly fields: JsonFields
  /** Fields that were not there. */
  readonly absent: readonly string[]
}

/** One pair of a resolver and a name. `null` is what the source does not say. */
export interface SatelliteRow {
  readonly flavour: SatelliteFlavour
  readonly role: SatelliteRole
  /** Address of the resolver, as written. */
  readonly resolver: string
  /** The name tested, as written. */
  readonly domain: string
  readonly location: SatelliteLocation | null
  /** In the order in which they were made. */
  readonly trials: readonly SatelliteTrial[]
  /** `passed_liveness`; `passed_control` of v2.0 and v2.1. */
  readonly passedLiveness: boolean | null
  readonly inControlGroup: boolean | null
  readonly connectError: boolean | null
  /** v1: the opposite of `passed`. */
  readonly anomaly: boolean | null
  readonly confidence: SatelliteConfidence | null
  readonly excluded: boolean | null
  readonly excludeReasons: readonly string[] | null
  readonly startTime: SatelliteTime | null
  readonly endTime: SatelliteTime | null
  readonly unknown: JsonFields
  readonly spelling: SatelliteSpelling
}
