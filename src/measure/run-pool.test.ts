import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { sleep } from '../core/clock.ts'
import { runPool } from './run-pool.ts'

const never = new AbortController().signal

describe('runPool', () => {
  test('keeps at most so many in flight and yields one result for each item', async () => {
    const clock = createVirtualClock()
    let inFlight = 0
    let most = 0
    const results: number[] = []
    const consume = async (): Promise<void> => {
      for await (const result of runPool(
        Array.from({ length: 30 }, (_, i) => i),
        {
          inFlight: 4,
          signal: never,
          work: async (item) => {
            most = Math.max(most, ++inFlight)
            await sleep(clock, 10 + ((item * 7) % 13))
            inFlight--
            return item
          },
        },
      )) {
        results.push(result)
      }
    }
    const done = consume()
    await clock.advance(10_000)
    await done
    expect(most).toBe(4)
    expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i))
  })

  test('starts nothing while nobody takes results', async () => {
    let started = 0
    const pool = runPool([1, 2, 3, 4, 5, 6], {
      inFlight: 2,
      signal: never,
      work: (item) => {
        started++
        return Promise.resolve(item)
      },
    })
    await pool.next()
    await Promise.resolve()
    expect(started).toBe(2)
    await pool.next()
    expect(started).toBe(3)
    await pool.return()
  })

  test('starts nothing after the signal, and finishes what is in flight', async () => {
    const abort = new AbortController()
    const results: number[] = []
    for await (const result of runPool([1, 2, 3, 4], {
      inFlight: 2,
      signal: abort.signal,
      work: (item) => Promise.resolve(item),
    })) {
      results.push(result)
      abort.abort()
    }
    expect(results).toEqual([1, 2])
  })

  test('passes a rejection on after the others have finished', async () => {
    const clock = createVirtualClock()
    let finished = 0
    const consume = async (): Promise<void> => {
      const pool = runPool([1, 2], {
        inFlight: 2,
        signal: never,
        work: async (item) => {
          await sleep(clock, item * 100)
          if (item === 1) throw new Error('first')
          finished++
          return item
        },
      })
      for await (const result of pool) expect(result).toBe(2)
    }
    const done = consume().catch((error: unknown) => error)
    await clock.advance(1_000)
    expect(await done).toEqual(new Error('first'))
    expect(finished).toBe(1)
  })
})
