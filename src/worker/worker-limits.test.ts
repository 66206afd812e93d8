import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lazyMinutes, secondsPerRound, WORKER_LIMITS, writesPerDay } from './worker-limits.ts'

const MANUAL = readFileSync(new URL('../../docs/manual/worker.md', import.meta.url), 'utf8')

describe('secondsPerRound', () => {
  test('is what the table of the manual says', () => {
    const rows = [...MANUAL.matchAll(/^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)].map((row) =>
      row.slice(1).map(Number),
    )
    expect(rows.length).toBeGreaterThan(20)
    for (const [names = 0, types = 0, resolvers = 0, free, paid] of rows) {
      const both = [WORKER_LIMITS.free, WORKER_LIMITS.paid].map((limits) =>
        secondsPerRound(limits, names * types, resolvers),
      )
      expect([names, types, resolvers, ...both]).toEqual([names, types, resolvers, free, paid])
    }
  })

  test('never falls when there is more to ask', () => {
    for (const resolvers of [2, 3, 5]) {
      let before = 0
      for (let names = 1; names < 400; names++) {
        const seconds = secondsPerRound(WORKER_LIMITS.free, names, resolvers)
        expect(seconds).toBeGreaterThanOrEqual(before)
        before = seconds
      }
    }
  })
})

describe('writesPerDay', () => {
  test('is what the manual says, and less than Cloudflare allows', () => {
    expect(MANUAL).toContain(`${writesPerDay(WORKER_LIMITS.free)} on the free plan`)
    expect(MANUAL).toContain(`${writesPerDay(WORKER_LIMITS.paid).toLocaleString('en')} on the paid one`)
    expect(MANUAL).toContain(`has ${WORKER_LIMITS.free.urgentWrites} of the ${writesPerDay(WORKER_LIMITS.free)}`)
    expect(writesPerDay(WORKER_LIMITS.free)).toBeLessThan(1_000)
  })
})

describe('lazyMinutes', () => {
  test.each([1, 2, 5, 40])('keeps %i batches within their writes', (batches) => {
    const minutes = lazyMinutes(WORKER_LIMITS.free, batches)
    expect((1_440 / minutes) * batches).toBeLessThanOrEqual(WORKER_LIMITS.free.lazyWrites)
  })
  test('is what the manual says', () => {
    expect([1, 2].map((batches) => lazyMinutes(WORKER_LIMITS.free, batches))).toEqual([4, 8])
    expect(MANUAL).toMatch(/every 4 minutes for up to 24 names and types,\s+every 8 for 48/)
  })
})
