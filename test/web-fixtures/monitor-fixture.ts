/** A monitor whose names are of every kind, for page tests: what it says never changes. */
import type { MonitoredName } from '../../src/model/monitor-name.ts'
import type { KnownUnit, MonitorIncident } from '../../src/model/monitor-state.ts'
import {
  MONITOR_STANDINGS,
  type MonitorSource,
  type MonitorSummary,
  type NamedIncident,
  type NameView,
  type SeenRound,
} from '../../src/model/monitor-view.ts'
import { createMonitorState } from '../../src/verdicts/monitor-profile.ts'
import { watch } from '../sim/monitor-world.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const KEY = 'ab54'.repeat(16)
/** A name that somebody tries to break the page with. */
export const HOSTILE_NAME = '<script>alert(1)</script>"&\u202Eevil'

function unit(asn: number, atMs: number): KnownUnit {
  const resolvers = ['cloudflare', 'google', 'quad9']
  return { firstSeenMs: atMs - 30 * DAY_MS, lastSeenMs: atMs, resolvers, asn, prefix: null, country: 'NL', zone: null }
}

/** Rounds of a day, newest first: `said` gives the addresses of a resolver in a round. */
function roundsOf(
  nowMs: number,
  stepMinutes: number,
  said: (round: number, resolver: number) => readonly string[],
): readonly SeenRound[] {
  const count = Math.floor(1_440 / stepMinutes)
  return Array.from({ length: count }, (_, back) => {
    const atMs = nowMs - (back + 1) * stepMinutes * MINUTE_MS
    const answers = ['cloudflare', 'google', 'quad9'].map((resolver, index) => {
      const values = said(count - back, index)
      const outcome = values.length === 0 ? ('failure' as const) : ('answer' as const)
      const isNew = values.some((value) => value.startsWith('203.'))
      return {
        resolver,
        outcome,
        reason: values.length === 0 ? 'generic_timeout_error' : null,
        values,
        class: isNew ? ('K3' as const) : ('K0' as const),
      }
    })
    const worst = answers.some((each) => each.class === 'K3') ? ('K3' as const) : ('K0' as const)
    return { atMs, untilMs: atMs + (stepMinutes - 1) * MINUTE_MS, count: stepMinutes, class: worst, answers }
  })
}

function createIncident(nowMs: number): MonitorIncident {
  return {
    key: KEY,
    subject: 'K3',
    resolver: null,
    asns: [64_511],
    units: { '203.0.113.66': unit(64_511, nowMs) },
    severity: 'critical',
    channel: 'page',
    status: 'open',
    openedAtMs: nowMs - 90 * MINUTE_MS,
    lastSeenMs: nowMs - MINUTE_MS,
    closedAtMs: null,
    toldAtMs: nowMs - 90 * MINUTE_MS,
    cleanRounds: 0,
    isShown: true,
    transitionsAtMs: [],
    isFlapping: false,
    standingSinceMs: null,
    acknowledgement: null,
    corroboration: { authoritative: 'none', dnssec: 'unknown', tls: 'invalid', parentNs: 'same', parentDs: 'same' },
  }
}

/** Views of names, and their rounds. */
function createWorlds(
  nowMs: number,
  incident: MonitorIncident,
): readonly (readonly [NameView, readonly SeenRound[]])[] {
  const rotating = Array.from({ length: 8 }, (_, index) => `198.51.100.${index + 1}`)
  const worlds: readonly (readonly [
    MonitoredName,
    NameView['standing'],
    NameView['observedMode'],
    readonly string[],
    readonly SeenRound[],
  ])[] = [
    [
      watch({ name: 'Shop', owner: 'team-web' }),
      'incident',
      'static',
      ['192.0.2.10'],
      roundsOf(nowMs, 15, (round) => [round > 90 ? '203.0.113.66' : '192.0.2.10']),
    ],
    [
      watch({ name: 'Cdn', domain: 'cdn.zone.example', owner: 'team-web', category: 'cdn' }),
      'steady',
      'rotating',
      rotating,
      roundsOf(nowMs, 5, (round, resolver) => [
        rotating[(round + resolver) % 8] ?? '',
        rotating[(round * 3) % 8] ?? '',
      ]),
    ],
    [
      watch({ name: HOSTILE_NAME, domain: 'mail.zone.example', type: 'MX', category: 'mail' }),
      'learning',
      'unknown',
      ['10 mx1.zone.example.\n20 mx2.zone.example.'],
      roundsOf(nowMs, 60, () => ['10 mx1.zone.example.\n20 mx2.zone.example.']),
    ],
    [
      watch({ name: 'Gone', domain: 'gone.zone.example', mode: 'pin', expect: [{ text: 'AS64500', span: null }] }),
      'unanswered',
      'geographic',
      [],
      roundsOf(nowMs, 120, () => []),
    ],
  ]
  return worlds.map(
    ([monitored, standing, observedMode, values, rounds]): readonly [NameView, readonly SeenRound[]] => {
      const { profile } = createMonitorState()
      const units = Object.fromEntries(values.map((value) => [value, unit(64_500, nowMs)]))
      const view: NameView = {
        key: `${monitored.domain}/${monitored.type}`,
        monitored,
        standing,
        observedMode,
        isLearning: standing === 'learning',
        profile: {
          ...profile,
          baselineAtMs: nowMs - 30 * DAY_MS,
          rounds: 40_000,
          units,
          asns: {},
          ttl: { min: 1, max: 300, recentMax: 0, recentRounds: 0 },
        },
        last: rounds[0] ?? null,
        open: standing === 'incident' ? [incident] : [],
      }
      return [view, rounds]
    },
  )
}

function summarize(nowMs: number, views: readonly NameView[]): MonitorSummary {
  const standings = Object.fromEntries(
    MONITOR_STANDINGS.map((each) => [each, views.filter(({ standing }) => standing === each).length]),
  )
  return {
    names: views.length,
    standings: standings as MonitorSummary['standings'],
    downSinceMs: null,
    lastRoundMs: nowMs - 20_000,
    rounds: 1_000,
    startedMs: nowMs - DAY_MS,
    usedOctets: 48_000_000,
    budgetOctets: 2_147_483_648,
    problems: [],
  }
}

/** The monitor at a moment, Unix milliseconds. */
export function createMonitorFixture(nowMs: number): MonitorSource {
  let incident = createIncident(nowMs)
  const worlds = createWorlds(nowMs, incident)
  const views = worlds.map(([view]) => view)
  const summary = summarize(nowMs, views)
  const rounds = new Map(worlds.map(([view, seen]) => [view.key, seen]))
  const named = (): NamedIncident => ({
    id: `monitor-${KEY.slice(0, 16)}-${incident.openedAtMs}`,
    key: 'shop.zone.example/A',
    monitored: views[0]?.monitored ?? null,
    incident,
    title: 'shop.zone.example/A has a new answer',
    recommendation: 'check who answers at 203.0.113.66, and compare the change with the registrar and the zone',
  })
  const change = {
    key: 'shop.zone.example/A',
    atMs: nowMs - 90 * MINUTE_MS,
    severity: 'critical',
    channel: 'page',
  } as const
  return {
    summary: () => summary,
    names: () => views,
    name: (key) => views.find((view) => view.key === key),
    rounds: async (key, sinceMs, limit) =>
      (rounds.get(key) ?? []).filter(({ untilMs }) => untilMs >= sinceMs).slice(0, limit),
    hours: async (_key, sinceMs) =>
      sinceMs > nowMs - 8 * DAY_MS
        ? []
        : [{ fromMs: nowMs - 30 * DAY_MS, hours: 500, rounds: 30_000, failed: 3, class: 'K0', values: ['192.0.2.10'] }],
    changes: async () => [
      { ...change, kind: 'new', text: 'shop.zone.example/A has a new answer' },
      { ...change, kind: 'learned', text: '192.0.2.10' },
    ],
    incidents: async ({ status, key }) =>
      (status ?? 'open') === 'open' && (key ?? named().key) === named().key ? [named()] : [],
    incident: async (id) => (id === named().id ? named() : undefined),
    check: async (keys) => keys.map((key) => ({ key, round: rounds.get(key)?.[0] ?? null })),
    acknowledge: async (_key, acknowledgement) => {
      incident = { ...incident, acknowledgement }
      return 1
    },
  }
}
