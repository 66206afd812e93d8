import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createMonitorFixture } from '../../test/web-fixtures/monitor-fixture.ts'
import { createMonitorPulse } from './monitor-pulse.ts'

describe('createMonitorPulse', () => {
  test('tells when a name stands otherwise, and nothing while only time goes on', async () => {
    const clock = createVirtualClock()
    const names = createMonitorFixture(0).names()
    let shown = names
    const pulse = createMonitorPulse({ names: () => shown }, clock)
    let changes = 0
    const stop = pulse.start(() => {
      changes += 1
    })
    expect(JSON.parse(pulse.describe())).toMatchObject({
      names: 4,
      standings: { incident: 1, steady: 1 },
      open: [{ name: 'shop.zone.example/A', subject: 'K3', severity: 'critical', acknowledged: false }],
    })
    await clock.advance(20_000)
    expect(changes).toBe(0)
    shown = names.map((view) => ({ ...view, standing: 'steady', open: [] }))
    await clock.advance(20_000)
    expect(changes).toBe(1)
    stop()
    shown = names
    await clock.advance(20_000)
    expect(changes).toBe(1)
  })
})
