/**
 * The two published rules that exclude anomalies of Satellite: addresses of big content networks, and addresses that
 * serve few names.
 *
 * **Invariant**: pure; only anomalies are excluded. A counter of names per address stops at three, so that memory grows with
 * addresses alone.
 *
 * Rule: docs/detectors/satellite-verify.md
 */
import type { SatelliteRow } from '../model/satellite-row.ts'
import type { FindTags } from './satellite-control.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** How the name of a network is compared: anywhere in it, as published, or at its beginning, as the later analysis does. */
export type CdnMatch = 'anywhere' | 'anchored'

const CDN_ANYWHERE = /AMAZON|Akamai|OPENDNS|CLOUDFLARENET|GOOGLE/
const CDN_ANCHORED = /^(?:AMAZON|Akamai|OPENDNS|CLOUDFLARENET|GOOGLE)/
/** An address of a block server stands in for more names than this. */
const FEW_DOMAINS = 2

/** Names per address among the anomalies of a scan. */
export interface AnomalyDomains {
  /** Takes a judged row; only anomalies count. */
  add(row: SatelliteRow): void
  /** 0 to 3; three stands for three and more. */
  count(address: string): number
}

/** Begins with no anomaly. */
export function createAnomalyDomains(): AnomalyDomains {
  const domains = new Map<string, readonly string[]>()
  return {
    add: (row) => {
      if (row.anomaly !== true) return
      for (const { address } of listTestAnswers(row)) {
        const known = domains.get(address) ?? []
        if (known.length <= FEW_DOMAINS && !known.includes(row.domain)) domains.set(address, [...known, row.domain])
      }
    },
    count: (address) => domains.get(address)?.length ?? 0,
  }
}

/** Whether the name of a network is that of one of five content networks. Case matters. */
export function isCdnName(asname: string, match: CdnMatch): boolean {
  return (match === 'anchored' ? CDN_ANCHORED : CDN_ANYWHERE).test(asname)
}

/** Reasons to exclude, per answer: `is_CDN`, then `domain_below_threshold`. Empty for what is no anomaly. */
export function listExcludeReasons(
  row: SatelliteRow,
  domains: Pick<AnomalyDomains, 'count'>,
  findTags: FindTags,
  match: CdnMatch,
): readonly string[] {
  if (row.anomaly !== true) return []
  return listTestAnswers(row).flatMap(({ address, tags }) => {
    const asname = (tags ?? findTags(address))?.asname ?? null
    const reasons: string[] = []
    if (asname !== null && isCdnName(asname, match)) reasons.push('is_CDN')
    if (domains.count(address) <= FEW_DOMAINS) reasons.push('domain_below_threshold')
    return reasons
  })
}
