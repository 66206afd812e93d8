/**
 * Answers behind which a server proves, with a valid certificate, that it speaks for the domain.
 *
 * **Invariant**: pure. It undoes whatever the address alone was suspected of; a second, different response it does not undo.
 *
 * Rule: docs/detectors/satellite-valid-tls.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { FindFetch } from './satellite-fetch-facts.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** @returns `undefined` when no answer showed a certificate whose chain and name are both valid. */
export function detectValidTls(row: SatelliteRow, findFetch: FindFetch): SatelliteFinding | undefined {
  const found = listTestAnswers(row).flatMap(({ address }) => {
    const certificate = findFetch(address, row.domain)?.certificate
    const isValid = certificate?.isChainValid === true && certificate.isNameValid
    return isValid ? [{ address, sha256: certificate.sha256 }] : []
  })
  if (found.length === 0) return undefined
  return {
    rule: 'tls-valid-for-domain',
    version: 1,
    evidence: {
      addresses: found.map(({ address }) => address),
      certificates: [...new Set(found.map(({ sha256 }) => sha256))],
    },
    weights: { interference: 0, down: 0, ok: 0.95 },
  }
}
