import { describe, expect, test } from 'vitest'
import type { AlertMessage } from '../model/alert.ts'
import { routeMessage, type RoutedChannel } from './route-message.ts'

const MESSAGE: AlertMessage = {
  id: 'monitor-20260131120000-new-0123456789abcdef',
  event: 'new',
  severity: 'high',
  campaign: 'monitor',
  createdAt: '2026-01-31T12:00:00.000Z',
  title: 'Shop: shop.zone.example/A has a new answer',
  lines: [],
  items: [],
  tags: ['channel:page', 'domain:shop.zone.example', 'category:web', 'owner:team-web'],
  contacts: [],
}

function channel(name: string, changes: Partial<RoutedChannel['settings']> = {}): RoutedChannel {
  return { settings: { name, minSeverity: 'info', events: [], subscribe: [], to: [], ...changes }, optedIn: new Set() }
}

function routed(tags: readonly string[], ...channels: readonly RoutedChannel[]): readonly string[] {
  return routeMessage({ ...MESSAGE, tags: [...MESSAGE.tags, ...tags] }, channels).map((route) => route.channel)
}

describe('routeMessage', () => {
  test('sends to the channels that a name gives, and to no other', () => {
    const [ops, other] = [channel('ops'), channel('other')]
    expect(routed([], ops, other)).toEqual(['ops', 'other'])
    expect(routed(['to:ops'], ops, other)).toEqual(['ops'])
    expect(routed(['to:ops', 'to:other'], ops, other)).toEqual(['ops', 'other'])
    expect(routed(['to:ops'], channel('ops', { minSeverity: 'critical' }))).toEqual([])
  })

  test.each([
    ['owner:team-web', ['ops']],
    ['category:web', ['ops']],
    ['domain:SHOP.zone.example', ['ops']],
    ['owner:team-mail', []],
  ])('lets a channel choose names by %s', (subscription, expected) => {
    expect(routed([], channel('ops', { subscribe: [subscription] }))).toEqual(expected)
  })
})
