import { describe, expect, test } from 'vitest'
import { PUBLISHED_ROWS, readRecords, WHERE_ROWS_ARE } from '../../test/satellite-fixtures/published-rows.ts'
import { readRow } from '../campaigns/satellite/read-row.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { createAnomalyDomains, isCdnName, listExcludeReasons } from './satellite-verify.ts'

function judgedRow(domain: string, answers: Readonly<Record<string, string | null>>, anomaly = true): SatelliteRow {
  const tagged = Object.entries(answers).map(([address, asname]) => [
    address,
    { http: '', cert: '', asnum: 0, asname, matched: null },
  ])
  const trial = { url: domain, has_type_a: true, response: Object.fromEntries(tagged), error: 'null', rcode: 0 }
  return readRow({ vp: '192.0.2.53', test_url: domain, response: [trial], anomaly }, undefined)
}

const findNothing = (): undefined => undefined

describe('listExcludeReasons', () => {
  test('names content networks once per answer, and addresses with few names', () => {
    const domains = createAnomalyDomains()
    for (const name of ['a', 'b', 'c', 'd', 'd']) domains.add(judgedRow(name, { '192.0.2.1': null }))
    for (const name of ['a', 'b', 'a']) domains.add(judgedRow(name, { '192.0.2.2': null }))
    domains.add(judgedRow('c', { '192.0.2.2': null }, false))
    const reasons = (answers: Readonly<Record<string, string | null>>, anomaly = true): readonly string[] =>
      listExcludeReasons(judgedRow('a', answers, anomaly), domains, findNothing, 'anywhere')
    expect(reasons({ '192.0.2.1': 'EXAMPLE' })).toEqual([])
    expect(reasons({ '192.0.2.2': null })).toEqual(['domain_below_threshold'])
    expect(reasons({ '192.0.2.1': 'NOT-AMAZON-02' })).toEqual(['is_CDN'])
    expect(reasons({ '192.0.2.2': 'GOOGLE', '192.0.2.1': 'Akamai' })).toEqual([
      'is_CDN',
      'domain_below_threshold',
      'is_CDN',
    ])
    expect(reasons({ '192.0.2.2': 'GOOGLE' }, false)).toEqual([])
    expect(domains.count('192.0.2.1')).toBe(3)
    expect(domains.count('192.0.2.9')).toBe(0)
  })

  test('looks up the tags that older rows do not have', () => {
    const row = readRow(
      { vp: '192.0.2.53', test_url: 'a', response: { '192.0.2.1': [], rcode: ['0'] }, anomaly: true },
      undefined,
    )
    const findTags = (): { http: null; cert: null; asnum: null; asname: string } => ({
      http: null,
      cert: null,
      asnum: null,
      asname: 'XGOOGLE',
    })
    const domains = createAnomalyDomains()
    expect(listExcludeReasons(row, domains, findTags, 'anywhere')).toEqual(['is_CDN', 'domain_below_threshold'])
    expect(listExcludeReasons(row, domains, findTags, 'anchored')).toEqual(['domain_below_threshold'])
  })

  test.skipIf(PUBLISHED_ROWS === undefined)(`gives what was published${WHERE_ROWS_ARE}`, () => {
    for (const { asname, ...expected } of readRecords('cdn_regex_cases.jsonl')) {
      expect(isCdnName(String(asname), 'anchored')).toBe(expected['python_match_anchored'])
      expect(isCdnName(String(asname), 'anywhere')).toBe(expected['go_matchstring_unanchored'])
    }
    for (const item of readRecords('verify_cases.jsonl') as unknown as readonly VerifyCase[]) {
      const { row, expected, ip_domains: known } = item
      const answers = row.received.map((each) => [each.ip, each.ip_metadata?.as_name ?? each.as_name ?? null])
      const judged = judgedRow(row.domain, Object.fromEntries(answers) as Record<string, string | null>)
      const domains = createAnomalyDomains()
      for (const [address, names] of Object.entries(known ?? {}))
        for (const name of names) domains.add(judgedRow(name, { [address]: null }))
      // The case without counts is of the rule for content networks alone: every address has many names there.
      if (known === undefined)
        for (const name of ['x', 'y', 'z'])
          domains.add(judgedRow(name, Object.fromEntries(answers) as Record<string, string | null>))
      const reasons = listExcludeReasons(judged, domains, findNothing, 'anchored')
      expect(reasons.length > 0).toBe(expected.excluded)
      expect(reasons.join(' ')).toBe([expected.exclude_reason].flat().join(' '))
    }
  })
})

interface VerifyCase {
  readonly ip_domains?: Readonly<Record<string, readonly string[]>>
  readonly row: {
    readonly domain: string
    readonly received: readonly {
      readonly ip: string
      readonly as_name?: string | null
      readonly ip_metadata?: { readonly as_name: string | null }
    }[]
  }
  readonly expected: { readonly excluded: boolean; readonly exclude_reason: string | readonly string[] }
}
