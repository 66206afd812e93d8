import { describe, expect, test } from 'vitest'
import type { ExitIncident } from '../model/incident.ts'
import { composeExitMessages, toExitAlertPayload } from './exit-alert-messages.ts'
import type { ExitIncidentEvent } from './exit-incidents.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 12, 10)
const print = (number: number): string => number.toString(16).toUpperCase().padStart(40, '0')

function incident(number: number, changes: Partial<ExitIncident> = {}): ExitIncident {
  return {
    id: `exits-${print(number)}-ipv4-20260131120000`,
    campaign: 'exits',
    fingerprint: print(number),
    family: 'ipv4',
    status: 'open',
    severity: 'medium',
    nickname: `exit${number}`,
    exitAddress: `198.51.100.${number}`,
    operator: null,
    contact: null,
    relayFamily: [],
    failureType: 'dns_fail',
    firstSeen: '2026-01-30T00:00:00.000Z',
    lastSeen: '2026-01-31T12:00:00.000Z',
    consecutiveCount: 7,
    openedAt: '2026-01-31T12:00:00.000Z',
    closedAt: null,
    toldAt: '2026-01-31T12:00:00.000Z',
    reminders: 0,
    runs: ['20260131120000'],
    ...changes,
  }
}
const told = (event: ExitIncidentEvent['event'], ...incidents: readonly ExitIncident[]): readonly ExitIncidentEvent[] =>
  incidents.map((each) => ({ event, incident: each }))

describe('toExitAlertPayload', () => {
  test('has the seven fields and no other', () => {
    expect(toExitAlertPayload(incident(1))).toEqual({
      fingerprint: print(1),
      exit_ip: '198.51.100.1',
      failure_type: 'dns_fail',
      first_seen: '2026-01-30T00:00:00.000Z',
      last_seen: '2026-01-31T12:00:00.000Z',
      consecutive_count: 7,
      tor_metrics_url: `https://metrics.torproject.org/rs.html#details/${print(1)}`,
    })
  })
})

describe('composeExitMessages', () => {
  test('tells forty relays of one operator in one message', () => {
    const forty = Array.from({ length: 40 }, (_, index) => incident(index, { operator: 'example.org' }))
    const [message, ...more] = composeExitMessages('20260131_120000', told('new', ...forty), NOW_MS)
    expect(more).toEqual([])
    expect(message).toMatchObject({
      id: `exits-20260131120000-new-ipv4-${print(0)}`,
      event: 'new',
      severity: 'medium',
      title: '40 exits of example.org fail at DNS',
    })
    expect(message?.items).toHaveLength(40)
    expect(message?.items[3]).toEqual({
      text: 'exit3 198.51.100.3: dns_fail 7 times in a row, first seen 2026-01-30 00:00 UTC',
      url: `https://metrics.torproject.org/rs.html#details/${print(3)}`,
      data: toExitAlertPayload(incident(3)),
    })
  })

  test('keeps events, families and operators apart', () => {
    const events = [
      ...told('new', incident(1, { operator: 'a.example' }), incident(2, { operator: 'b.example' })),
      ...told('recovered', incident(3, { operator: 'a.example' })),
      ...told('new', incident(4, { operator: 'a.example', family: 'ipv6' })),
    ]
    const messages = composeExitMessages('20260131120000', events, NOW_MS)
    expect(messages.map(({ title }) => title)).toEqual([
      'Exit exit1 of a.example fails at DNS',
      'Exit exit2 of b.example fails at DNS',
      'Exit exit3 of a.example is right again at DNS',
      'Exit exit4 of a.example fails at DNS for IPv6 addresses (AAAA)',
    ])
    expect(new Set(messages.map(({ id }) => id)).size).toBe(4)
  })

  test('tells relays without a known operator one by one, unless there are many at once', () => {
    const some = Array.from({ length: 10 }, (_, index) => incident(index))
    expect(composeExitMessages('20260131120000', told('new', ...some), NOW_MS)).toHaveLength(10)
    const many = composeExitMessages('20260131120000', told('new', ...some, incident(10)), NOW_MS)
    expect(many.map(({ title }) => title)).toEqual(['11 exits without a known operator fail at DNS'])
  })

  test('takes relays with the same contact together, and never with those of somebody else', () => {
    const events = told(
      'new',
      incident(1, { contact: 'one@example.org' }),
      incident(2, { contact: 'one@example.org' }),
      ...Array.from({ length: 11 }, (_, index) => incident(10 + index)),
    )
    const messages = composeExitMessages('20260131120000', events, NOW_MS)
    expect(messages.map(({ title, contacts }) => [title, contacts])).toEqual([
      ['2 exits with the same contact fail at DNS', ['one@example.org']],
      ['11 exits without a known operator fail at DNS', []],
    ])
  })

  test('is as severe as its worst relay, and names what subscriptions look for', () => {
    const contact = 'email:Tor[]Example.org url:example.org ciissversion:2'
    const relays = [
      incident(1, { operator: 'example.org', contact, relayFamily: [print(2), print(9)] }),
      incident(2, { operator: 'example.org', severity: 'high' }),
    ]
    const [message] = composeExitMessages('20260131120000', told('new', ...relays), NOW_MS)
    expect(message?.severity).toBe('high')
    expect(message?.contacts).toEqual(['tor@example.org'])
    expect(message?.tags).toEqual([
      'operator:example.org',
      `family:${print(1)}`,
      `family:${print(2)}`,
      `family:${print(9)}`,
      `contact:${contact}`,
    ])
  })
})
