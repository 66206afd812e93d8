import { describe, expect, test } from 'vitest'
import { address, recordSet, roundOf, runWorld, UNKNOWN, watch, WORLD_START_MS } from '../../test/sim/monitor-world.ts'
import type { MonitoredName } from '../model/monitor-name.ts'
import type { AnswerUnit, Corroboration } from '../model/monitor-round.ts'
import { judgeMonitorRound } from './monitor-judge.ts'
import { createMonitorState } from './monitor-profile.ts'

const CHANGE = 400
const known = [address(20, 1, 1)]

/** What is told of a name that has one answer for hours and then another everywhere. */
function changeOf(
  before: readonly AnswerUnit[],
  after: readonly AnswerUnit[],
  changes: Partial<MonitoredName> = {},
  corroboration: Partial<Corroboration> = {},
): ReturnType<typeof runWorld> {
  return runWorld(({ minute }) => (minute >= CHANGE ? after : before), {
    seed: 'change',
    days: 0.3,
    monitored: watch(changes),
    corroboration: () => ({ ...UNKNOWN, ...corroboration }),
  })
}

describe('judgeMonitorRound', () => {
  test.each<readonly [MonitoredName['type'], string, string, string]>([
    ['MX', '10 a.example.', '10 b.example.', 'high'],
    ['NS', 'a.example.\nb.example.', 'a.example.', 'high'],
    ['DS', '1 13 2 aa', '2 13 2 bb', 'critical'],
    ['CAA', '0 issue "a"', '0 issue "a"\n0 issue "b"', 'medium'],
    ['CAA', '0 issue "a"\n0 issue "b"', '0 issue "a"', 'low'],
    ['CAA', '0 issue "a"', '0 iodef "mailto:b"', 'medium'],
    ['TXT', '"v=spf1 mx -all"', '"v=spf1 mx ~all"', 'medium'],
    ['TXT', '"v=spf1 mx ~all"', '"v=spf1 mx -all"', 'low'],
    ['TXT', '"v=DMARC1; p=reject"', '"v=DMARC1; p=none"', 'medium'],
    ['TXT', '"x"', '"y"', 'low'],
    ['SRV', '0 0 1 a.', '0 0 2 a.', 'low'],
  ])('judges a change of %s from %j to %j as %s', (type, before, after, severity) => {
    const { told } = changeOf([recordSet(before)], [recordSet(after)], { type })
    expect(told.map(({ minute, notice }) => [minute, notice.severity])).toEqual([[CHANGE + 0.25, severity]])
  })

  test('judges an alias by the zone that it leads to', () => {
    const [old, near, far] = [
      recordSet('a.b.example.', 'b.example'),
      recordSet('c.b.example.', 'b.example'),
      recordSet('x.y.example.', 'y.example'),
    ]
    expect(changeOf([old], [near], { type: 'CNAME' }).told[0]?.notice.severity).toBe('low')
    expect(changeOf([old], [far], { type: 'CNAME' }).told[0]?.notice.severity).toBe('medium')
  })

  test.each<readonly [Partial<Corroboration>, string]>([
    [{}, 'critical'],
    [{ tls: 'invalid' }, 'critical'],
    [{ tls: 'valid' }, 'medium'],
    [{ tls: 'valid', parentNs: 'changed' }, 'critical'],
    [{ tls: 'valid', parentDs: 'removed' }, 'critical'],
  ])('judges a new AS with %j as %s', (corroboration, severity) => {
    expect(changeOf(known, [address(66, 1, 1)], {}, corroboration).told[0]?.notice.severity).toBe(severity)
  })

  test('tells nobody of what was approved, and learns it', () => {
    const text = 'AS66'
    const from = WORLD_START_MS + 390 * 60_000
    const span = { fromMs: from, untilMs: from + 3_600_000 }
    expect(changeOf(known, [address(66, 1, 1)], { approve: [{ text, span }] }).told).toEqual([])
    const late = { fromMs: from - 7_200_000, untilMs: from }
    expect(changeOf(known, [address(66, 1, 1)], { approve: [{ text, span: late }] }).pages).toHaveLength(1)
  })

  test('holds a message back until a maintenance window is over', () => {
    const untilMs = WORLD_START_MS + 420 * 60_000
    const { pages } = changeOf(known, [address(66, 1, 1)], { maintenance: [{ fromMs: WORLD_START_MS, untilMs }] })
    expect(pages).toEqual([420])
  })

  test('pages for what a pinned name does not list, from the first minute on', () => {
    const expected = [{ text: '20.0.0.0/16', span: null }]
    const { pages, state } = changeOf(known, [address(21, 1, 1)], { mode: 'pin', expect: expected })
    expect(pages).toEqual([CHANGE + 0.25])
    expect(state.profile.units).toEqual({})
    expect(changeOf(known, [address(20, 9, 9)], { mode: 'pin', expect: expected }).told).toEqual([])
  })

  test('opens a ticket for a new AS while the profile is young, and pages for NXDOMAIN', () => {
    const young = runWorld(({ minute }) => (minute >= 30 ? [address(66, 1, 1)] : known), { seed: 'young', days: 0.1 })
    expect(young).toMatchObject({ pages: [], tickets: [30.25] })
    const gone = runWorld(({ minute }) => (minute >= 30 ? 'nxdomain' : known), { seed: 'gone', days: 0.1 })
    expect(gone.pages).toEqual([30.25])
  })

  test('is silent while an incident flaps, and says once that it is over', () => {
    const { told } = runWorld(
      ({ minute }) => (minute >= 300 && minute < 400 && minute % 4 < 2 ? [address(66, 1, 1)] : known),
      { seed: 'flapping', days: 0.5 },
    )
    expect(told.map(({ notice }) => notice.event)).toEqual(['new', 'recovered'])
    expect(told[1]?.minute).toBeGreaterThanOrEqual(398 + 30)
  })

  test('tells of a name without answers in the channel for availability, and of its return', () => {
    const { told, pages } = runWorld(({ minute }) => (minute >= 300 && minute < 310 ? 'servfail' : known), {
      seed: 'down',
      days: 0.3,
    })
    expect(pages).toEqual([])
    expect(told.map(({ minute, notice }) => [minute, notice.event, notice.channel])).toEqual([
      [302, 'new', 'availability'],
      [319, 'recovered', 'availability'],
    ])
  })

  test('takes two resolvers of one operator as one witness', () => {
    const { state } = runWorld(() => known, { seed: 'witness', days: 0.2 })
    let next = state
    const told = [0, 5, 15, 30].flatMap((seconds) => {
      const lie = [address(66, 1, 1)]
      const round = roundOf(WORLD_START_MS + 300 * 60_000 + seconds * 1_000, [lie, lie, known])
      const answers = round.answers.map((answer) => ({ ...answer, operator: answer.resolver === 'quad9' ? 'b' : 'a' }))
      const judged = judgeMonitorRound(next, watch(), { ...round, answers })
      next = judged.state
      return judged.notices
    })
    expect(told).toMatchObject([{ channel: 'ticket', incident: { subject: 'diverges', resolver: 'a' } }])
  })

  test('takes an expected name in any case, with a dot at its end or without', () => {
    const set = [recordSet('10 a.example\n20 b.example')]
    const expected = ['10 A.example.', '20 b.example'].map((text) => ({ text, span: null }))
    const pinned = watch({ type: 'MX', mode: 'pin', expect: expected })
    const judge = (monitored: typeof pinned): string =>
      judgeMonitorRound(createMonitorState(), monitored, roundOf(WORLD_START_MS, [set, set, set])).class
    expect(judge(pinned)).toBe('K0')
    expect(judge({ ...pinned, expect: expected.slice(1) })).toBe('K3')
  })
})
