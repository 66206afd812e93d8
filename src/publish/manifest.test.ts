import { describe, expect, test } from 'vitest'
import { buildManifest, parseReportMoment } from './manifest.ts'

describe('buildManifest', () => {
  test('names reports, newest first, of both spellings, and nothing else', () => {
    const { all } = buildManifest([
      '.dnshealth_20260131_120000.json.ab12.tmp',
      'dns_health_2025-12-01_06-15-00.json',
      'dnshealth_20260130_120000.json',
      'dnshealth_20260131_120000.json',
      'dnshealth_20260131_180000_shard-0-of-3.json',
      'dnssec_20260131_120000.json',
      'files.json',
      'latest.json',
      'report_20260131_120000.md',
    ])
    expect(all).toEqual([
      'dnshealth_20260131_120000.json',
      'dnshealth_20260130_120000.json',
      'dns_health_2025-12-01_06-15-00.json',
    ])
  })

  test('names a compressed report once, as it was published', () => {
    expect(buildManifest(['dnshealth_20260131_120000.json.gz', 'dnshealth_20260131_120000.json']).all).toEqual([
      'dnshealth_20260131_120000.json',
    ])
  })

  test('orders equal moments by name', () => {
    const names = ['dns_health_20260131_120000.json', 'dnshealth_20260131_120000.json']
    expect(buildManifest(names).all).toEqual(buildManifest(names.toReversed()).all)
  })

  test('keeps the newest hundred apart', () => {
    const names = Array.from({ length: 150 }, (_, i) => `dnshealth_20260101_${String(100_000 + i)}.json`)
    const { newest, all } = buildManifest(names)
    expect(all).toHaveLength(150)
    expect(newest).toEqual(all.slice(0, 100))
    expect(newest[0]).toBe('dnshealth_20260101_100149.json')
  })
})

describe('parseReportMoment', () => {
  test.each([
    ['dnshealth_20260131_120000.json', '20260131120000'],
    ['dns_health_2026-01-31_12-00-00.json', '20260131120000'],
    ['dns_health_20260131_120000.json', '20260131120000'],
    ['dnshealth_20260131_120000_shard-0-of-3.json', undefined],
    ['../dnshealth_20260131_120000.json', undefined],
    ['dnshealth_20260131_120000.json\n', undefined],
  ])('%j → %s', (name, moment) => {
    expect(parseReportMoment(name)).toBe(moment)
  })
})
