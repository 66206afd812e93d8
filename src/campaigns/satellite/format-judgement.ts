/** What our rules say, as records of `findings.jsonl` and `aggregates.jsonl`. */
import type { JsonFields, SatelliteRow } from '../../model/satellite-row.ts'
import type { SatelliteAggregate } from '../../verdicts/satellite-aggregates.ts'
import type { PairJudgement } from './judge-scan.ts'

/** One line of `findings.jsonl`. */
export function formatPairJudgement(
  row: SatelliteRow,
  { findings, judgement, outcome, asnum }: PairJudgement,
): JsonFields {
  return {
    vp: row.resolver,
    test_url: row.domain,
    country_code: row.location?.countryCode ?? null,
    asnum,
    outcome,
    judgement,
    findings,
  }
}

/** One line of `aggregates.jsonl`. */
export function formatAggregate(aggregate: SatelliteAggregate): JsonFields {
  return {
    kind: aggregate.kind,
    group: aggregate.group,
    domain: aggregate.domain,
    resolvers: aggregate.resolvers,
    interference: aggregate.interference,
    down: aggregate.down,
    ok: aggregate.ok,
    unconfirmed: aggregate.unconfirmed,
    share: aggregate.share,
    low: aggregate.low,
    high: aggregate.high,
    null_share: aggregate.nullShare,
    p_value: aggregate.pValue,
    q_value: aggregate.qValue,
    verdict: aggregate.verdict,
  }
}
