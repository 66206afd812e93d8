import { describe, expect, test } from 'vitest'
import { planRetention, type RetentionPolicy } from './plan-retention.ts'

const NOW = Date.parse('2026-07-01T03:00:00Z')
const POLICY: RetentionPolicy = { gzipAfterDays: 30, archiveAfterDays: 180, deleteAfterDays: 365 }
const INDEX = { month: '', sizeOctets: 1, sha256: '', entries: [] }

describe('planRetention', () => {
  test('compresses after 30 days, archives whole months after 180, deletes after 365', () => {
    const plan = planRetention(
      [
        'dnshealth_20260630_001500.json',
        'dnshealth_20260601_031500.json', // 29 days and 23.75 hours
        'dnshealth_20260601_000000.json',
        'report_20260501_001500.md',
        'dnshealth_20260101_001500.json', // old enough, but its month is not over for 180 days
        'dnshealth_20251231_181500.json.gz',
        'dnshealth_20251201_001500.json',
        'dns_health_2025-12-05_06-15-00.json',
        'dnshealth_20250701_031500.json', // 364 days and 23.75 hours
        'dnshealth_20250701_000000.json.gz',
        'report_20250630_000000.md',
      ],
      [],
      NOW,
      POLICY,
    )
    expect(plan).toEqual({
      deleteFiles: ['dnshealth_20250701_000000.json.gz', 'report_20250630_000000.md'],
      deleteArchives: [],
      compress: ['dnshealth_20260101_001500.json', 'dnshealth_20260601_000000.json', 'report_20260501_001500.md'],
      archive: [
        { month: '2025-07', files: ['dnshealth_20250701_031500.json'] },
        {
          month: '2025-12',
          files: [
            'dns_health_2025-12-05_06-15-00.json',
            'dnshealth_20251201_001500.json',
            'dnshealth_20251231_181500.json.gz',
          ],
        },
      ],
    })
  })

  test('leaves alone what is on no list, and what no calendar has', () => {
    const names = [
      'candor.toml',
      'latest.json',
      'files.json',
      'result_AAAA.json',
      'dnshealth_20251399_001500.json',
      'x.gz',
    ]
    const plan = planRetention(names, [], NOW, POLICY)
    expect(plan).toEqual({ deleteFiles: [], deleteArchives: [], compress: [], archive: [] })
  })

  test('deletes an archive when all of its month is old, and mends one without an index', () => {
    const archives = [
      { month: '2025-05', index: INDEX },
      { month: '2025-06', index: undefined }, // ended 365 days and 3 hours ago
      { month: '2025-07', index: INDEX },
      { month: '2025-08', index: undefined },
    ]
    const plan = planRetention([], archives, NOW, POLICY)
    expect(plan.deleteArchives).toEqual(['2025-05', '2025-06'])
    expect(plan.archive).toEqual([{ month: '2025-08', files: [] }])
  })

  test('adds nothing to an archive that is whole, and removes what it holds', () => {
    const entry = { name: 'dnshealth_20251201_001500.json', offset: 0, compressedOctets: 1, octets: 1, sha256: '' }
    const archives = [{ month: '2025-12', index: { ...INDEX, entries: [entry] } }]
    const names = [
      'dnshealth_20251201_001500.json.gz',
      'dnshealth_20251201_061500.json',
      'report_20251201_061500.md.gz',
    ]
    const plan = planRetention(names, archives, NOW, POLICY)
    expect(plan.archive).toEqual([{ month: '2025-12', files: ['dnshealth_20251201_001500.json.gz'] }])
    expect(plan.compress).toEqual(['dnshealth_20251201_061500.json'])
  })

  test('completes what was interrupted, whatever its age', () => {
    const names = ['dnshealth_20260630_001500.json', 'dnshealth_20260630_001500.json.gz']
    expect(planRetention(names, [], NOW, POLICY).compress).toEqual(['dnshealth_20260630_001500.json'])
  })

  test('does nothing with an age of 0', () => {
    const never = { gzipAfterDays: 0, archiveAfterDays: 0, deleteAfterDays: 0 }
    const plan = planRetention(['dnshealth_20160101_001500.json'], [{ month: '2016-02', index: INDEX }], NOW, never)
    expect(plan).toEqual({ deleteFiles: [], deleteArchives: [], compress: [], archive: [] })
  })
})
