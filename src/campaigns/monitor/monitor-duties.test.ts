import { describe, expect, test } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../../test/sim/virtual-clock.ts'
import { publicAddressPlan } from '../../core/address-plan.ts'
import { createSeededRandom } from '../../core/random.ts'
import { NO_MONITOR_EXTRAS, type MonitorExtras } from '../../model/monitor-name.ts'
import type { MonitorNotice } from '../../model/monitor-state.ts'
import type { Net } from '../../net/net.ts'
import { createDuties } from './monitor-duties.ts'

/** Duties over so many minutes. */
async function runMinutes(
  clock: VirtualClock,
  minutes: number,
  extras: Partial<MonitorExtras>,
  { status = () => 200, isWell = true }: { readonly status?: (beat: number) => number; readonly isWell?: boolean } = {},
): Promise<{ readonly beats: number; readonly told: readonly MonitorNotice[] }> {
  const told: MonitorNotice[] = []
  let beats = 0
  const http = {
    request: () => {
      beats += 1
      const reply = {
        kind: 'response',
        status: status(beats),
        headers: {},
        body: new Uint8Array(),
        elapsedMs: 1,
      } as const
      return Promise.resolve(reply)
    },
  }
  const plan = { names: [], resolvers: [], sinkholes: [], extras: { ...NO_MONITOR_EXTRAS, ...extras } }
  const duties = createDuties(
    { net: {} as Net, clock, random: createSeededRandom('duties'), addressPlan: publicAddressPlan, http },
    { plan, tell: (notice) => Promise.resolve(void told.push(notice)) },
    () => isWell,
  )
  for (let minute = 0; minute < minutes; minute++) {
    await clock.advance(60_000)
    await duties.run()
  }
  return { beats, told }
}

describe('createDuties', () => {
  test('calls the address of the heartbeat every minute, and not while this vantage is down', async () => {
    const extras = { heartbeatUrl: 'https://watchdog.zone.example/' }
    expect(await runMinutes(createVirtualClock(), 5, extras)).toEqual({ beats: 5, told: [] })
    expect(await runMinutes(createVirtualClock(), 5, extras, { isWell: false })).toEqual({ beats: 0, told: [] })
    expect(await runMinutes(createVirtualClock(), 5, {})).toEqual({ beats: 0, told: [] })
  })

  test('says once that nobody takes heartbeats, and again after one was taken', async () => {
    const extras = { heartbeatUrl: 'https://watchdog.zone.example/' }
    const { told } = await runMinutes(createVirtualClock(), 30, extras, { status: (beat) => (beat === 15 ? 200 : 500) })
    expect(told).toMatchObject([
      { event: 'info', channel: 'availability' },
      { event: 'info', channel: 'availability' },
    ])
  })

  test('proves once a day that messages arrive', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T07:30:00Z'))
    const { told } = await runMinutes(clock, 2 * 1_440, { selfTestMinute: 480 })
    expect(told.map(({ event, atMs }) => [event, new Date(atMs).toISOString()])).toEqual([
      ['test', '2026-01-31T08:00:00.000Z'],
      ['test', '2026-02-01T08:00:00.000Z'],
    ])
  })
})
