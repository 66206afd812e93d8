/**
 * What people are told first about a pair.
 *
 * **Invariant**: pure; the first of the list that holds is the outcome. Of several addresses the one that speaks most for a
 * genuine answer counts.
 *
 * Rule: docs/detectors/satellite-outcome.md
 */
import type { SatelliteFinding, SatelliteOutcome, SatelliteRule } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { FindFetch } from './satellite-fetch-facts.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** @param findings - Those of the row. */
export function tellOutcome(
  row: SatelliteRow,
  findings: readonly SatelliteFinding[],
  findFetch: FindFetch,
): SatelliteOutcome {
  const answers = listTestAnswers(row)
  if (answers.length === 0) return tellFailure(row)
  const rules = new Set<SatelliteRule>(findings.map(({ rule }) => rule))
  if (rules.has('bogon-answer')) return 'bogus_address'
  if (rules.has('answer-in-control')) return 'control_address'
  const fetches = answers.map(({ address }) => findFetch(address, row.domain))
  const certificates = fetches.flatMap((fetch) => fetch?.certificate ?? [])
  if (certificates.some(({ isChainValid, isNameValid }) => isChainValid && isNameValid)) return 'valid_certificate'
  if (certificates.some(({ isNameValid }) => isNameValid)) return 'untrusted_certificate'
  if (certificates.length > 0) return 'wrong_certificate'
  if (rules.has('blockpage')) return 'block_page'
  if (rules.has('answer-as-in-control')) return 'control_as'
  return fetches.some((fetch) => (fetch?.tlsError ?? null) !== null) ? 'tls_failure' : 'unconfirmed'
}

function tellFailure(row: SatelliteRow): SatelliteOutcome {
  const tests = row.trials.filter(({ purpose }) => purpose === 'test')
  const last = tests.at(-1)
  if (last === undefined || last.rcode === -1) return 'error'
  return (last.rcode ?? 0) > 0 ? 'rcode' : last.error === null || last.rcode === 0 ? 'no_answer' : 'error'
}
