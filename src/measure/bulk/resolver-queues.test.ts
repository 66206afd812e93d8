import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../core/random.ts'
import { BulkSlots } from './bulk-slots.ts'
import { ResolverQueues, type BulkPace } from './resolver-queues.ts'

function createQueues(isPaced: readonly number[], pace: BulkPace): ResolverQueues {
  return new ResolverQueues(new BulkSlots(createSeededRandom('seed')), Uint8Array.from(isPaced), pace, 0)
}

function take(queues: ResolverQueues, nowMs: number): number[] {
  const into = new Int32Array(1000)
  queues.wake(nowMs)
  return [...into.subarray(0, queues.take(into, 0, nowMs))]
}

const NO_PACE = { rate: 0, perResolver: 0 }

describe('ResolverQueues', () => {
  test('sends no more than 16 queries to a resolver that has not answered yet', () => {
    const queues = createQueues([0], NO_PACE)
    for (let slot = 0; slot < 40; slot++) queues.push(slot, 0)
    expect(take(queues, 0)).toHaveLength(16)
    expect(take(queues, 1)).toHaveLength(0)
    queues.heard(0, 2, 1)
    expect(take(queues, 2)).toEqual([16])
  })
  test('sends a further burst to a resolver that is silent while others answer', () => {
    const queues = createQueues([0, 0], NO_PACE)
    for (let slot = 0; slot < 80; slot++) queues.push(slot, slot % 2)
    expect(take(queues, 0)).toHaveLength(32)
    queues.heard(1, 4, 1)
    expect(take(queues, 4)).toHaveLength(1)
    queues.heard(1, 49, 1)
    expect(take(queues, 50)).toHaveLength(17)
    expect(take(queues, 51)).toHaveLength(0)
    queues.heard(1, 54, 1)
    expect(take(queues, 56)).toHaveLength(9)
  })
  test('waits for longer when nobody answers, and when the resolver is far away', () => {
    const queues = createQueues([0], NO_PACE)
    for (let slot = 0; slot < 80; slot++) queues.push(slot, 0)
    take(queues, 0)
    expect(take(queues, 31)).toHaveLength(0)
    expect(take(queues, 32)).toHaveLength(16)
    for (let i = 0; i < 16; i++) queues.heard(0, 60, 200)
    expect(take(queues, 60)).toHaveLength(18)
    expect(take(queues, 300)).toHaveLength(0)
    expect(take(queues, 310)).toHaveLength(16)
  })
  test('gives the credit of an unanswered query back', () => {
    const queues = createQueues([0], NO_PACE)
    for (let slot = 0; slot < 80; slot++) queues.push(slot, 0)
    take(queues, 0)
    queues.missed(0)
    expect(take(queues, 1)).toEqual([16])
  })
  test('gives no more to a resolver whose answers slow down', () => {
    const queues = createQueues([0], NO_PACE)
    for (let slot = 0; slot < 60_000; slot++) queues.push(slot, 0)
    let outstanding = take(queues, 0).length
    for (let round = 0; round < 200; round++) {
      // One server, one answer after the other: a tenth of a millisecond each.
      for (let i = 0; i < outstanding; i++) queues.heard(0, round * 10, (i + 1) * 0.1)
      outstanding = take(queues, round * 10).length
    }
    expect(outstanding).toBeLessThan(60)
  })
  test('gives more to a resolver that answers, up to what a fresh socket holds', () => {
    const queues = createQueues([0], NO_PACE)
    for (let slot = 0; slot < 60_000; slot++) queues.push(slot, 0)
    let largest = 0
    let outstanding = take(queues, 0).length
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < outstanding; i++) queues.heard(0, round, 1)
      outstanding = take(queues, round).length
      largest = Math.max(largest, outstanding)
    }
    expect(largest).toBe(128)
  })
  test('keeps the pace of each resolver', () => {
    const queues = createQueues([1, 1], { rate: 0, perResolver: 50 })
    for (let slot = 0; slot < 200; slot++) queues.push(slot, slot % 2)
    let sent = 0
    for (let nowMs = 0; nowMs < 1000; nowMs++) sent += take(queues, nowMs).length
    expect(sent).toBeGreaterThanOrEqual(98)
    expect(sent).toBeLessThanOrEqual(102)
  })
  test('keeps the pace of all', () => {
    const queues = createQueues([1, 1, 1, 1], { rate: 100, perResolver: 50 })
    for (let slot = 0; slot < 400; slot++) queues.push(slot, slot % 4)
    let sent = 0
    for (let nowMs = 0; nowMs < 1000; nowMs++) sent += take(queues, nowMs).length
    expect(sent).toBeGreaterThanOrEqual(99)
    expect(sent).toBeLessThanOrEqual(102)
  })
  test('lets nobody wait for a resolver that is not its own', () => {
    const queues = createQueues([0, 1, 0], { rate: 0, perResolver: 1 })
    for (let slot = 0; slot < 30; slot++) queues.push(slot, slot % 3)
    expect(take(queues, 0).toSorted((a, b) => a - b)).toEqual(
      [...Array(30).keys()].filter((slot) => slot % 3 !== 1 || slot === 1),
    )
  })
  test('keeps the pace of prefixes and autonomous systems, and of those only where they are known', () => {
    const groups = {
      prefixOf: Int32Array.from([0, 0, 1, 2]),
      perPrefix: 20,
      asOf: Int32Array.from([0, 0, 0, -1]),
      perAs: 30,
    }
    const queues = createQueues([1, 1, 1, 1], { rate: 0, perResolver: 0, groups })
    for (let slot = 0; slot < 4000; slot++) queues.push(slot, slot % 4)
    const sent = [0, 0, 0, 0]
    for (let nowMs = 0; nowMs < 10_000; nowMs++)
      for (const slot of take(queues, nowMs)) sent[slot % 4] = (sent[slot % 4] ?? 0) + 1
    const [first = 0, second = 0, third = 0, fourth = 0] = sent
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1)
    expect(first + second).toBeGreaterThan(140)
    expect(first + second).toBeLessThanOrEqual(201)
    expect(first + second + third).toBeGreaterThan(290)
    expect(first + second + third).toBeLessThanOrEqual(301)
    expect(fourth).toBeGreaterThan(190)
    expect(fourth).toBeLessThanOrEqual(201)
  })
  test('knows for how long it has nothing to send', () => {
    const queues = createQueues([1], { rate: 0, perResolver: 50 })
    expect(queues.idleMs()).toBe(Number.POSITIVE_INFINITY)
    queues.push(0, 0)
    expect(queues.idleMs()).toBe(0)
  })
})
