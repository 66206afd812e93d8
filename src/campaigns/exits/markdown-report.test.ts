import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleFacts, exampleReport, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import type { ExitReport, ExitResult } from '../../model/exit-result.ts'
import { buildExitReport, type ExitRunFacts } from './exit-report.ts'
import { formatMarkdownReport } from './markdown-report.ts'
import { formatCell, formatTable } from './markdown-text.ts'

const format = (report: ExitReport, previous: ExitReport | null = null): string =>
  formatMarkdownReport(report, { previous })
const reportOf = (results: readonly ExitResult[], facts: Partial<ExitRunFacts> = {}): ExitReport =>
  buildExitReport(results, exampleFacts(facts))
const headings = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('#'))
/** Rows of the table under a heading, as cells; the header first. */
function tableUnder(text: string, heading: string): readonly (readonly string[])[] {
  const section = text.slice(text.indexOf(heading)).split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
}

describe('formatMarkdownReport', () => {
  const results = [
    exampleResult(1, 'success'),
    exampleResult(2, 'dns_fail', { consecutive_failures: 2 }),
    exampleResult(3, 'wrong_ip', { consecutive_failures: 7, resolved_ip: '203.0.113.9', flags: ['inconsistent'] }),
    exampleResult(4, 'timeout', { consecutive_failures: 2 }),
    exampleResult(5, 'circuit_fail'),
    exampleResult(6, 'not_tested'),
  ]

  test("has the plan's title, headings and metrics first", () => {
    const text = format(reportOf(results))
    expect(text).toMatch(/^# DNS Health Report\n\n\*\*Generated\*\*: 2026-01-31T12:10:00\.000Z\n\n## Summary\n/)
    expect(headings(text).slice(0, 3)).toEqual(['# DNS Health Report', '## Summary', '## Failing Relays (3)'])
    expect(tableUnder(text, '## Summary').slice(0, 9)).toEqual([
      ['Metric', 'Value'],
      ['---', '--:'],
      ['Total Relays', '5'],
      ['Success', '1'],
      ['DNS Failures', '1'],
      ['Wrong IP', '1'],
      ['Timeouts', '1'],
      ['Errors', '0'],
      ['**Success Rate**', '**25.0%**'],
    ])
  })

  test("has the plan's columns first, the longest failing relay on top", () => {
    const [head, , ...rows] = tableUnder(format(reportOf(results)), '## Failing Relays')
    expect(head?.slice(0, 5)).toEqual(['Fingerprint', 'Nickname', 'Exit IP', 'Status', 'Consecutive Failures'])
    expect(rows.map((row) => [row[0], row[1], row[3], row[4]])).toEqual([
      ['`0000000000000000...`', 'exit3', 'wrong_ip', '7'],
      ['`0000000000000000...`', 'exit2', 'dns_fail', '2'],
      ['`0000000000000000...`', 'exit4', 'timeout', '2'],
    ])
  })

  test('says every share of what', () => {
    expect(format(reportOf(results))).toContain(
      '4 of 6 exits have a DNS verdict: 1 sound, 3 failing; 1 without a verdict are not counted; 1 was not tested.',
    )
    expect(format(reportOf([]))).toContain('0 of 0 exits have a DNS verdict')
    expect(format(reportOf([]))).toContain('| **Success Rate** | **–** |')
  })

  test('does not call a relay failing that was not reached', () => {
    const text = format(reportOf(results))
    expect(text).not.toContain('exit5')
    expect(tableUnder(text, '## Relays Without a DNS Verdict (2)').slice(2)).toEqual([
      ['circuit_fail', 'EXIT_FAIL', '1'],
      ['not_tested', 'DEADLINE', '1'],
    ])
  })

  test('lists nobody in an invalid run, and says why it is invalid', () => {
    const text = format(reportOf(results, { invalid: 'The zone did not answer' }), exampleReport(['success']))
    expect(text).toContain('**This run is invalid and accuses nobody.** The zone did not answer.')
    expect(text).not.toContain('## Failing Relays')
    expect(text).not.toContain('exit3')
  })

  test('says that a run was interrupted', () => {
    expect(format(reportOf(results, { interrupted: true }))).toContain(
      '> **This run was interrupted**: 1 relay was not tested.',
    )
  })

  test('shows wrong answers with where they came from', () => {
    const resolver = {
      addresses: ['192.0.2.53'],
      as: null,
      country: null,
      asked: false,
      transport: [],
      edns: false,
      dnssec_ok: false,
      client_subnet: null,
      mixed_case: false,
      qname_minimisation: false,
    }
    const text = format(
      reportOf([
        exampleResult(1, 'wrong_ip', { resolved_ip: '203.0.113.1' }),
        exampleResult(2, 'wrong_ip', { resolver: { ...resolver, wrong_answer: 'rewritten' } }),
        exampleResult(3, 'wrong_ip', { resolver: { ...resolver, wrong_answer: null } }),
      ]),
    )
    expect(tableUnder(text, '## Wrong Answers (3)').map((row) => row.slice(3, 6))).toEqual([
      ['Expected', 'Got', 'Where'],
      ['---', '---', '---'],
      ['192.0.2.1', '203.0.113.1', 'no log'],
      ['192.0.2.1', '–', 'rewritten'],
      ['192.0.2.1', '–', '–'],
    ])
    expect(tableUnder(text, '## Failing Relays')[3]?.[9]).toBe('192.0.2.53')
  })

  test('shows relays that were sound not every time', () => {
    const attempt = { query_type: 'A', status: 'success', error_code: null } as unknown as ExitResult['attempts'][0]
    const failed = { ...attempt, status: 'timeout', error_code: 'RESOLVER_TIMEOUT' } as ExitResult['attempts'][0]
    const text = format(
      reportOf([exampleResult(1, 'success', { flags: ['inconsistent'], attempts: [failed, attempt] })]),
    )
    expect(tableUnder(text, '## Sound, but Not Every Time (1)')[2]?.[3]).toBe('A RESOLVER_TIMEOUT, A success')
  })

  test('shows relays that are right about our zone and not about a decoy', () => {
    const decoy = { query_domain: 'decoy.example', status: 'wrong_ip', addresses: ['203.0.113.7'] }
    const attempts = [decoy as unknown as ExitResult['attempts'][0]]
    const lying = exampleResult(1, 'success', { flags: ['decoy_mismatch'], attempts })
    const lost = exampleResult(2, 'success', { flags: ['decoy_mismatch'] })
    expect(tableUnder(format(reportOf([lying, lost])), '## Sound for Our Zone').map((row) => row.slice(3, 5))).toEqual([
      ['Asked For', 'Got'],
      ['---', '---'],
      ['decoy.example', '203.0.113.7'],
      ['–', '–'],
    ])
  })

  test('shows AAAA by itself', () => {
    const right = exampleResult(1, 'success', { status_ipv6: 'success' })
    const wrong = exampleResult(2, 'success', { status_ipv6: 'dns_fail', consecutive_failures_ipv6: 3 })
    const unreached = exampleResult(3, 'error', { status_ipv6: 'error' })
    expect(format(reportOf([right]))).toContain('1 of 1 relay asked for AAAA answered rightly.')
    const text = format(reportOf([right, wrong, unreached]))
    expect(text).toContain('1 of 2 relays asked for AAAA answered rightly.')
    expect(tableUnder(text, '## IPv6')[2]?.slice(1, 5)).toEqual(['exit2', '198.51.100.2', 'dns_fail', '3'])
    expect(format(reportOf([unreached]))).not.toContain('## IPv6')
  })

  test('groups failing relays that share something', () => {
    const shared = { exit_address: '198.51.100.7', operator: 'example.org', as: null }
    const text = format(
      reportOf([
        exampleResult(1, 'dns_fail', shared),
        exampleResult(2, 'timeout', shared),
        exampleResult(3, 'timeout', { operator: 'alone.example' }),
      ]),
    )
    expect(tableUnder(text, '## Failing Relays by Exit Address').slice(2)).toEqual([
      ['198.51.100.7', '2', 'SERVFAIL_CLASS, RESOLVER_TIMEOUT'],
    ])
    expect(tableUnder(text, '## Failing Relays by Operator').slice(2)).toHaveLength(1)
    expect(text).not.toContain('## Failing Relays by AS')
  })

  test('shows at most 20 groups and 1,000 rows, and says how many more there are', () => {
    const many = Array.from({ length: 1050 }, (_, i) =>
      exampleResult(i, 'timeout', { exit_address: `192.0.2.${i % 25}`, operator: null, as: null }),
    )
    const text = format(reportOf(many))
    expect(tableUnder(text, '## Failing Relays (1050)')).toHaveLength(1002)
    expect(text).toContain('50 more are in the JSON beside this report.')
    expect(text).toContain('5 smaller groups are not shown.')
  })

  test('compares with an earlier run', () => {
    const previous = exampleReport(['success', 'timeout', 'dns_fail', 'error', 'success', 'success'])
    const now = [
      exampleResult(1, 'timeout'),
      exampleResult(2, 'success'),
      exampleResult(3, 'timeout'),
      exampleResult(4, 'timeout'),
      exampleResult(5, 'error'),
      exampleResult(99, 'timeout'),
    ]
    const text = format(reportOf(now), previous)
    expect(
      tableUnder(text, '## Changes Since')
        .slice(2)
        .map((row) => row.slice(1, 5)),
    ).toEqual([
      ['exit1', '198.51.100.1', 'success', 'timeout'],
      ['exit2', '198.51.100.2', 'timeout', 'success'],
    ])
    expect(format(reportOf([]), previous)).toContain('No relay began to fail or recovered.')
    expect(format(reportOf([]), exampleReport([], { invalid: 'x' }))).toContain('recovered. That run was invalid.')
  })

  test('says what the mode fell back to, and what was absent', () => {
    const text = format(
      reportOf([], { mode: 'nxdomain', mode_requested: 'auto', domain: null, first_hops_relaxed: ['measured'] }),
    )
    const facts = new Map(tableUnder(text, '## The Run').map(([name, value]) => [name, value]))
    expect(facts.get('Mode')).toBe('nxdomain (auto was asked for)')
    expect(facts.get('Zone')).toBe('–')
    expect(facts.get('Absent')).toBe('decoys, stable_domains')
    expect(facts.get('Conditions Relaxed')).toBe('measured')
  })

  test('keeps every row whole, whatever strangers wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (nickname, operator) => {
        const hostile = exampleResult(1, 'wrong_ip', { exit_nickname: nickname, operator, resolved_ip: operator })
        const rows = format(reportOf([hostile]))
          .split('\n')
          .filter((line) => line.startsWith('| `'))
        expect(rows).toHaveLength(2)
        expect(rows.map((row) => row.split(/(?<!\\)\|/).length - 2).toSorted((a, b) => a - b)).toEqual([8, 12])
      }),
    )
  })
})

describe('formatCell', () => {
  test.each([
    [null, '–'],
    ['', '–'],
    [7, '7'],
    ['a|b', 'a\\|b'],
    ['a\nb\r\n\u2028c', 'a b c'],
    ['\u202Egro.elpmaxe', 'gro.elpmaxe'],
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)>'],
    ['[x](javascript:y)', '\\[x\\](javascript:y)'],
    ['https://evil.example', 'https&#58;//evil.example'],
    ['www.evil.example', 'www&#46;evil.example'],
    ['a@b.example', 'a&#64;b.example'],
    ['&lt;', '&amp;lt;'],
    ['`code` **b** _i_ ~s~', '\\`code\\` \\*\\*b\\*\\* \\_i\\_ \\~s\\~'],
    ['snake_case _em_ __strong__', 'snake_case \\_em\\_ \\_\\_strong\\_\\_'],
    ['\uD800half', 'half'],
    ['back\\slash\\|', 'back\\\\slash\\\\\\|'],
  ])('makes text of %j', (value, cell) => {
    expect(formatCell(value)).toBe(cell)
  })

  test('cuts before it escapes, so that no escape is cut in two', () => {
    expect(formatCell('|'.repeat(10), 5)).toBe('\\|\\|\\|\\|…')
    expect(formatCell('12345', 5)).toBe('12345')
  })
})

describe('formatTable', () => {
  test('aligns numbers to the right', () => {
    expect(formatTable(['Name', 'Value'], [['a', '1']], new Set(['Value']))).toBe(
      '| Name | Value |\n| --- | --: |\n| a | 1 |',
    )
  })
})
