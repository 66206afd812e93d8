/**
 * Answers behind which a known block page stands.
 *
 * **Invariant**: pure; the page was matched before, under a time-out.
 *
 * Rule: docs/detectors/satellite-blockpage.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { FindFetch } from './satellite-fetch-facts.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** Who makes a page, by the beginning of the fingerprint. */
const ORIGINS: Readonly<Record<string, string>> = {
  a_prod: 'product',
  b_nat: 'national',
  c_isp: 'provider',
  d_corp: 'corporate',
  e_unk: 'unknown',
  f_gen: 'generic',
}

/** @returns `undefined` when no page behind an answer is a known block page. */
export function detectBlockpage(row: SatelliteRow, findFetch: FindFetch): SatelliteFinding | undefined {
  const found = listTestAnswers(row).flatMap(({ address }) => {
    const match = findFetch(address, row.domain)?.page
    return match?.isBlockpage === true && match.fingerprint !== null
      ? [{ address, fingerprint: match.fingerprint }]
      : []
  })
  if (found.length === 0) return undefined
  const fingerprints = [...new Set(found.map(({ fingerprint }) => fingerprint))]
  const origins = [...new Set(fingerprints.map((fingerprint) => tellOrigin(fingerprint)))]
  return {
    rule: 'blockpage',
    version: 1,
    evidence: { addresses: found.map(({ address }) => address), fingerprints, origins },
    // A page that nobody in particular makes may be an error page.
    weights: { interference: origins.every((origin) => origin === 'generic') ? 0.7 : 0.95, down: 0, ok: 0 },
  }
}

/** `a_prod…` → `product`; a fingerprint of another form has the origin `unknown`. */
function tellOrigin(fingerprint: string): string {
  return Object.entries(ORIGINS).find(([prefix]) => fingerprint.startsWith(`${prefix}_`))?.[1] ?? 'unknown'
}
