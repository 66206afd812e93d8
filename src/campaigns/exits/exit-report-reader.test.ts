import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleFingerprint, exampleReport } from '../../../test/exit-fixtures/example-report.ts'
import { ConfigError } from '../../core/config-error.ts'
import { parseExitReport } from './exit-report-reader.ts'
import { formatExitReport } from './exit-report.ts'

/** As the plan's own scanner writes it, with its example fingerprint, which is no hexadecimal one. */
const PLAN_REPORT = {
  metadata: {
    run_id: '20250114_143052',
    shard: '0/1',
    timestamp: '2025-01-14T14:35:00.123456Z',
    total_relays: 3,
    success: 1,
    dns_fail: 1,
    wrong_ip: 0,
    timeout: 1,
    error: 0,
    success_rate_percent: 33.33,
  },
  results: [
    {
      exit_fingerprint: 'ABCD1234EFGH5678IJKL9012MNOP3456QRST7890',
      exit_nickname: 'MyRelay',
      exit_address: '192.0.2.1',
      first_hop_fingerprint: null,
      query_domain: 'x.example',
      expected_ip: '64.65.4.1',
      timestamp: 1736865052.123,
      run_id: '20250114_143052',
      shard: '0/1',
      mode: 'wildcard',
      status: 'success',
      resolved_ip: '64.65.4.1',
      latency_ms: 1523,
      error: null,
      error_code: null,
      attempt: 1,
    },
    { exit_fingerprint: exampleFingerprint(2), status: 'dns_fail', error_code: 'NXDOMAIN', resolved_ip: 'NXDOMAIN' },
    {
      exit_fingerprint: exampleFingerprint(3),
      status: 'timeout',
      error_code: 'TIMEOUT',
      latency_ms: 'soon',
      consecutive_failures: -3,
      extra: { nested: true },
    },
  ],
  failures: 'whatever',
}

describe('parseExitReport', () => {
  test('gives back what was written', () => {
    const report = exampleReport(
      ['success', 'wrong_ip', 'circuit_fail', 'not_tested'],
      {},
      {
        flags: ['inconsistent'],
        first_seen: '2026-01-01T00:00:00.000Z',
        attempts: [
          {
            attempt: 1,
            circuit: 1,
            query_type: 'A',
            query_domain: 'a.example',
            timestamp: 1.5,
            path: ['AA', 'BB'],
            dns_rcode: 2,
            socks_reply: null,
            stream_reason: null,
            addresses: [],
            ttl_seconds: null,
            latency_ms: 4.25,
            circuit_rtt_ms: 3,
            own_delay_ms: 0.5,
            status: 'dns_fail',
            error_code: 'SERVFAIL_CLASS',
            error: 'sentence',
            unsure: false,
          },
        ],
        resolver: {
          addresses: ['192.0.2.53'],
          as: null,
          country: null,
          asked: true,
          transport: ['udp'],
          edns: true,
          dnssec_ok: false,
          client_subnet: null,
          mixed_case: true,
          qname_minimisation: false,
          wrong_answer: 'rewritten',
        },
      },
    )
    expect(parseExitReport(formatExitReport(report), 'f.json')).toEqual({ report, warnings: [] })
  })

  test("reads a report of the plan's own scanner", () => {
    const { report, warnings } = parseExitReport(JSON.stringify(PLAN_REPORT), 'old.json')
    expect(warnings).toEqual([])
    expect(report.metadata).toMatchObject({
      run_id: '20250114143052',
      timestamp: '2025-01-14T14:35:00.123Z',
      total_relays: 3,
      dns_tested: 3,
      profile: 'unknown',
      invalid: null,
    })
    const byStatus = new Map(report.results.map((result) => [result.status, result]))
    expect(byStatus.get('success')).toMatchObject({ exit_nickname: 'MyRelay', run_id: '20250114143052', attempts: [] })
    expect(byStatus.get('dns_fail')).toMatchObject({
      error_code: 'SOCKS_HOST_UNREACHABLE',
      resolved_ip: null,
      run_id: '20250114143052',
      exit_nickname: 'unknown',
    })
    expect(byStatus.get('timeout')).toMatchObject({
      error_code: 'STREAM_STALL',
      latency_ms: null,
      consecutive_failures: 0,
    })
  })

  test('finds the run id in the results when there are no metadata, and the time in the run id', () => {
    const { report } = parseExitReport(
      JSON.stringify({
        results: [{ exit_fingerprint: exampleFingerprint(1), status: 'error', run_id: '20250114_143052' }],
      }),
      'f.json',
    )
    expect(report.metadata).toMatchObject({ run_id: '20250114143052', timestamp: '2025-01-14T14:30:52.000Z' })
  })

  test.each([
    ['{', 'it is no JSON'],
    ['[]', 'it is no JSON object'],
    ['null', 'it is no JSON object'],
    ['{"metadata":{"run_id":"20250114143052"}}', 'it has no list "results"'],
    ['{"results":[]}', 'it has no run id'],
    ['{"metadata":{"run_id":"yesterday"},"results":[]}', 'it has no run id'],
  ])('refuses %s: %s', (text, why) => {
    expect(() => parseExitReport(text, 'f.json')).toThrow(ConfigError)
    expect(() => parseExitReport(text, 'f.json')).toThrow(`f.json is no exit report: ${why}`)
  })

  test('refuses more results than any network has relays', () => {
    const text = `{"results":[${'0,'.repeat(100_000)}0]}`
    expect(() => parseExitReport(text, 'f.json')).toThrow('it has 100001 results, more than 100000')
  })

  test('names rows that are no results, doubled ones, and counts that are not so', () => {
    const good = { exit_fingerprint: exampleFingerprint(1), status: 'success' }
    const { report, warnings } = parseExitReport(
      JSON.stringify({
        metadata: { run_id: '20250114143052', total_relays: 9 },
        results: [good, { ...good, status: 'timeout' }, { ...good, status: 'fine' }, { status: 'error' }, 7, null],
      }),
      'f.json',
    )
    expect(report.results).toHaveLength(1)
    expect(report.results[0]?.status).toBe('success')
    expect(warnings).toEqual([
      `result 2 is a second one of ${exampleFingerprint(1)}; the first one counts`,
      'result 3 cannot be read: no valid status',
      'result 4 cannot be read: no valid exit_fingerprint',
      'result 5 cannot be read: it is no object',
      'result 6 cannot be read: it is no object',
      'the metadata say total_relays 9, the results have 1',
    ])
  })

  test('keeps at most 20 warnings', () => {
    const text = JSON.stringify({
      metadata: { run_id: '20250114143052' },
      results: Array.from({ length: 500 }, () => 0),
    })
    expect(parseExitReport(text, 'f.json').warnings).toHaveLength(20)
  })

  test('bounds texts and lists, and takes no code that is none', () => {
    const { report } = parseExitReport(
      JSON.stringify({
        metadata: { run_id: '20250114143052' },
        results: [
          {
            exit_fingerprint: exampleFingerprint(1),
            status: 'dns_fail',
            exit_nickname: 'x'.repeat(1e6),
            error_code: '<script>',
            flags: ['unsure', 'evil', 7],
            family: Array.from({ length: 5000 }, () => 'member'),
            attempts: [{ status: 'success', query_type: 'A' }, { status: 'success', query_type: 'MX' }, 'text'],
            resolver: 'none',
            first_seen: 'yesterday',
          },
        ],
      }),
      'f.json',
    )
    const [result] = report.results
    expect(result?.exit_nickname).toHaveLength(4096)
    expect(result?.family).toHaveLength(1000)
    expect(result).toMatchObject({ error_code: null, flags: ['unsure'], resolver: null, first_seen: null })
    expect(result?.attempts).toHaveLength(1)
  })

  test('does not take names of JavaScript for fields', () => {
    const text = `{"metadata":{"run_id":"20250114143052","__proto__":{"domain":"evil"}},"results":[{"exit_fingerprint":"${exampleFingerprint(1)}","status":"success","error_code":"constructor"}],"__proto__":{}}`
    const { report } = parseExitReport(text, 'f.json')
    expect(report.metadata.domain).toBeNull()
    expect(report.results[0]?.error_code).toBeNull()
  })

  test('reads or refuses anything, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (metadata, row) => {
        const text = `{"metadata":${metadata},"results":[${row}]}`
        expect(['read', 'refused']).toContain(tryParse(text))
      }),
    )
  })

  test('survives any value in any field', () => {
    const intact = JSON.parse(formatExitReport(exampleReport(['wrong_ip']))) as {
      metadata: Record<string, unknown>
      results: Record<string, unknown>[]
    }
    const keys = Object.keys(intact.results[0] ?? {}).filter((key) => key !== 'exit_fingerprint' && key !== 'status')
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const row = { ...intact.results[0], [key]: value }
        const { report } = parseExitReport(JSON.stringify({ ...intact, results: [row] }), 'f.json')
        expect(report.results[0]).toMatchObject({ exit_fingerprint: exampleFingerprint(1), status: 'wrong_ip' })
      }),
    )
  })
})

function tryParse(text: string): string {
  try {
    parseExitReport(text, 'f.json')
    return 'read'
  } catch (error) {
    return error instanceof ConfigError ? 'refused' : String(error)
  }
}
