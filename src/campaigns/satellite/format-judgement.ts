/** What our rules say, as records of `findings.jsonl` and `aggregates.jsonl`. */
import type { ControlSet } from '../../verdicts/satellite-control.ts'
import { listTestAnswers } from '../../verdicts/satellite-test-answers.ts'
import type { JsonFields, SatelliteRow } from '../../model/satellite-row.ts'
import type { SatelliteAggregate } from '../../model/satellite-aggregate.ts'
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
    rcodes: row.trials.filter(({ purpose }) => purpose === 'test').flatMap(({ rcode }) => rcode ?? []),
    answers: listTestAnswers(row).map(({ address, tags, matched }) => ({
      address,
      asnum: tags?.asnum ?? null,
      asname: tags?.asname ?? null,
      matched: matched ?? [],
    })),
    anomaly: row.anomaly,
    findings,
  }
}

/** One line of `controls.jsonl`: what the control resolvers said of a name. */
export function formatControl(domain: string, control: ControlSet): JsonFields {
  return {
    domain,
    asked: control.asked,
    answered: control.answered,
    addresses: [...control.addresses],
    asnum: [...control.asnum],
    asname: [...control.asname],
    pages: control.http.size,
    certificates: control.cert.size,
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
