import { describe, expect, test } from 'vitest'
import type { ExitIncident, IncidentStatus } from '../model/incident.ts'
import { composeDigest } from './daily-digest.ts'

const NOW_MS = Date.parse('2026-01-31T08:00:00Z')

function incident(number: number, status: IncidentStatus, openedAt: string, closedAt: string | null): ExitIncident {
  return {
    id: `i${number}`,
    campaign: 'exits',
    fingerprint: `F${number}`,
    family: number === 9 ? 'ipv6' : 'ipv4',
    status,
    severity: 'medium',
    nickname: `exit${number}`,
    exitAddress: '198.51.100.1',
    operator: null,
    contact: null,
    relayFamily: [],
    failureType: 'timeout',
    firstSeen: '2026-01-29T00:00:00.000Z',
    lastSeen: '2026-01-31T06:00:00.000Z',
    consecutiveCount: 5,
    openedAt,
    closedAt,
    toldAt: openedAt,
    reminders: 0,
    runs: [],
  }
}

describe('composeDigest', () => {
  test('says what is open, what began and ended in a day, and what was not delivered', () => {
    const [before, today] = ['2026-01-29T12:00:00.000Z', '2026-01-30T18:00:00.000Z']
    const message = composeDigest({
      day: '2026-01-31',
      nowMs: NOW_MS,
      incidents: [
        incident(1, 'open', before, null),
        incident(9, 'open', today, null),
        incident(2, 'recovered', before, today),
        incident(3, 'lapsed', before, today),
      ],
      notes: [],
      channels: [
        {
          channel: 'ops',
          waiting: 0,
          sent: 3,
          dead: 2,
          oldestWaitingAtMs: null,
          lastError: null,
          lastErrorAtMs: null,
          lastSentAtMs: null,
        },
      ],
    })
    expect(message).toMatchObject({ id: 'digest-2026-01-31', event: 'digest', severity: 'info' })
    expect(message.title).toBe('2026-01-31: 2 open incidents')
    expect(message.lines).toEqual([
      'In the last 24 hours 1 began, 1 ended, 1 lapsed because nothing more was seen.',
      '2 alerts could not be delivered: `candor alerts list --dead` shows why.',
    ])
    expect(message.items.map(({ text }) => text)).toEqual([
      'exit1 198.51.100.1: timeout since 2026-01-29 00:00 UTC',
      'exit9 198.51.100.1: timeout (AAAA) since 2026-01-29 00:00 UTC',
    ])
  })

  test('says that nothing is wrong when nothing is', () => {
    const message = composeDigest({ day: '2026-01-31', nowMs: NOW_MS, incidents: [], notes: [], channels: [] })
    expect(message.title).toBe('2026-01-31: 0 open incidents')
    expect(message.lines).toHaveLength(1)
  })

  test('has what campaigns kept for it, the newest fifty', () => {
    const notes = Array.from({ length: 60 }, (_, index) => ({ text: `note ${index}`, data: { campaign: 'monitor' } }))
    const message = composeDigest({ day: '2026-01-31', nowMs: NOW_MS, incidents: [], notes, channels: [] })
    expect(message.title).toBe('2026-01-31: 0 open incidents, 60 notes')
    expect(message.items).toHaveLength(50)
    expect(message.items[0]).toEqual({ text: 'note 0', url: null, data: { campaign: 'monitor' } })
    expect(message.lines).toContain('Of the notes the newest 50 are here; the pages have all.')
  })
})
