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
  /** Its item in `matched`, for rows of a scan that does not bring its control. */
  readonly item: string
  readonly weights: SatelliteWeights
  /** What of an answer may be shared. */
  readonly value: (address: string, tags: SatelliteTags) => string | number | null
  readonly controls: (control: ControlSet) => ReadonlySet<string | number>
}

/** Strongest first. A network is shared by many: it speaks least. */
const KINDS: readonly Kind[] = [
  {
    rule: 'answer-in-control',
    item: 'ip',
    weights: { interference: 0, down: 0, ok: 0.9 },
    value: (address) => address,
    controls: ({ addresses }) => addresses,
  },
  {
    rule: 'certificate-in-control',
    item: 'cert',
    weights: { interference: 0, down: 0, ok: 0.9 },
    value: (_address, { cert }) => cert,
    controls: ({ cert }) => cert,
  },
  {
    rule: 'page-in-control',
    item: 'http',
    weights: { interference: 0, down: 0, ok: 0.7 },
    value: (_address, { http }) => http,
    controls: ({ http }) => http,
  },
  {
    rule: 'answer-as-in-control',
    item: 'asnum',
    weights: { interference: 0, down: 0, ok: 0.5 },
    value: (_address, { asnum }) => asnum,
    controls: ({ asnum }) => asnum,
  },
]

/** Findings of the four kinds, strongest first; each names the addresses that overlap and what they share. */
export function detectControlOverlap(
  row: SatelliteRow,
  control: ControlSet,
  findTags: FindTags,
): readonly SatelliteFinding[] {
  const answers = listTestAnswers(row)
  return KINDS.flatMap(({ rule, item, weights, value, controls }) => {
    const found = answers.flatMap(({ address, tags, matched }) => {
      const own = value(address, tags ?? findTags(address) ?? NO_TAGS)
      if (own === null) return []
      const isShared = control.asked > 0 ? controls(control).has(own) : matched?.includes(item) === true
      return isShared ? [{ address, value: own }] : []
    })
    if (found.length === 0) return []
    const evidence = {
      addresses: found.map(({ address }) => address),
      shared: [...new Set(found.map((each) => each.value))],
    }
    return [{ rule, version: 1, evidence, weights }]
  })
}
