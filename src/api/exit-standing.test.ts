import { describe, expect, test } from 'vitest'
import type { ExitFlag, ExitStatus } from '../model/exit-result.ts'
import { exitStanding } from './exit-standing.ts'

const stand = (status: ExitStatus, ...flags: readonly ExitFlag[]): string => exitStanding({ status, flags })

describe('exitStanding', () => {
  test('calls a confirmed failure failing and an unconfirmed one suspect', () => {
    expect(stand('dns_fail')).toBe('failing')
    expect(stand('dns_fail', 'unconfirmed')).toBe('suspect')
    expect(stand('timeout', 'unsure')).toBe('suspect')
    expect(stand('wrong_ip', 'suspected')).toBe('suspect')
  })

  test('keeps a wrong address failing although other attempts were right', () => {
    expect(stand('wrong_ip', 'inconsistent')).toBe('failing')
  })

  test('calls a success with a wrong answer beside it suspect', () => {
    expect(stand('success')).toBe('sound')
    expect(stand('success', 'inconsistent')).toBe('suspect')
    expect(stand('success', 'decoy_mismatch')).toBe('suspect')
  })

  test('never counts what was not measured as good or bad', () => {
    expect([stand('circuit_fail', 'unsure'), stand('error'), stand('exception'), stand('not_tested')]).toEqual([
      'unreachable',
      'not_judged',
      'not_judged',
      'not_tested',
    ])
  })
})
