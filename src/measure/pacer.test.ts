import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createSeededRandom } from '../core/random.ts'
import { createPacer, type Pace } from './pacer.ts'

async function startTimes(pace: Pace, count: number, runMs: number): Promise<number[]> {
  const clock = createVirtualClock()
  const pacer = createPacer(clock, createSeededRandom('seed'), pace)
  const signal = new AbortController().signal
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    void pacer.next(signal).then(() => times.push(clock.nowMs()))
  }
  await clock.advance(runMs)
  return times
}

describe('createPacer', () => {
  test('pauses between starts, within the noise', async () => {
    const times = await startTimes({ delayMs: 2_000, noiseMs: 1_000, perSecond: 0 }, 20, 100_000)
    expect(times).toHaveLength(20)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(3_000)
    expect(new Set(gaps).size).toBeGreaterThan(5)
  })

  test('never exceeds the rate by more than its burst in any second', async () => {
    const times = await startTimes({ delayMs: 0, noiseMs: 0, perSecond: 5 }, 50, 20_000)
    expect(times).toHaveLength(50)
    for (const from of times.slice(5)) {
      expect(times.filter((time) => time >= from && time < from + 1_000).length).toBeLessThanOrEqual(6)
    }
  })

  test('lets everything through at once without a pace', async () => {
    expect(await startTimes({ delayMs: 0, noiseMs: 0, perSecond: 0 }, 100, 0)).toHaveLength(100)
  })

  test('says no to those who wait when the signal aborts', async () => {
    const clock = createVirtualClock()
    const pacer = createPacer(clock, createSeededRandom('seed'), { delayMs: 10_000, noiseMs: 0, perSecond: 0 })
    const abort = new AbortController()
    const answers: boolean[] = []
    for (let i = 0; i < 3; i++) void pacer.next(abort.signal).then((yes) => answers.push(yes))
    await clock.advance(5_000)
    abort.abort()
    await clock.advance(0)
    expect(answers).toEqual([true, false, false])
  })
})
