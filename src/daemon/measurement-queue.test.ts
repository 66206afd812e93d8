import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { silentLog } from '../core/log.ts'
import type { MeasurementRequest } from '../model/daemon-control.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createMeasurementQueue, type Ask } from './measurement-queue.ts'

const REQUEST: MeasurementRequest = { name: 'www.zone.example', type: 'A', resolver: null, via: null }

function createWorld(ask: Ask) {
  const clock = createVirtualClock()
  let ids = 0
  return { clock, queue: createMeasurementQueue({ clock, log: silentLog, newId: () => `id-${ids++}`, ask }) }
}

describe('createMeasurementQueue', () => {
  test('asks, and keeps the record for an hour', async () => {
    const { clock, queue } = createWorld(() => Promise.resolve({ status: 'NOERROR' }))
    expect(queue.add(REQUEST)).toMatchObject({ id: 'id-0', state: 'running', request: REQUEST, record: null })
    await clock.advance(0)
    expect(queue.find('id-0')).toMatchObject({ state: 'done', record: { status: 'NOERROR' }, message: null })
    await clock.advance(3_600_001)
    expect(queue.find('id-0')).toBeUndefined()
  })

  test('asks four at once, lets 32 wait and turns away the rest', async () => {
    const waiting: (() => void)[] = []
    const { clock, queue } = createWorld(
      () =>
        new Promise((resolve) => {
          waiting.push(() => {
            resolve(null)
          })
        }),
    )
    const added = Array.from({ length: 40 }, () => queue.add(REQUEST))
    expect(added.filter((measurement) => measurement === undefined)).toHaveLength(4)
    expect(added.filter((measurement) => measurement?.state === 'running')).toHaveLength(4)
    await clock.advance(0)
    expect(waiting).toHaveLength(4)
    waiting[0]?.()
    await clock.advance(0)
    expect(waiting).toHaveLength(5)
    expect(queue.add(REQUEST)).toMatchObject({ state: 'waiting' })
  })

  test('gives up after its time, ends what it began, and goes on', async () => {
    const aborted: boolean[] = []
    const { clock, queue } = createWorld(
      (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(true)
            reject(new Error('ended'))
          })
        }),
    )
    for (let count = 0; count < 5; count++) queue.add(REQUEST)
    await clock.advance(30_000)
    expect(queue.find('id-0')).toMatchObject({ state: 'failed', message: 'There was no answer within 30 seconds.' })
    expect(aborted).toHaveLength(4)
    expect(queue.find('id-4')).toMatchObject({ state: 'running' })
  })

  test('says why a question was not asked', async () => {
    const { clock, queue } = createWorld(() => Promise.reject(new ConfigError('type', 'it is no type', 'AAAA')))
    queue.add(REQUEST)
    await clock.advance(0)
    expect(queue.find('id-0')).toMatchObject({ state: 'failed', message: 'type: it is no type; for example AAAA' })
  })

  test('hides a bug from whoever asks, and takes nothing after its stop', async () => {
    const { clock, queue } = createWorld(() => Promise.reject(new Error('/secret/path')))
    queue.add(REQUEST)
    await clock.advance(0)
    expect(queue.find('id-0')?.message).toBe('A bug of Candor; the log of the daemon has more.')
    queue.stop()
    expect(queue.add(REQUEST)).toBeUndefined()
  })
})
