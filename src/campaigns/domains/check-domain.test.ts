import { describe, expect, test } from 'vitest'
import { Hedges } from '../../measure/engine/hedges.ts'
import type { AttemptOutcome } from '../../model/domain.ts'
import { DIRECT_BUDGET, WILDCARD_BUDGET, type AttemptBudget } from '../../verdicts/domain-outcome.ts'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import { checkDomain, type DomainCheck } from './check-domain.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'
import { ResolverPool } from './resolver-pool.ts'

/** What a resolver says, and after how many milliseconds. */
type Says = readonly [outcome: AttemptOutcome, afterMs: number]

interface Checked {
  readonly check: DomainCheck
  readonly elapsedMs: number
}

/** Checks a name with resolvers of operators a, b, c…; `hedged` questions fill the budget of hedges before. */
async function check(says: readonly Says[], budget: AttemptBudget = DIRECT_BUDGET, hedged = 10): Promise<Checked> {
  const clock = createVirtualClock()
  const resolvers = says.map((_, at): DomainResolver => {
    const name = String.fromCodePoint(97 + at)
    const endpoint = { address: `192.0.2.${at + 1}`, port: 53 }
    return { name, operator: name, target: { transport: 'udp', endpoint }, perSecond: 0 }
  })
  const pool = new ResolverPool(resolvers, clock, undefined)
  const hedges = new Hedges(says.length, { quantile: 0.9, minMs: 100, maxMs: 150, share: 0.1 })
  for (let i = 0; i < hedged; i++) hedges.asked()
  let result: DomainCheck | undefined
  let endedMs = 0
  const done = checkDomain(
    {
      clock,
      pool,
      hedges,
      mayHedge: () => true,
      onAttempt: () => {},
      signal: new AbortController().signal,
      ask: (resolver, _name, timeoutMs, signal) =>
        new Promise((resolve) => {
          const [outcome, afterMs] = says[resolvers.indexOf(resolver)] as Says
          const end = (said: AttemptOutcome, rttMs: number | null): void => {
            const addresses = said === 'ok' ? ['192.0.2.80'] : []
            resolve({ outcome: said, addresses, ttlSeconds: 60, negativeSeconds: 0, rttMs })
          }
          const isLate = outcome === 'timeout' || afterMs > timeoutMs
          clock.setTimer(isLate ? timeoutMs : afterMs, () => {
            end(isLate ? 'timeout' : outcome, isLate ? null : afterMs)
          })
          signal.addEventListener('abort', () => {
            end('unsent', null)
          })
        }),
    },
    { name: 'shop.zone.example' },
    budget,
  ).then((found) => {
    result = found
    endedMs = clock.nowMs()
  })
  await clock.advance(10_000)
  await done
  if (result === undefined) throw new Error('the check did not end')
  return { check: result, elapsedMs: endedMs }
}

const outcomes = ({ check: { attempts } }: Checked): readonly string[] => attempts.map(({ outcome }) => outcome)

describe('checkDomain', () => {
  test('stops at the first address', async () => {
    const checked = await check([
      ['ok', 20],
      ['ok', 20],
    ])
    expect([outcomes(checked), checked.elapsedMs]).toEqual([['ok'], 20])
    expect(checked.check).toMatchObject({ outcome: 'OK', isExhausted: false, addresses: [{ source: 'a' }] })
  })

  test('asks a second operator beside a slow one, as an attempt, and drops the slow one', async () => {
    const checked = await check([
      ['ok', 500],
      ['ok', 30],
    ])
    // Nothing is known of the times of the first: its 90th percentile counts as the longest.
    expect(checked.elapsedMs).toBe(180)
    expect(checked.check.attempts.map(({ resolver, isHedge, outcome }) => [resolver, isHedge, outcome])).toEqual([
      ['b', true, 'ok'],
      ['a', false, 'unsent'],
    ])
  })

  test('hedges one question of ten at most', async () => {
    const checked = await check([['ok', 500], ['ok', 30]], DIRECT_BUDGET, 8) // prettier-ignore
    expect([outcomes(checked), checked.elapsedMs]).toEqual([['ok'], 500])
  })

  test('keeps to 600 ms for an attempt and 1,200 ms in all', async () => {
    const checked = await check([['timeout', 0], ['timeout', 0], ['timeout', 0]], DIRECT_BUDGET, 0) // prettier-ignore
    expect([outcomes(checked), checked.elapsedMs]).toEqual([['timeout', 'timeout'], 1_200])
    expect(checked.check).toMatchObject({ outcome: 'TIMEOUT', isExhausted: true })
  })

  test('gives a third attempt to a time-out against a denial, if there is time', async () => {
    const torn = await check([['nxdomain', 10], ['nxdomain', 10], ['timeout', 0]], DIRECT_BUDGET, 0) // prettier-ignore
    expect(outcomes(torn)).toEqual(['nxdomain', 'timeout', 'nxdomain'])
    expect(torn.check).toMatchObject({ outcome: 'NX2', isExhausted: false })
  })

  test('takes one attempt for a wildcard', async () => {
    const checked = await check([['timeout', 0], ['ok', 10]], WILDCARD_BUDGET) // prettier-ignore
    expect(outcomes(checked)).toEqual(['timeout'])
  })

  test('asks nobody twice, and judges nothing where nobody can be asked', async () => {
    expect(outcomes(await check([['nxdomain', 10]]))).toEqual(['nxdomain'])
    expect((await check([])).check).toMatchObject({ outcome: undefined, attempts: [] })
  })
})
