import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  numbersOf,
  optionsOf,
  planOf,
  POLICY,
  runWorld,
  simulateResolvers,
  upTo,
  type Behave,
  type World,
} from '../../../test/sim/engine-world.ts'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import { createSeededRandom, randomInt } from '../../core/random.ts'
import type { EngineTask } from './engine-task.ts'
import { runEngine } from './run-engine.ts'

describe('runEngine', () => {
  test('gives each question one result, and asks the same resolvers for the same seed', async () => {
    const world: World = { tasks: 500, resolvers: 7, behave: (_resolver, task) => ({ afterMs: 5 + (task % 11) }) }
    const once = await runWorld(world)
    const again = await runWorld(world)
    expect(numbersOf(once.results)).toEqual(upTo(500))
    expect(once.results.every(({ answer, attempts }) => answer !== undefined && attempts.length === 1)).toBe(true)
    expect(once.seen).toEqual(again.seen)
    expect(once.seen.filter(({ resolver }) => resolver === 3).length).toBeGreaterThan(60)
  })
  test('asks another resolver what was not answered, for as long as the policy says', async () => {
    const { results, seen, endedAtMs } = await runWorld({ tasks: 1, resolvers: 5, behave: () => undefined })
    expect(results[0]).toMatchObject({ answer: undefined, isCut: false })
    expect(results[0]?.attempts.map(({ reason }) => reason)).toEqual(['first', 'retry', 'retry'])
    expect(new Set(seen.map(({ resolver }) => resolver)).size).toBe(3)
    expect(seen.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500])
    expect(endedAtMs).toBeLessThanOrEqual(3_550)
  })
  test('asks only its own resolver where a question has one', async () => {
    const { seen } = await runWorld({ tasks: 1, resolvers: 5, behave: () => undefined, pinned: 4 })
    expect(seen.map(({ resolver }) => resolver)).toEqual([4, 4, 4])
  })
  test('retries the failures of the policy and no others', async () => {
    const refuse: Behave = () => ({ afterMs: 1, failure: 'connection_refused' })
    const retry = { ...POLICY.retry, failures: ['generic_timeout_error'] as const }
    const never = await runWorld({ tasks: 1, resolvers: 3, behave: refuse, policy: { retry } })
    expect(never.results[0]?.attempts).toHaveLength(1)
    const silent = await runWorld({ tasks: 1, resolvers: 3, behave: () => undefined, policy: { retry } })
    expect(silent.results[0]?.attempts).toHaveLength(3)
  })
  test('asks again for the RCODEs of the policy, and keeps such an answer where none is better', async () => {
    const retry = { ...POLICY.retry, rcodes: [2] }
    const policy = { retry }
    const better = await runWorld({
      tasks: 1,
      resolvers: 3,
      behave: (_resolver, _task, { timeoutMs }) => ({ afterMs: 1, rcode: timeoutMs === 500 ? 2 : 3 }),
      policy,
    })
    expect(better.results[0]?.answer?.response.octets[3]).toBe(3)
    expect(better.results[0]?.attempts).toHaveLength(2)
    const worse = await runWorld({ tasks: 1, resolvers: 3, behave: () => ({ afterMs: 1, rcode: 2 }), policy })
    expect(worse.results[0]?.answer?.response.octets[3]).toBe(2)
    expect(worse.results[0]?.attempts).toHaveLength(3)
  })
  test('asks the same resolver over TCP what was truncated, and does not count that as an attempt', async () => {
    const { results, seen } = await runWorld({
      tasks: 20,
      resolvers: 3,
      behave: (_resolver, task, { isOverTcp }) =>
        isOverTcp && task === 7 ? undefined : { afterMs: 1, isTruncated: !isOverTcp },
    })
    for (const { task, attempts } of results.filter((result) => result.task.number !== 7)) {
      expect(attempts.map(({ reason }) => reason)).toEqual(['first', 'truncated'])
      expect(new Set(seen.filter((one) => one.task === task.number).map(({ resolver }) => resolver)).size).toBe(1)
    }
    const failed = results.find(({ task }) => task.number === 7)
    const reasons = ['first', 'truncated', 'retry', 'truncated', 'retry', 'truncated']
    expect(failed?.attempts.map(({ reason }) => reason)).toEqual(reasons)
    expect(failed?.answer).toBeUndefined()
  })
  test('takes what cannot be used for no answer', async () => {
    let looked = 0
    const { results } = await runWorld({
      tasks: 1,
      resolvers: 2,
      behave: () => ({ afterMs: 1 }),
      changes: { isUsable: () => ++looked === 2 },
    })
    expect(results[0]?.attempts.map(({ reason }) => reason)).toEqual(['first', 'retry'])
    expect(results[0]?.answer?.attempt).toBe(results[0]?.attempts[1])
  })
  test('begins no more than the reader leaves room for', async () => {
    const clock = createVirtualClock()
    const { resolvers, seen } = simulateResolvers(clock, 3, () => ({ afterMs: 1 }))
    const results = runEngine(optionsOf(clock, resolvers, planOf(1_000), { tasksMax: 10 }))
    const first = results.next()
    await clock.advance(1_000)
    await first
    await clock.advance(60_000)
    expect(seen.length).toBeLessThanOrEqual(11)
    await results.return()
  })
  test('begins nothing after the deadline, cuts off what is in flight after the grace, and ends', async () => {
    const { results, seen, endedAtMs } = await runWorld({
      tasks: 10_000,
      resolvers: 2,
      behave: (_resolver, task) => (task % 3 === 0 ? undefined : { afterMs: 30 }),
      policy: { deadlineMs: 2_000, graceMs: 700, caps: { rate: 100, perResolver: 0 } },
    })
    expect(endedAtMs).toBeLessThanOrEqual(2_750)
    const firsts = new Set<number>()
    for (const { task, atMs } of seen) {
      expect(firsts.has(task) || atMs <= 2_000).toBe(true)
      firsts.add(task)
    }
    expect(numbersOf(results)).toEqual([...firsts].toSorted((a, b) => a - b))
    expect(results.some(({ isCut }) => isCut)).toBe(true)
    expect(results.filter(({ isCut }) => isCut).every(({ answer }) => answer === undefined)).toBe(true)
  })
  test('lets nothing new begin when the signal aborts, and finishes what is in flight', async () => {
    const abort = new AbortController()
    const { results, seen } = await runWorld({
      tasks: 1_000,
      resolvers: 2,
      behave: (_resolver, task) => {
        if (task === 50) abort.abort()
        return { afterMs: 30 }
      },
      changes: { signal: abort.signal },
    })
    expect(results.every(({ answer, isCut }) => answer !== undefined && !isCut)).toBe(true)
    expect(results).toHaveLength(seen.length)
    expect(seen.length).toBeLessThan(100)
  })
  test('ends with the signal also while the plan says nothing', async () => {
    const clock = createVirtualClock()
    const abort = new AbortController()
    const { resolvers } = simulateResolvers(clock, 1, () => ({ afterMs: 1 }))
    const silent: AsyncIterable<EngineTask<null>> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    }
    const results = runEngine({ ...optionsOf(clock, resolvers, silent), signal: abort.signal })
    const first = results.next()
    await clock.advance(100)
    abort.abort()
    expect(await first).toEqual({ done: true, value: undefined })
  })
  test('ends what is in flight when the reader goes', async () => {
    const clock = createVirtualClock()
    const { resolvers, inFlight, seen } = simulateResolvers(clock, 2, (_resolver, task) => ({
      afterMs: task === 0 ? 1 : 400,
    }))
    const consume = async (): Promise<void> => {
      const options = optionsOf(clock, resolvers, planOf(1_000))
      for await (const { task } of runEngine(options)) {
        expect(task.number).toBe(0)
        break
      }
    }
    const consuming = consume()
    await clock.advance(5)
    await consuming
    const asked = seen.length
    expect(inFlight.now).toBe(0)
    await clock.advance(60_000)
    expect(seen).toHaveLength(asked)
  })
  test('hands each result to the journal before the reader', async () => {
    const order: string[] = []
    const { results } = await runWorld({
      tasks: 3,
      resolvers: 1,
      behave: () => ({ afterMs: 1 }),
      changes: {
        journal: async ({ task }) => {
          await Promise.resolve()
          order.push(`journal ${task.number}`)
        },
      },
    })
    expect(order).toEqual(results.map(({ task }) => `journal ${task.number}`))
  })
  test('passes on what a resolver, the plan or the journal throws', async () => {
    const clock = createVirtualClock()
    const broken = { hasTcp: false, ask: () => Promise.reject(new Error('resolver')) }
    const base = optionsOf(clock, [broken], planOf(3))
    await expect(runEngine(base).next()).rejects.toThrow('resolver')
    const tasks: AsyncIterable<EngineTask<null>> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('plan')) }),
    }
    await expect(runEngine({ ...base, tasks }).next()).rejects.toThrow('plan')
  })
  test('gives each question one result and ends, whatever resolvers do', async () => {
    const seeds = fc.string({ minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 5 }), fc.boolean(), async (seed, count, isHedged) => {
        const random = createSeededRandom(seed)
        const behave: Behave = () => {
          const kind = randomInt(random, 6)
          if (kind === 0) return undefined
          if (kind === 1) return { afterMs: randomInt(random, 900), failure: 'connection_refused' }
          return { afterMs: randomInt(random, 900), rcode: kind === 2 ? 2 : 0, isTruncated: kind === 3 }
        }
        const { results, endedAtMs } = await runWorld({
          tasks: 60,
          resolvers: count,
          behave,
          policy: {
            retry: { ...POLICY.retry, rcodes: [2] },
            hedge: isHedged ? { quantile: 0.5, minMs: 10, maxMs: 300, share: 0.5 } : null,
            tasksMax: 20,
          },
        })
        expect(numbersOf(results)).toEqual(upTo(60))
        expect(results.every(({ attempts }) => attempts.length >= 1 && attempts.length <= 6)).toBe(true)
        expect(endedAtMs).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 25 },
    )
  })
})
