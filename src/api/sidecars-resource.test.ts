import { describe, expect, test } from 'vitest'
import type { Sidecar, SidecarStatus } from '../model/sidecar.ts'
import type { Handled, Operation, Refusal } from './operation.ts'
import { createSidecarsResource } from './sidecars-resource.ts'

const STATUS: SidecarStatus = {
  name: 'smartdns',
  phase: 'running',
  pid: 4_711,
  startedAt: '2026-01-31T12:00:00.000Z',
  isAdopted: true,
  crashes: 2,
  lastEnd: 'It ended by itself: signal SIGKILL',
  nextStartAt: null,
  reloadGapMs: 118,
  problem: null,
  observed: 12,
  malformed: 0,
}

function createSidecar(orders: string[], phaseAfter: SidecarStatus['phase']): Sidecar {
  let phase: SidecarStatus['phase'] = STATUS.phase
  const order = (name: string) => (): Promise<void> => {
    orders.push(name)
    phase = phaseAfter
    return Promise.resolve()
  }
  return {
    status: () => ({ ...STATUS, phase }),
    configuration: () => 'bind 127.0.0.1:5300\n',
    log: () => Promise.resolve(['one', 'two']),
    start: order('start'),
    stop: order('stop'),
    reload: order('reload'),
  }
}

function call(operations: readonly Operation[], id: string, name: string): Promise<Handled<unknown> | Refusal> {
  const operation = operations.find((each) => each.id === id)
  if (operation === undefined) throw new Error(`no operation ${id}`)
  return operation.handle({ path: { name }, query: {}, parameters: new URLSearchParams(), body: undefined })
}

describe('createSidecarsResource', () => {
  test('gives state, configuration and log in the names of the API', async () => {
    const operations = createSidecarsResource([createSidecar([], 'running')])
    expect(await call(operations, 'getSidecar', 'smartdns')).toEqual({
      body: {
        name: 'smartdns',
        phase: 'running',
        pid: 4_711,
        started_at: '2026-01-31T12:00:00.000Z',
        adopted: true,
        crashes: 2,
        last_end: 'It ended by itself: signal SIGKILL',
        next_start_at: null,
        reload_gap_ms: 118,
        problem: null,
        observed: 12,
        malformed: 0,
      },
    })
    expect(await call(operations, 'getSidecarLog', 'smartdns')).toEqual({ body: { lines: ['one', 'two'] } })
    expect(await call(operations, 'getSidecarConfiguration', 'smartdns')).toEqual({
      body: { configuration: 'bind 127.0.0.1:5300\n' },
    })
  })

  test('carries out orders, and says when one did not help', async () => {
    const orders: string[] = []
    const well = createSidecarsResource([createSidecar(orders, 'running')])
    await call(well, 'reloadSidecar', 'smartdns')
    await call(well, 'startSidecar', 'smartdns')
    const ill = createSidecarsResource([createSidecar(orders, 'waiting')])
    expect(await call(ill, 'startSidecar', 'smartdns')).toMatchObject({ problem: 'unavailable' })
    expect(await call(ill, 'stopSidecar', 'smartdns')).toMatchObject({ body: { phase: 'waiting' } })
    expect(orders).toEqual(['reload', 'start', 'start', 'stop'])
  })

  test('knows no other child', async () => {
    const operations = createSidecarsResource([createSidecar([], 'running')])
    for (const { id } of operations.filter(({ path }) => path.includes('{name}')))
      expect(await call(operations, id, 'sing-box')).toMatchObject({ problem: 'not-found' })
  })
})
