import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import { createSeededRandom } from '../../core/random.ts'
import type { Exchange } from '../../model/observation.ts'
import { createResolverBudget } from './resolver-budget.ts'

const NEVER = new AbortController().signal
const oddities = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }
const answered: Exchange = { kind: 'responses', responses: [{ octets: new Uint8Array(), elapsedMs: 1 }], oddities }
const limited: Exchange = {
  kind: 'failure',
  operation: 'exchange',
  failure: 'http_unexpected_status_code: 429',
  side: 'resolver',
  elapsedMs: 1,
  oddities,
}

describe('createResolverBudget', () => {
  test('lets no second see more than the budget', async () => {
    const clock = createVirtualClock()
    const budget = createResolverBudget(clock, createSeededRandom('budget'), 5)
    const times: number[] = []
    const all = Array.from({ length: 30 }, () =>
      budget.spend(() => {
        times.push(clock.nowMs())
        return Promise.resolve(answered)
      }, NEVER),
    )
    await clock.advance(10_000)
    await Promise.all(all)
    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length))
    expect({ most, total: times.length, last: (times.at(-1) ?? 0) < 6_500 }).toEqual({ most: 5, total: 30, last: true })
  })

  test('leaves a resolver alone after HTTP 429, twice as long each time, and counts', async () => {
    const clock = createVirtualClock()
    const budget = createResolverBudget(clock, createSeededRandom('budget'), 100)
    let reply: Exchange = limited
    const ask = async (): Promise<Exchange | undefined> => {
      const asked = budget.spend(() => Promise.resolve(reply), NEVER)
      await clock.advance(100)
      return await asked
    }
    expect(await ask()).toBe(limited)
    expect(await ask()).toBeUndefined()
    await clock.advance(5_000)
    expect(await ask()).toBe(limited)
    await clock.advance(5_000)
    expect(await ask()).toBeUndefined()
    reply = answered
    await clock.advance(5_000)
    expect(await ask()).toBe(answered)
    expect(budget.counters()).toEqual({ asked: 3, limited: 2, held: 2 })
  })
})
