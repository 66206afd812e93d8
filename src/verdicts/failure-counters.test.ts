import { describe, expect, test } from 'vitest'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import type { ExitAlertState } from '../model/incident.ts'
import {
  countFailures,
  DEFAULT_ALERT_RULE,
  judgeExitAlert,
  QUIET_ALERT_STATE,
  TWO_IN_A_ROW_ALERT_RULE,
} from './failure-counters.ts'

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

function points(
  statuses: readonly ExitStatus[],
  hours = 6,
  ipv6: readonly (ExitStatus | null)[] = [],
): readonly ExitVerdictPoint[] {
  return statuses.map((status, index) => ({
    runId: String(index),
    timestamp: new Date(START_MS + index * hours * HOUR_MS).toISOString(),
    status,
    statusIpv6: ipv6[index] ?? null,
  }))
}
const at = (hours: number): string => new Date(START_MS + hours * HOUR_MS).toISOString()

describe('countFailures', () => {
  test('counts failures in a row up to the newest verdict', () => {
    expect(countFailures(points(['dns_fail', 'success', 'timeout', 'wrong_ip']), 'ipv4')).toEqual({
      consecutiveFailures: 2,
      failingSince: at(12),
      firstSeen: at(0),
      lastSeen: at(18),
    })
  })

  test('begins again at 0 with a success', () => {
    expect(countFailures(points(['dns_fail', 'dns_fail', 'success']), 'ipv4')).toMatchObject({
      consecutiveFailures: 0,
      failingSince: null,
    })
  })

  test.each(['circuit_fail', 'error', 'exception', 'not_tested'] as const)('is not moved by %s', (status) => {
    expect(countFailures(points(['dns_fail', status, 'dns_fail', status]), 'ipv4')).toEqual({
      consecutiveFailures: 2,
      failingSince: at(0),
      firstSeen: at(0),
      lastSeen: at(12),
    })
  })

  test('counts IPv6 by itself', () => {
    const history = points(['success', 'success', 'dns_fail'], 6, ['timeout', null, 'timeout'])
    expect(countFailures(history, 'ipv6').consecutiveFailures).toBe(2)
    expect(countFailures(history, 'ipv4').consecutiveFailures).toBe(1)
  })

  test('knows nothing of a relay without verdicts', () => {
    expect(countFailures(points(['circuit_fail']), 'ipv4')).toEqual({
      consecutiveFailures: 0,
      failingSince: null,
      firstSeen: null,
      lastSeen: null,
    })
  })
})

describe('judgeExitAlert', () => {
  function run(
    history: readonly ExitVerdictPoint[],
    rule = DEFAULT_ALERT_RULE,
  ): { readonly state: ExitAlertState; readonly messages: readonly (string | null)[] } {
    let state = QUIET_ALERT_STATE
    const messages = history.map((point) => {
      const next = judgeExitAlert(state, point, 'ipv4', rule)
      state = next.state
      return next.message
    })
    return { state, messages }
  }

  test('tells once after five in a row, then says that it goes on', () => {
    expect(
      run(
        points(
          Array.from({ length: 6 }, () => 'dns_fail'),
          1,
        ),
      ).messages,
    ).toEqual([null, null, null, null, 'new', 'ongoing'])
  })

  test('tells after three that span twelve hours', () => {
    const { state, messages } = run(points(['dns_fail', 'timeout', 'wrong_ip'], 6))
    expect(messages).toEqual([null, null, 'new'])
    expect(state).toEqual({
      alerting: true,
      failures: 3,
      successes: 0,
      since: at(0),
      lastFailure: at(12),
      failureType: 'wrong_ip',
    })
  })

  test('bears failures with a success between them', () => {
    const { messages } = run(points(['dns_fail', 'dns_fail', 'success', 'dns_fail', 'dns_fail', 'success'], 6))
    expect(messages.every((message) => message === null)).toBe(true)
  })

  test('measures the span from the first failure of the row, not from an old one', () => {
    expect(run(points(['dns_fail', 'success', 'dns_fail', 'dns_fail', 'dns_fail'], 5)).messages.at(-1)).toBeNull()
    expect(run(points(['dns_fail', 'success', 'dns_fail', 'dns_fail', 'dns_fail'], 6)).messages.at(-1)).toBe('new')
  })

  test('recovers after two successes in a row, once', () => {
    const failing: ExitStatus[] = ['dns_fail', 'dns_fail', 'dns_fail']
    const { state, messages } = run(
      points([...failing, 'success', 'dns_fail', 'success', 'circuit_fail', 'success', 'success'], 6),
    )
    expect(messages).toEqual([null, null, 'new', null, 'ongoing', null, null, 'recovered', null])
    expect(state).toMatchObject({ alerting: false, since: at(0), lastFailure: at(24), failureType: 'dns_fail' })
  })

  test('tells again when it fails again after a recovery, counted from then', () => {
    const failing: ExitStatus[] = ['dns_fail', 'dns_fail', 'dns_fail']
    const { state, messages } = run(points([...failing, 'success', 'success', ...failing], 6))
    expect(messages.at(-1)).toBe('new')
    expect(state.since).toBe(at(30))
  })

  test('has the rule of the plan as an option', () => {
    const { messages } = run(points(['dns_fail', 'dns_fail', 'success'], 1), TWO_IN_A_ROW_ALERT_RULE)
    expect(messages).toEqual([null, 'new', 'recovered'])
  })

  test('begins with the present failure when a stored state forgot since when', () => {
    const point = points(['dns_fail'])[0] as ExitVerdictPoint
    const forgetful = { ...QUIET_ALERT_STATE, alerting: true }
    expect(judgeExitAlert(forgetful, point, 'ipv4', DEFAULT_ALERT_RULE).state.since).toBe(at(0))
  })
})
