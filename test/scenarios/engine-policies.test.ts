/** Each policy of the engine, on a clock of its own: caps, windows, rests, hedges, pauses. */
import { describe, expect, test } from 'vitest'
import { runEngine } from '../../src/measure/engine/run-engine.ts'
import type { EnginePolicy } from '../../src/measure/engine/engine-policy.ts'
import {
  mostInOneSecond,
  numbersOf,
  optionsOf,
  planOf,
  POLICY,
  runWorld,
  simulateResolvers,
  upTo,
  type World,
} from '../sim/engine-world.ts'
import { createVirtualClock } from '../sim/virtual-clock.ts'

describe('runEngine', () => {
  test('pauses for longer and longer after failures that come at once', async () => {
    const { seen } = await runWorld({
      tasks: 1,
      resolvers: 3,
      behave: () => ({ afterMs: 1, failure: 'connection_refused' }),
      policy: { retry: { ...POLICY.retry, attempts: 4, pauseMs: 100 } },
    })
    expect(seen.map(({ atMs }) => atMs)).toEqual([0, 101, 302, 703])
  })
  test('lets no second see more than each cap and one, retries and hedges counted', async () => {
    const groups = { prefixOf: Int32Array.of(0, 0, 1, 1), perPrefix: 20, asOf: Int32Array.of(0, 0, 0, -1), perAs: 30 }
    const { results, seen } = await runWorld({
      tasks: 150,
      resolvers: 4,
      behave: (resolver, task) => (task % 5 === 0 && resolver < 2 ? undefined : { afterMs: 200 }),
      policy: {
        caps: { rate: 40, perResolver: 15, groups },
        hedge: { quantile: 0.9, minMs: 100, maxMs: 150, share: 0.2 },
      },
    })
    expect(numbersOf(results)).toEqual(upTo(150))
    const timesOf = (isOne: (resolver: number) => boolean): number[] =>
      seen.filter(({ resolver }) => isOne(resolver)).map(({ atMs }) => atMs)
    for (const resolver of [0, 1, 2, 3])
      expect(mostInOneSecond(timesOf((it) => it === resolver))).toBeLessThanOrEqual(16)
    for (const prefix of [0, 1])
      expect(mostInOneSecond(timesOf((it) => groups.prefixOf[it] === prefix))).toBeLessThanOrEqual(21)
    expect(mostInOneSecond(timesOf((it) => it < 3))).toBeLessThanOrEqual(31)
    expect(mostInOneSecond(timesOf(() => true))).toBeLessThanOrEqual(41)
  })
  test('has no more in flight than the window, which opens with answers', async () => {
    const { inFlight } = await runWorld({ tasks: 2_000, resolvers: 1, behave: () => ({ afterMs: 50 }) })
    expect(inFlight.most).toBe(64)
  })
  test('finds what a resolver can take that loses what is too much', async () => {
    const lostOf = async (window: EnginePolicy['window']): Promise<number> => {
      const clock = createVirtualClock()
      const { resolvers, inFlight } = simulateResolvers(clock, 1, () =>
        inFlight.now > 20 ? undefined : { afterMs: 50 },
      )
      const consume = async (): Promise<number> => {
        let lost = 0
        const options = optionsOf(clock, resolvers, planOf(3_000), { window, retry: { ...POLICY.retry, attempts: 1 } })
        for await (const { answer } of runEngine(options)) if (answer === undefined) lost++
        return lost
      }
      const consuming = consume()
      await clock.advance(200_000)
      return await consuming
    }
    const [adaptive, fixed] = [
      await lostOf({ start: 16, min: 1, max: 64 }),
      await lostOf({ start: 64, min: 64, max: 64 }),
    ]
    expect(adaptive).toBeGreaterThan(0)
    expect(adaptive).toBeLessThan(fixed / 3)
  })
  test('leaves dead resolvers alone, and what waits for them goes to others', async () => {
    const cooldown = {
      failuresInARow: 4,
      failureShare: 0,
      lookedBack: 1,
      outcomesMin: 1,
      restMs: 1_000,
      restMsMax: 8_000,
      answersWanted: 1,
      forgetMs: 60_000,
    }
    const rests: number[] = []
    const world: World = {
      tasks: 600,
      resolvers: 4,
      behave: (resolver) => (resolver === 1 ? undefined : { afterMs: 20 }),
      policy: { cooldown, caps: { rate: 60, perResolver: 0 } },
      changes: { onRest: (resolver) => rests.push(resolver) },
    }
    const { results, seen } = await runWorld(world)
    expect(results.every(({ answer }) => answer !== undefined)).toBe(true)
    expect(new Set(rests)).toEqual(new Set([1]))
    const dead = seen.filter(({ resolver }) => resolver === 1)
    // Those that were in flight before the first rest, and one probe for each rest.
    expect(dead.length).toBeLessThanOrEqual(20 + rests.length)
    const without = await runWorld({ ...world, policy: { caps: { rate: 60, perResolver: 0 } } })
    expect(without.seen.filter(({ resolver }) => resolver === 1).length).toBeGreaterThan(dead.length * 4)
  })
  test('asks a second resolver of another network when the first is slow, within the budget', async () => {
    const groups = { prefixOf: Int32Array.of(0, 0, 1), perPrefix: 0, asOf: Int32Array.of(-1, -1, -1), perAs: 0 }
    const hedge = { quantile: 0.9, minMs: 100, maxMs: 150, share: 0.1 }
    const { results, seen } = await runWorld({
      tasks: 400,
      resolvers: 3,
      behave: (resolver, task) => ({ afterMs: resolver === 0 && task % 2 === 0 ? 400 : 10 }),
      policy: { hedge, caps: { rate: 100, perResolver: 0, groups } },
    })
    const hedged = results.filter(({ attempts }) => attempts.some(({ reason }) => reason === 'hedge'))
    expect(hedged.length).toBeGreaterThan(20)
    for (let firsts = 0, hedges = 0, i = 0; i < seen.length; i++) {
      const isHedge = seen.slice(0, i).some(({ task }) => task === seen[i]?.task)
      if (isHedge) hedges++
      else firsts++
      expect(hedges).toBeLessThanOrEqual(firsts * 0.1 + 1e-9)
    }
    for (const { attempts, answer } of hedged) {
      expect(attempts).toHaveLength(2)
      expect(answer?.attempt).toMatchObject({ reason: 'hedge', resolver: 2 })
      const first = attempts.find(({ reason }) => reason === 'first')
      expect(first?.exchange).toMatchObject({ kind: 'failure', failure: 'interrupted' })
    }
  })
  test('counts a hedge as an attempt', async () => {
    const hedge = { quantile: 0.9, minMs: 100, maxMs: 100, share: 1 }
    const { results } = await runWorld({ tasks: 1, resolvers: 5, behave: () => undefined, policy: { hedge } })
    expect(results[0]?.attempts.map(({ reason }) => reason).toSorted()).toEqual(['first', 'hedge', 'retry'])
  })
})
