import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  exampleFacts,
  exampleFingerprint,
  exampleReport,
  exampleResult,
} from '../../../test/exit-fixtures/example-report.ts'
import type { ExitStatus } from '../../model/exit-result.ts'
import { nameArtefacts } from './artefact-names.ts'
import { buildExitReport, formatExitReport } from './exit-report.ts'
import { computeExitStatistics } from './exit-statistics.ts'

const ALL: readonly ExitStatus[] = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
]

describe('computeExitStatistics', () => {
  test('adds up as the format says', () => {
    const statuses: readonly ExitStatus[] = [...ALL, 'success', 'success']
    expect(computeExitStatistics(statuses.map((status, i) => exampleResult(i, status)))).toMatchObject({
      total_relays: 9,
      success: 3,
      dns_fail: 1,
      wrong_ip: 1,
      timeout: 1,
      error: 1,
      circuit_fail: 1,
      exception: 1,
      not_tested: 1,
      candidates: 10,
      dns_tested: 6,
      success_rate_percent: 50,
      success_rate_percent_all: 33.33,
      reachability_rate_percent: 66.67,
    })
  })

  test('adds up for any run', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ALL)), (statuses) => {
        const s = computeExitStatistics(statuses.map((status, i) => exampleResult(i, status)))
        const seven = s.success + s.wrong_ip + s.dns_fail + s.timeout + s.circuit_fail + s.error + s.exception
        expect(s.total_relays).toBe(seven)
        expect(s.candidates).toBe(s.total_relays + s.not_tested)
        expect(s.candidates).toBe(statuses.length)
        expect(s.success_rate_percent === null).toBe(s.dns_tested === 0)
        expect(s.success_rate_percent_all === null).toBe(s.total_relays === 0)
      }),
    )
  })

  test('says null where there is nothing to take a share of', () => {
    expect(computeExitStatistics([exampleResult(1, 'not_tested')])).toMatchObject({
      total_relays: 0,
      candidates: 1,
      success_rate_percent: null,
      success_rate_percent_all: null,
      reachability_rate_percent: null,
      timing: { avg: null, min: null, max: null, p50: null, p95: null, p99: null },
    })
    expect(computeExitStatistics([exampleResult(1, 'error')])).toMatchObject({
      success_rate_percent: null,
      success_rate_percent_all: 0,
      reachability_rate_percent: 0,
    })
  })

  test('takes percentiles that were measured, of answers only', () => {
    const answers = Array.from({ length: 100 }, (_, i) => exampleResult(i, 'success', { latency_ms: 100 - i }))
    const stalled = exampleResult(200, 'error', { latency_ms: 9999 })
    expect(computeExitStatistics([...answers, stalled]).timing).toEqual({
      avg: 50.5,
      min: 1,
      max: 100,
      p50: 50,
      p95: 95,
      p99: 99,
    })
    const one = computeExitStatistics([exampleResult(1, 'success', { latency_ms: 7 })]).timing
    expect(one).toEqual({ avg: 7, min: 7, max: 7, p50: 7, p95: 7, p99: 7 })
  })

  test('counts relays whose verdict is unsure', () => {
    expect(computeExitStatistics([exampleResult(1, 'timeout', { flags: ['unsure'] })]).unsure).toBe(1)
  })
})

describe('buildExitReport', () => {
  test('orders relays by fingerprint and lists failures three ways', () => {
    const report = buildExitReport(
      [
        exampleResult(3, 'dns_fail', { exit_address: '198.51.100.9' }),
        exampleResult(1, 'success'),
        exampleResult(2, 'circuit_fail', { exit_address: '198.51.100.9' }),
      ],
      exampleFacts(),
    )
    const [one, two, three] = [1, 2, 3].map((n) => exampleFingerprint(n))
    expect(report.results.map((result) => result.exit_fingerprint)).toEqual([one, two, three])
    expect(report.failures.map((result) => result.exit_fingerprint)).toEqual([two, three])
    expect(report.dns_failures).toEqual([three])
    expect(report.failures_by_ip).toEqual({ '198.51.100.9': [two, three] })
  })

  test("writes the plan's fields first, in its order, whatever order they came in", () => {
    const report = exampleReport(['success'])
    const reversed = Object.fromEntries(Object.entries(report.results[0] ?? {}).toReversed())
    const rebuilt = buildExitReport([reversed as unknown as (typeof report.results)[0]], exampleFacts())
    expect(Object.keys(rebuilt.results[0] ?? {}).slice(0, 16)).toEqual([
      'exit_fingerprint',
      'exit_nickname',
      'exit_address',
      'first_hop_fingerprint',
      'query_domain',
      'expected_ip',
      'timestamp',
      'run_id',
      'shard',
      'mode',
      'status',
      'resolved_ip',
      'latency_ms',
      'error',
      'error_code',
      'attempt',
    ])
    expect(Object.keys(rebuilt.metadata).slice(0, 10)).toEqual([
      'run_id',
      'shard',
      'timestamp',
      'total_relays',
      'success',
      'dns_fail',
      'wrong_ip',
      'timeout',
      'error',
      'success_rate_percent',
    ])
    expect(Object.keys(rebuilt)).toEqual(['metadata', 'results', 'failures', 'dns_failures', 'failures_by_ip'])
  })

  test('gives times in whole milliseconds', () => {
    expect(exampleReport(['success'], {}, { latency_ms: 12.6 }).results[0]?.latency_ms).toBe(13)
    expect(exampleReport(['circuit_fail']).results[0]?.latency_ms).toBeNull()
  })

  test('refuses two results of one relay', () => {
    expect(() => buildExitReport([exampleResult(1, 'success'), exampleResult(1, 'timeout')], exampleFacts())).toThrow(
      'two results of',
    )
  })

  test('keeps an address that is a name of JavaScript', () => {
    const report = exampleReport(['dns_fail'], {}, { exit_address: '__proto__' })
    expect(JSON.parse(formatExitReport(report)).failures_by_ip).toEqual(
      JSON.parse(`{"__proto__":["${exampleFingerprint(1)}"]}`),
    )
  })
})

describe('nameArtefacts', () => {
  test('names the files as the plan does, with a shard where there is one', () => {
    expect(nameArtefacts('dnshealth', '20260131120000', { index: 0, count: 1 })).toEqual({
      data: 'dnshealth_20260131_120000.json',
      report: 'report_20260131_120000.md',
    })
    expect(nameArtefacts('dnshealth', '20260131120000', { index: 2, count: 3 })).toEqual({
      data: 'dnshealth_20260131_120000_shard-2-of-3.json',
      report: 'report_20260131_120000_shard-2-of-3.md',
    })
    expect(nameArtefacts('dnssec', '20260131120000', { index: 0, count: 1 }).report).toBe(
      'dnssec_report_20260131_120000.md',
    )
  })
})
