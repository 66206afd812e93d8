/**
 * Answers in content networks, beside the published rule: by the number of the autonomous system, and by a certificate that
 * is seen inside such a network, for its servers inside the networks of providers.
 *
 * **Invariant**: pure. It explains an address and proves nothing: only a valid certificate does.
 *
 * Rule: docs/detectors/satellite-cdn.md
 */
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'
import type { FindTags } from './satellite-control.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** Operator → its autonomous systems. The five of the published pattern first, then those that it misses. */
const NETWORKS: Readonly<Record<string, readonly number[]>> = {
  Amazon: [7224, 8987, 14_618, 16_509, 38_895, 39_111],
  Akamai: [
    12_222, 16_625, 20_940, 21_342, 21_357, 21_399, 23_454, 23_455, 31_377, 32_787, 33_905, 34_164, 35_994, 36_183,
  ],
  OpenDNS: [36_692],
  Cloudflare: [13_335, 209_242],
  Google: [15_169, 19_527, 36_040, 36_384, 43_515, 396_982],
  Fastly: [54_113],
  Microsoft: [8068, 8075],
  Edgio: [15_133, 22_822],
  CDN77: [60_068],
  Imperva: [19_551],
}

const OPERATORS: ReadonlyMap<number, string> = new Map(
  Object.entries(NETWORKS).flatMap(([operator, numbers]) => numbers.map((number) => [number, operator] as const)),
)

/** Certificates that are seen inside content networks. */
export interface CdnCertificates {
  /** Takes the tags of an address. */
  add(tags: SatelliteTags): void
  /** The operator in whose network a certificate was seen. */
  readonly find: (cert: string) => string | undefined
}

/** Begins with none; grows with certificates. */
export function createCdnCertificates(): CdnCertificates {
  const certificates = new Map<string, string>()
  return {
    add: ({ cert, asnum }) => {
      const operator = asnum === null ? undefined : OPERATORS.get(asnum)
      if (cert !== null && operator !== undefined) certificates.set(cert, operator)
    },
    find: (cert) => certificates.get(cert),
  }
}

/** Both findings, the one by number first. An address inside a content network is not looked up by its certificate. */
export function detectContentNetwork(
  row: SatelliteRow,
  findTags: FindTags,
  findCdnCertificate: CdnCertificates['find'],
): readonly SatelliteFinding[] {
  const byNumber: Found[] = []
  const byCertificate: Found[] = []
  for (const { address, tags } of listTestAnswers(row)) {
    const known = hasTag(tags) ? tags : findTags(address)
    const asnum = known?.asnum ?? null
    const cert = known?.cert ?? null
    const operator = asnum === null ? undefined : OPERATORS.get(asnum)
    const owner = cert === null || operator !== undefined ? undefined : findCdnCertificate(cert)
    if (operator !== undefined && asnum !== null) byNumber.push({ address, operator, value: asnum })
    if (owner !== undefined && cert !== null) byCertificate.push({ address, operator: owner, value: cert })
  }
  return [
    ...toFinding('cdn-by-as-number', 'as_numbers', byNumber),
    ...toFinding('cdn-by-certificate', 'certificates', byCertificate),
  ]
}

interface Found {
  readonly address: string
  readonly operator: string
  readonly value: string | number
}

function toFinding(
  rule: 'cdn-by-as-number' | 'cdn-by-certificate',
  field: string,
  found: readonly Found[],
): readonly SatelliteFinding[] {
  if (found.length === 0) return []
  const evidence = {
    addresses: found.map(({ address }) => address),
    [field]: [...new Set(found.map(({ value }) => value))],
    operators: [...new Set(found.map(({ operator }) => operator))],
  }
  return [{ rule, version: 1, evidence, weights: { interference: 0, down: 0, ok: 0.3 } }]
}

function hasTag(tags: SatelliteTags | null): tags is SatelliteTags {
  return tags !== null && (tags.asnum !== null || tags.cert !== null)
}
