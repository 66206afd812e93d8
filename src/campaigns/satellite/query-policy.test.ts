import { describe, expect, test } from 'vitest'
import { nextQuery, type PairPolicy, type QueryOutcome } from './query-policy.ts'

const ANSWERED = { hasTypeA: true, rcode: 0 }
const NXDOMAIN = { hasTypeA: false, rcode: 3 }
const LOST = { hasTypeA: false, rcode: -1 }

/** What is asked when queries end as listed, the control queries first and last. */
function play(policy: PairPolicy, outcomes: readonly Omit<QueryOutcome, 'purpose'>[]): readonly string[] {
  const done: QueryOutcome[] = []
  const asked: string[] = []
  for (;;) {
    const purpose = nextQuery(policy, done)
    const outcome = outcomes[done.length]
    if (purpose === undefined || outcome === undefined) return asked
    asked.push(purpose)
    done.push({ purpose, ...outcome })
  }
}

describe('nextQuery', () => {
  test.each([
    ['v2.2', [ANSWERED, ANSWERED, LOST], ['control', 'test']],
    ['v2.2', [ANSWERED, NXDOMAIN, LOST], ['control', 'test']],
    ['v2.2', [LOST, LOST], ['control']],
    ['v2.2', [NXDOMAIN, LOST], ['control']],
    ['v2.2', [ANSWERED, LOST, LOST, NXDOMAIN, LOST], ['control', 'test', 'test', 'test']],
    [
      'v2.2',
      [ANSWERED, LOST, LOST, LOST, LOST, ANSWERED, LOST],
      ['control', 'test', 'test', 'test', 'test', 'control'],
    ],
    ['v2.0', [ANSWERED, ANSWERED, ANSWERED, LOST], ['control', 'test', 'control']],
    ['v2.0', [LOST, NXDOMAIN, ANSWERED, LOST, LOST], ['control', 'test', 'test', 'control']],
    [
      'v2.0',
      [ANSWERED, NXDOMAIN, LOST, NXDOMAIN, NXDOMAIN, LOST, LOST],
      ['control', 'test', 'test', 'test', 'test', 'control'],
    ],
    ['unanswered', [LOST, LOST, LOST, LOST, LOST], ['test', 'test', 'test', 'test']],
    ['unanswered', [LOST, ANSWERED, LOST], ['test', 'test']],
  ] as const)('asks as %s says when queries end as %j', (policy, outcomes, asked) => {
    expect(play(policy, outcomes)).toEqual(asked)
  })
})
