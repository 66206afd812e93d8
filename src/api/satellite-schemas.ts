/**
 * Schemas of the records of the campaign over resolvers, as the API gives them out.
 *
 * Format: docs/formats/satellite.md
 */
import { z } from 'zod'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type { SatelliteControlView, SatellitePair, SatelliteRunSummary } from '../model/satellite-archive.ts'
import type { SatelliteFinding, SatelliteJudgement, SatelliteOutcome } from '../model/satellite-finding.ts'
import { OUTCOME_TEXT } from '../model/satellite-outcome-text.ts'
import { COUNT, LINK, RUN_ID } from './exit-schemas.ts'

/** Where all of it is. */
export const SATELLITE_PATH = '/api/v1/satellite'

/** What the findings of a pair can amount to. */
export const JUDGEMENTS: readonly SatelliteJudgement[] = ['interference', 'down', 'ok', 'unconfirmed', 'no_vote']
/** What a group can show. */
export const VERDICTS: readonly SatelliteAggregate['verdict'][] = ['interference', 'not_shown', 'too_few']
const OUTCOMES = Object.keys(OUTCOME_TEXT) as readonly SatelliteOutcome[]

/** A run as JSON. */
export interface SatelliteRunRecord {
  readonly run_id: string
  readonly name: string
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly resolvers: number
  readonly domains: number
  readonly pairs: number
  readonly judgements: Readonly<Partial<Record<SatelliteJudgement, number>>>
  readonly cells: number
  readonly tested: number
  readonly interfered: number
  readonly url: string
  readonly countries_url: string
  readonly cells_url: string
}

/** A group and a name as JSON. */
export interface SatelliteCellRecord {
  readonly kind: SatelliteAggregate['kind']
  readonly group: string
  readonly domain: string
  readonly resolvers: number
  readonly interference: number
  readonly down: number
  readonly ok: number
  readonly unconfirmed: number
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
  readonly null_share: number | null
  readonly p_value: number | null
  readonly q_value: number | null
  readonly verdict: SatelliteAggregate['verdict']
}

interface FindingRecord {
  readonly rule: string
  readonly version: number
  readonly evidence: Readonly<Record<string, unknown>>
  readonly weights: SatelliteFinding['weights']
}

/** A pair as JSON. */
export interface SatellitePairRecord {
  readonly resolver: string
  readonly domain: string
  readonly country: string
  readonly asnum: number | null
  readonly outcome: SatelliteOutcome
  readonly judgement: SatelliteJudgement
  readonly anomaly: boolean | null
  readonly rcodes: readonly number[]
  readonly answers: SatellitePair['answers']
  readonly findings: readonly FindingRecord[]
  readonly url: string
}

const share = z.number().min(0).max(1)

/** One run. */
export const SATELLITE_RUN: z.ZodType<SatelliteRunRecord> = z
  .strictObject({
    run_id: RUN_ID,
    name: z.string(),
    started_at: z.string().nullable(),
    ended_at: z.string().nullable(),
    resolvers: COUNT,
    domains: COUNT,
    pairs: COUNT,
    judgements: z.record(z.enum(JUDGEMENTS), COUNT),
    cells: COUNT.describe('Pairs of a country and a name.'),
    tested: COUNT.describe('Of them those with five resolvers or more.'),
    interfered: COUNT.describe('Of them those that show interference.'),
    url: LINK,
    countries_url: LINK,
    cells_url: LINK,
  })
  .meta({ id: 'SatelliteRun' })

/** One group and one name. */
export const SATELLITE_CELL: z.ZodType<SatelliteCellRecord> = z
  .strictObject({
    kind: z.enum(['country', 'as']),
    group: z.string(),
    domain: z.string(),
    resolvers: COUNT,
    interference: COUNT,
    down: COUNT,
    ok: COUNT,
    unconfirmed: COUNT,
    share: share.nullable().describe('Of interference; null with fewer than five resolvers.'),
    low: share.nullable().describe('Lower end of the 95 % Wilson interval.'),
    high: share.nullable(),
    null_share: share.nullable().describe('What chance is held to.'),
    p_value: share.nullable(),
    q_value: share.nullable().describe('Corrected by Benjamini and Hochberg over all pairs of the run.'),
    verdict: z.enum(VERDICTS),
  })
  .meta({ id: 'SatelliteCell' })

const FINDING = z.strictObject({
  rule: z.string(),
  version: COUNT,
  evidence: z.record(z.string(), z.unknown()),
  weights: z.strictObject({ interference: share, down: share, ok: share }),
})

/** One pair of a resolver and a name. */
export const SATELLITE_PAIR: z.ZodType<SatellitePairRecord> = z
  .strictObject({
    resolver: z.string(),
    domain: z.string(),
    country: z.string(),
    asnum: z.int().nullable(),
    outcome: z.enum(OUTCOMES),
    judgement: z.enum(JUDGEMENTS),
    anomaly: z.boolean().nullable().describe('By the published rule.'),
    rcodes: z.array(z.int()),
    answers: z.array(
      z.strictObject({
        address: z.string(),
        asnum: z.number().nullable(),
        asname: z.string().nullable(),
        matched: z.array(z.string()),
      }),
    ),
    findings: z.array(FINDING),
    url: LINK,
  })
  .meta({ id: 'SatellitePair' })

/** What the control resolvers said of a name. */
export const SATELLITE_CONTROL: z.ZodType<SatelliteControlView> = z.strictObject({
  asked: COUNT,
  answered: COUNT,
  addresses: z.array(z.string()),
  asnum: z.array(z.number()),
  asname: z.array(z.string()),
  pages: COUNT,
  certificates: COUNT,
})

/** As {@link SATELLITE_RUN}. */
export function formatSatelliteRun(run: SatelliteRunSummary): SatelliteRunRecord {
  const { runId } = run
  return {
    run_id: runId,
    name: run.name,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    resolvers: run.resolvers,
    domains: run.domains,
    pairs: run.pairs,
    judgements: run.judgements,
    cells: run.cells,
    tested: run.tested,
    interfered: run.interfered,
    url: `${SATELLITE_PATH}/runs/${runId}`,
    countries_url: `${SATELLITE_PATH}/countries?run=${runId}`,
    cells_url: `${SATELLITE_PATH}/cells?run=${runId}`,
  }
}

/** As {@link SATELLITE_CELL}. */
export function formatSatelliteCell(cell: SatelliteAggregate): SatelliteCellRecord {
  const { kind, group, domain, resolvers, interference, down, ok, unconfirmed, low, high, verdict } = cell
  return {
    kind,
    group,
    domain,
    resolvers,
    interference,
    down,
    ok,
    unconfirmed,
    share: cell.share,
    low,
    high,
    null_share: cell.nullShare,
    p_value: cell.pValue,
    q_value: cell.qValue,
    verdict,
  }
}

/** As {@link SATELLITE_PAIR}. */
export function formatSatellitePair(runId: string, pair: SatellitePair): SatellitePairRecord {
  const { resolver, domain, country, asnum, outcome, judgement, rcodes, answers } = pair
  const parameters = new URLSearchParams({ run: runId, vp: resolver, domain })
  return {
    resolver,
    domain,
    country,
    asnum,
    outcome,
    judgement,
    rcodes,
    answers,
    anomaly: pair.isAnomaly,
    findings: pair.findings.map((finding) => formatFinding(finding)),
    url: `${SATELLITE_PATH}/pair?${parameters.toString()}`,
  }
}

/** As {@link SATELLITE_CONTROL}. */
export function formatSatelliteControl(control: SatelliteControlView): SatelliteControlView {
  const { asked, answered, addresses, asnum, asname, pages, certificates } = control
  return { asked, answered, addresses, asnum, asname, pages, certificates }
}

function formatFinding({ rule, version, evidence, weights }: SatelliteFinding): FindingRecord {
  return { rule, version, evidence, weights }
}
