import { describe, expect, test } from 'vitest'
import type { AttemptOutcome, DomainAttempt } from '../model/domain.ts'
import { decideNextAttempt, DIRECT_BUDGET, judgeAttempts, WILDCARD_BUDGET } from './domain-outcome.ts'

/** Attempts from words: `a nxdomain`, or `a- nxdomain` for somebody without a vote. */
function attempts(...words: readonly string[]): readonly DomainAttempt[] {
  return words.map((word) => {
    const [operator = '', outcome = ''] = word.split(' ')
    return {
      resolver: operator,
      operator: operator.replace('-', ''),
      hasVote: !operator.endsWith('-'),
      isHedge: false,
      startedMs: 0,
      elapsedMs: 1,
      outcome: outcome as AttemptOutcome,
      addresses: [],
    }
  })
}

describe('judgeAttempts', () => {
  test.each([
    [['a ok'], 'OK', false],
    [['a nxdomain', 'b ok'], 'OK', true],
    [['a nxdomain', 'b nxdomain'], 'NX2', false],
    [['a nxdomain', 'a nxdomain'], 'NX1', false],
    [['a nxdomain', 'b- nxdomain'], 'NX1', false],
    [['a- nxdomain', 'b- nxdomain'], 'TEMP', false],
    [['a- nxdomain', 'b timeout'], 'TEMP', false],
    [['a timeout', 'b nxdomain', 'c nxdomain'], 'NX2', false],
    [['a nxdomain', 'b nodata'], 'NODATA', true],
    [['a filtered', 'b timeout'], 'FILTERED', false],
    [['a timeout', 'b timeout'], 'TIMEOUT', false],
    [['a timeout', 'b unsent'], 'TIMEOUT', false],
    [['a refused', 'b refused'], 'REFUSED', false],
    [['a refused', 'b timeout'], 'TEMP', false],
    [['a temporary'], 'TEMP', false],
    [['a unsent'], undefined, false],
    [[], undefined, false],
  ] as const)('judges %j as %s', (words, outcome, isDisputed) => {
    expect(judgeAttempts(attempts(...words))).toEqual({ outcome, isDisputed })
  })
})

describe('decideNextAttempt', () => {
  test('stops at what is settled, and gives a third attempt only to a time-out against a denial', () => {
    const decide = (...words: readonly string[]): string => decideNextAttempt(attempts(...words), DIRECT_BUDGET)
    expect(decide('a ok')).toBe('stop')
    expect(decide('a nodata')).toBe('stop')
    expect(decide('a nxdomain')).toBe('fallback')
    expect(decide('a timeout')).toBe('fallback')
    expect(decide('a nxdomain', 'b nxdomain')).toBe('stop')
    expect(decide('a timeout', 'b timeout')).toBe('stop')
    expect(decide('a timeout', 'b nxdomain')).toBe('fallback')
    expect(decide('a timeout', 'a nxdomain')).toBe('stop')
    expect(decide('a timeout', 'b nxdomain', 'c timeout')).toBe('stop')
    expect(decideNextAttempt(attempts('a timeout'), WILDCARD_BUDGET)).toBe('stop')
  })
})
