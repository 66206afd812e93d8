import { describe, expect, test } from 'vitest'
import { createMonitorFixture } from '../../test/web-fixtures/monitor-fixture.ts'
import { createOwnerReach } from './owner-reach.ts'

const NOW_MS = Date.parse('2026-01-31T12:00:00Z')

describe('createOwnerReach', () => {
  const monitor = createMonitorFixture(NOW_MS)
  const reach = createOwnerReach(monitor)
  const may = (path: string, owner = 'team-web'): Promise<boolean> => reach(new URL(path, 'http://localhost'), owner)

  test.each([
    '/assets/candor.css',
    '/monitor/owners/team-web',
    '/monitor/names/shop.zone.example/A?span=week',
    '/api/v1/monitors?owner=team-web',
    '/api/v1/monitors/SHOP.zone.example/a/rounds',
    '/incidents/monitor-ab54ab54ab54ab54-1769855400000',
  ])('lets an owner read %s', async (path) => {
    expect(await may(path)).toBe(true)
  })

  test.each([
    '/',
    '/monitor',
    '/exits',
    '/metrics',
    '/incidents',
    '/api/v1/monitors',
    '/api/v1/monitors?owner=team-web&owner=other',
    '/api/v1/incidents',
    '/monitor/owners/other',
    '/monitor/names/mail.zone.example/MX',
    '/monitor/names/absent.zone.example/A',
    '/monitor/owners/%ff',
  ])('keeps an owner from %s', async (path) => {
    expect(await may(path)).toBe(false)
  })

  test('keeps another owner from names and incidents', async () => {
    expect(await may('/monitor/names/shop.zone.example/A', 'other')).toBe(false)
    expect(await may('/incidents/monitor-ab54ab54ab54ab54-1769855400000', 'other')).toBe(false)
    expect(await createOwnerReach(undefined)(new URL('http://localhost/monitor/owners/other'), 'other')).toBe(false)
  })
})
