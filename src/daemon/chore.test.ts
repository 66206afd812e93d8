import { describe, expect, test } from 'vitest'
import { silentLog } from '../core/log.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createChoreRunner } from './chore.ts'

describe('createChoreRunner', () => {
  test('tries what failed again every hour, and says meanwhile what is wrong', async () => {
    const clock = createVirtualClock()
    let runs = 0
    const chore = createChoreRunner(
      { clock, log: silentLog },
      {
        name: 'retention',
        run: () => (++runs < 3 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()),
      },
    )
    expect(chore.start()).toBe('started')
    await clock.advance(3_599_000)
    expect(chore.problem()).toContain('retention failed')
    expect(chore.start()).toBe('busy')
    expect(runs).toBe(1)
    await clock.advance(3_602_000)
    expect(runs).toBe(3)
    expect(chore.problem()).toBeNull()
    expect(chore.start()).toBe('started')
    await clock.advance(0)
    expect(runs).toBe(4)
  })

  test('ends what goes on, and begins nothing after that', async () => {
    const clock = createVirtualClock()
    const chore = createChoreRunner(
      { clock, log: silentLog },
      {
        name: 'import',
        run: (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              resolve()
            })
          }),
      },
    )
    chore.start()
    await clock.advance(0)
    await chore.stop()
    expect(chore.start()).toBe('busy')
  })
})
