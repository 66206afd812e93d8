/**
 * Overlap of an answer with the control, one finding per kind: the address, its certificate, its page, its network.
 *
 * **Invariant**: pure. Names of networks say nothing here: only their numbers do.
 *
 * Rule: docs/detectors/satellite-overlap.md
 */
import type { SatelliteFinding, SatelliteRule, SatelliteWeights } from '../model/satellite-finding.ts'
import type { SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'
import type { ControlSet, FindTags } from './satellite-control.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

const NO_TAGS: SatelliteTags = { http: null, cert: null, asnum: null, asname: null }

interface Kind {
  readonly rule: SatelliteRule
  readonly weights: SatelliteWeights
  /** What the answer shares with the control; `null` for nothing. */
  readonly shared: (address: string, tags: SatelliteTags, control: ControlSet) => string | number | null
}

/** Strongest first. A network is shared by many: it speaks least. */
const KINDS: readonly Kind[] = [
  {
    rule: 'answer-in-control',
    weights: { interference: 0, down: 0, ok: 0.9 },
    shared: (address, _tags, control) => (control.addresses.has(address) ? address : null),
  },
  {
    rule: 'certificate-in-control',
    weights: { interference: 0, down: 0, ok: 0.9 },
    shared: (_address, { cert }, control) => (cert !== null && control.cert.has(cert) ? cert : null),
  },
  {
    rule: 'page-in-control',
    weights: { interference: 0, down: 0, ok: 0.7 },
    shared: (_address, { http }, control) => (http !== null && control.http.has(http) ? http : null),
  },
  {
    rule: 'answer-as-in-control',
    weights: { interference: 0, down: 0, ok: 0.5 },
    shared: (_address, { asnum }, control) => (asnum !== null && control.asnum.has(asnum) ? asnum : null),
  },
]

/** Findings of the four kinds, strongest first; each names the addresses that overlap and what they share. */
export function detectControlOverlap(
  row: SatelliteRow,
  control: ControlSet,
  findTags: FindTags,
): readonly SatelliteFinding[] {
  const answers = listTestAnswers(row)
  return KINDS.flatMap(({ rule, weights, shared }) => {
    const found = answers.flatMap(({ address, tags }) => {
      const value = shared(address, tags ?? findTags(address) ?? NO_TAGS, control)
      return value === null ? [] : [{ address, value }]
    })
    if (found.length === 0) return []
    const evidence = {
      addresses: found.map(({ address }) => address),
      shared: [...new Set(found.map(({ value }) => value))],
    }
    return [{ rule, version: 1, evidence, weights }]
  })
}
