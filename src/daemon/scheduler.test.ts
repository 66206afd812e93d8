import { describe, expect, test } from 'vitest'
import { formatIsoTime } from '../core/clock.ts'
import { parseCronExpression } from '../core/cron-expression.ts'
import { silentLog } from '../core/log.ts'
import { createSeededRandom } from '../core/random.ts'
import { createVirtualClock, type VirtualClock } from '../../test/sim/virtual-clock.ts'
import { createScheduler, type ScheduleMemory, type ScheduledTask, type TaskStart } from './scheduler.ts'

const HOUR_MS = 3_600_000

function createMemory(): ScheduleMemory {
  const kept = new Map<string, number>()
  return {
    servedMs: (name, expression) => kept.get(`${name} ${expression}`),
    setServedMs: (name, expression, servedMs) => void kept.set(`${name} ${expression}`, servedMs),
  }
}

/** A scheduler with one task, which writes down when it was started. */
function createWorld(
  clock: VirtualClock,
  { memory = createMemory(), text = '15 */6 * * *', jitterMs = 0, answers = [] as TaskStart[] } = {},
) {
  const started: string[] = []
  const expression = parseCronExpression(text)
  if (expression === undefined) throw new Error(text)
  const task = (name: string, of = expression): ScheduledTask => ({
    name,
    expression: of,
    jitterMs,
    start: () => {
      const answer = answers.shift() ?? 'started'
      if (answer === 'started') started.push(formatIsoTime(clock.wallNowMs()).slice(5, 16))
      return Promise.resolve(answer)
    },
  })
  const scheduler = createScheduler({ clock, random: createSeededRandom('jitter'), log: silentLog, memory })
  scheduler.setTasks([task('exits')])
  return { scheduler, started, memory, task }
}

describe('createScheduler', () => {
  test('starts at the times of the expression, in UTC', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const world = createWorld(clock)
    await clock.advance(24 * HOUR_MS)
    expect(world.started).toEqual(['01-31T12:15', '01-31T18:15', '02-01T00:15', '02-01T06:15'])
    expect(world.scheduler.nextAtMs('exits')).toBe(Date.parse('2026-02-01T12:15:00Z'))
    expect(world.scheduler.nextAtMs('other')).toBeUndefined()
  })

  test('serves what was missed during sleep once', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const { started } = createWorld(clock)
    clock.jumpWall(50 * HOUR_MS)
    await clock.advance(60_000)
    expect(started).toEqual(['02-02T14:01'])
    await clock.advance(5 * HOUR_MS)
    expect(started).toEqual(['02-02T14:01', '02-02T18:15'])
  })

  test('starts nothing twice when the clock is set back', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:14:00Z'))
    const { started } = createWorld(clock)
    await clock.advance(2 * 60_000)
    clock.jumpWall(-HOUR_MS)
    await clock.advance(6 * HOUR_MS)
    expect(started).toEqual(['01-31T12:15'])
    await clock.advance(2 * HOUR_MS)
    expect(started).toEqual(['01-31T12:15', '01-31T18:15'])
  })

  test('begins anew when the clock was wrong by years', async () => {
    const clock = createVirtualClock(Date.parse('2031-01-31T12:14:00Z'))
    const { started } = createWorld(clock)
    await clock.advance(2 * 60_000)
    clock.jumpWall(Date.parse('2026-01-31T00:00:00Z') - clock.wallNowMs())
    await clock.advance(HOUR_MS)
    expect(started).toEqual(['01-31T12:15', '01-31T00:15'])
  })

  test('serves what was missed between two processes once, and a new schedule not at once', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const first = createWorld(clock)
    first.scheduler[Symbol.dispose]()
    clock.jumpWall(48 * HOUR_MS)
    await clock.advance(HOUR_MS)
    expect(first.started).toEqual([])
    const second = createWorld(clock, { memory: first.memory })
    const changed = createWorld(clock, { memory: first.memory, text: '0 4 * * *' })
    await clock.advance(60_000)
    expect(second.started).toEqual(['02-02T13:00'])
    expect(changed.started).toEqual([])
  })

  test('asks again within a minute when the task could not be started, and skips a time when it was busy', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const { started } = createWorld(clock, { answers: ['later', 'later', 'started', 'busy', 'started'] })
    await clock.advance(13 * HOUR_MS)
    expect(started).toEqual(['01-31T12:17', '02-01T00:15'])
  })

  test('delays by at most the jitter', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const { started } = createWorld(clock, { jitterMs: 600_000 })
    await clock.advance(48 * HOUR_MS)
    expect(started).toHaveLength(8)
    const minutes = started.map((time) => Number(time.slice(-2)))
    expect(minutes.every((minute) => minute >= 15 && minute <= 25)).toBe(true)
    expect(new Set(minutes).size).toBeGreaterThan(1)
  })

  test('keeps the time of a task whose expression is the same when all are replaced', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T12:00:00Z'))
    const { scheduler, started, task } = createWorld(clock, { jitterMs: 600_000 })
    const nextAtMs = scheduler.nextAtMs('exits')
    scheduler.setTasks([task('exits')])
    expect(scheduler.nextAtMs('exits')).toBe(nextAtMs)
    scheduler.setTasks([])
    await clock.advance(24 * HOUR_MS)
    expect(started).toEqual([])
  })
})
