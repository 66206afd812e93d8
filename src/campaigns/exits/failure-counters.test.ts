import { describe, expect, test } from 'vitest'
import { exampleFingerprint, exampleReport, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import type { ExitVerdictPoint } from '../../model/exit-history.ts'
import type { ExitStatus } from '../../model/exit-result.ts'
import { addFailureCounters, countOnFrom } from './failure-counters.ts'

const RUN = { run_id: '20260131120000', timestamp: '2026-01-31T12:10:00.000Z', invalid: null }
const point = (day: number, status: ExitStatus, statusIpv6: ExitStatus | null = null): ExitVerdictPoint => ({
  runId: `202601${day}120000`,
  timestamp: `2026-01-${day}T12:00:00.000Z`,
  status,
  statusIpv6,
})

describe('addFailureCounters', () => {
  const history = new Map([
    [exampleFingerprint(1), [point(10, 'success', 'timeout'), point(11, 'dns_fail', 'timeout')]],
  ])

  test('counts this run on top of history', () => {
    expect(
      addFailureCounters([exampleResult(1, 'timeout', { status_ipv6: 'success' })], history, RUN)[0],
    ).toMatchObject({
      consecutive_failures: 2,
      consecutive_failures_ipv6: 0,
      first_seen: '2026-01-10T12:00:00.000Z',
      last_seen: RUN.timestamp,
    })
  })

  test('is not moved by a run that did not reach the relay', () => {
    expect(addFailureCounters([exampleResult(1, 'circuit_fail')], history, RUN)[0]).toMatchObject({
      consecutive_failures: 1,
      consecutive_failures_ipv6: 2,
      last_seen: '2026-01-11T12:00:00.000Z',
    })
  })

  test('accuses nobody in an invalid run', () => {
    const invalid = { ...RUN, invalid: 'zone down' }
    expect(addFailureCounters([exampleResult(1, 'timeout')], history, invalid)[0]).toMatchObject({
      consecutive_failures: 1,
      last_seen: '2026-01-11T12:00:00.000Z',
    })
  })

  test('begins with this run for a relay that is new', () => {
    expect(addFailureCounters([exampleResult(2, 'dns_fail')], history, RUN)[0]).toMatchObject({
      consecutive_failures: 1,
      first_seen: RUN.timestamp,
      last_seen: RUN.timestamp,
    })
    expect(addFailureCounters([exampleResult(2, 'error')], history, RUN)[0]).toMatchObject({
      consecutive_failures: 0,
      first_seen: null,
      last_seen: null,
    })
  })

  test('has seen a relay also where only AAAA had a verdict', () => {
    const v6Only = new Map([[exampleFingerprint(1), [point(10, 'circuit_fail', 'success')]]])
    expect(addFailureCounters([exampleResult(1, 'error')], v6Only, RUN)[0]).toMatchObject({
      first_seen: '2026-01-10T12:00:00.000Z',
      last_seen: '2026-01-10T12:00:00.000Z',
    })
  })
})

describe('countOnFrom', () => {
  const before = { run_id: '20260130120000', timestamp: '2026-01-30T12:00:00.000Z' }

  test.each([
    ['timeout', 2, 'dns_fail', 3],
    ['timeout', 2, 'success', 0],
    ['timeout', 2, 'circuit_fail', 2],
    ['circuit_fail', 2, 'dns_fail', 3],
    ['success', 0, 'dns_fail', 1],
    // Scanners that count nothing.
    ['dns_fail', 0, 'dns_fail', 2],
  ] as const)('%s (%d) then %s → %d', (earlier, count, status, expected) => {
    const previous = exampleReport([earlier], before, { consecutive_failures: count, consecutive_failures_ipv6: 4 })
    const [result] = countOnFrom(previous, exampleReport([status], {}, { status_ipv6: 'timeout' }))
    expect(result?.consecutive_failures).toBe(expected)
    expect(result?.consecutive_failures_ipv6).toBe(5)
  })

  test('knows when a relay was seen first and last', () => {
    const previous = exampleReport(['success', 'error', 'timeout'], before)
    const seen = countOnFrom(previous, exampleReport(['timeout', 'success', 'error', 'error'])).map((result) => [
      result.first_seen,
      result.last_seen,
    ])
    const now = '2026-01-31T12:10:00.000Z'
    expect(seen).toEqual([
      [before.timestamp, now],
      [now, now],
      [before.timestamp, before.timestamp],
      [null, null],
    ])
  })

  test('keeps what was seen longer ago', () => {
    const previous = exampleReport(['success'], before, { first_seen: 'a', last_seen: 'b' })
    expect(countOnFrom(previous, exampleReport(['error']))[0]).toMatchObject({ first_seen: 'a', last_seen: 'b' })
  })

  test('takes nothing from an invalid run, neither before nor now', () => {
    const invalid = exampleReport(['timeout'], { ...before, invalid: 'zone down' }, { consecutive_failures: 3 })
    expect(countOnFrom(invalid, exampleReport(['timeout']))[0]?.consecutive_failures).toBe(4)
    const previous = exampleReport(['timeout'], before, { consecutive_failures: 3 })
    expect(countOnFrom(previous, exampleReport(['timeout'], { invalid: 'zone down' }))[0]).toMatchObject({
      consecutive_failures: 3,
      last_seen: before.timestamp,
    })
  })
})
