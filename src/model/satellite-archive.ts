/**
 * Finished runs over resolvers, as pages and API read them: the port between `store/` and the doors.
 *
 * **Invariant**: reading never changes a run. Lists are bounded by the caller, and go on after a key.
 */
import type { SatelliteAggregate, SatelliteGroupKind } from './satellite-aggregate.ts'
import type { SatelliteFinding, SatelliteJudgement, SatelliteOutcome } from './satellite-finding.ts'

/** One run in numbers. */
export interface SatelliteRunSummary {
  /** Fourteen digits, from the name of its directory. */
  readonly runId: string
  /** `CP_Satellite-YYYY-MM-DD-HH-MM-SS`. */
  readonly name: string
  /** ISO 8601 UTC; `null` where nobody wrote it down. */
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly resolvers: number
  readonly domains: number
  readonly pairs: number
  /** Pairs by judgement. */
  readonly judgements: Readonly<Record<SatelliteJudgement, number>>
  /** Of the pairs of a country and a name: with a verdict `interference`, with any, and all. */
  readonly interfered: number
  readonly tested: number
  readonly cells: number
}

/** One country of a run. */
export interface SatelliteCountry {
  readonly country: string
  /** Resolvers with a row. */
  readonly resolvers: number
  /** Names for which interference is shown, names that were tested, all names. */
  readonly interfered: number
  readonly tested: number
  readonly domains: number
  /** The largest share with a verdict, 0 to 1; `null` where nothing was tested. */
  readonly highestShare: number | null
}

/** One name of a run, over all countries. */
export interface SatelliteDomain {
  readonly domain: string
  /** Countries for which interference is shown, that were tested, and all. */
  readonly interfered: number
  readonly tested: number
  readonly countries: number
  readonly highestShare: number | null
}

/** Which pairs of a group and a name are asked for. */
export interface SatelliteCellQuery {
  readonly kind: SatelliteGroupKind
  readonly group?: string | undefined
  readonly domain?: string | undefined
  readonly verdict?: SatelliteAggregate['verdict'] | undefined
  /** Goes on after this pair. */
  readonly after?: { readonly group: string; readonly domain: string } | undefined
  readonly limit: number
}

/** One address of an answer. */
export interface SatellitePairAnswer {
  readonly address: string
  readonly asnum: number | null
  readonly asname: string | null
  readonly matched: readonly string[]
}

/** One pair of a resolver and a name. */
export interface SatellitePair {
  readonly resolver: string
  readonly domain: string
  /** Empty where it is not known. */
  readonly country: string
  readonly asnum: number | null
  readonly outcome: SatelliteOutcome
  readonly judgement: SatelliteJudgement
  /** By the published rule; `null` where it says nothing. */
  readonly isAnomaly: boolean | null
  readonly rcodes: readonly number[]
  readonly answers: readonly SatellitePairAnswer[]
  readonly findings: readonly SatelliteFinding[]
}

/** Which pairs are asked for. */
export interface SatellitePairQuery {
  readonly country?: string | undefined
  readonly domain?: string | undefined
  readonly judgement?: SatelliteJudgement | undefined
  /** Goes on after this pair. */
  readonly after?: { readonly domain: string; readonly resolver: string } | undefined
  readonly limit: number
}

/** What the control resolvers said of a name. */
export interface SatelliteControlView {
  readonly asked: number
  readonly answered: number
  readonly addresses: readonly string[]
  readonly asnum: readonly number[]
  readonly asname: readonly string[]
  readonly pages: number
  readonly certificates: number
}

/** The runs. */
export interface SatelliteArchive {
  /** Newest first, older than `before`. */
  runs(before: string | null, limit: number): Promise<readonly SatelliteRunSummary[]>
  /** @param runId - `undefined` for the newest. */
  run(runId: string | undefined): Promise<SatelliteRunSummary | undefined>
  /** By code. */
  countries(runId: string): Promise<readonly SatelliteCountry[]>
  /** By name. */
  domains(runId: string): Promise<readonly SatelliteDomain[]>
  /** By group, then name. */
  cells(runId: string, query: SatelliteCellQuery): Promise<readonly SatelliteAggregate[]>
  /** By name, then resolver. */
  pairs(runId: string, query: SatellitePairQuery): Promise<readonly SatellitePair[]>
  pair(runId: string, resolver: string, domain: string): Promise<SatellitePair | undefined>
  control(runId: string, domain: string): Promise<SatelliteControlView | undefined>
}
