/** What the monitor that this one follows got wrong; what concerns its HTTP interface is tested where there is one. */
import { describe, expect, test } from 'vitest'
import { formatTelegramHtml } from '../../src/alerts/telegram-html.ts'
import { parseMonitorFile } from '../../src/config/monitor-file.ts'
import { findConsensus } from '../../src/verdicts/monitor-consensus.ts'
import { judgeMonitorRound } from '../../src/verdicts/monitor-judge.ts'
import { createMonitorState } from '../../src/verdicts/monitor-profile.ts'
import { assessRisk } from '../../src/verdicts/monitor-risk.ts'
import { address, answerOf, roundOf, runWorld, watch, WORLD_START_MS } from '../sim/monitor-world.ts'

const known = [address(20, 1, 1)]
const other = [address(30, 1, 1)]
const NOT_LOOKED_UP = { ptr: 'not_looked_up', lists: [] } as const

/** A state that knows one address, and has learned long enough. */
function learned(): ReturnType<typeof createMonitorState> {
  return runWorld(() => known, { seed: 'learned', days: 0.2 }).state
}

describe('defects of the original', () => {
  test('1: the order of resolvers decides no tie', () => {
    const answers = [answerOf('a', known), answerOf('b', other)]
    expect(findConsensus(answers)).toMatchObject({ kind: 'tie' })
    expect(findConsensus(answers.toReversed())).toEqual(findConsensus(answers))
  })

  test('2: a total failure is no state, and what was known stays known', () => {
    const before = learned()
    const failed = judgeMonitorRound(
      before,
      watch(),
      roundOf(WORLD_START_MS + 5 * 3_600_000, ['failure', 'failure', 'failure']),
    )
    expect(failed).toMatchObject({ class: 'K6', notices: [] })
    expect(failed.state.profile).toEqual(before.profile)
    const after = judgeMonitorRound(
      failed.state,
      watch(),
      roundOf(WORLD_START_MS + 5.1 * 3_600_000, [known, known, known]),
    )
    expect(after).toMatchObject({ class: 'K0', notices: [] })
    const empty = judgeMonitorRound(
      createMonitorState(),
      watch(),
      roundOf(WORLD_START_MS, ['nodata', 'nodata', 'nodata']),
    )
    expect(empty.state.profile.baselineAtMs).toBeNull()
  })

  test.each([
    ['nxdomain', 'K5'],
    ['nodata', 'K5'],
    ['servfail', 'K6'],
    ['failure', 'K6'],
  ] as const)('3: %s is a thing of its own', (outcome, expected) => {
    const judged = judgeMonitorRound(
      learned(),
      watch(),
      roundOf(WORLD_START_MS + 5 * 3_600_000, [outcome, outcome, outcome]),
    )
    expect(judged.class).toBe(expected)
    expect(findConsensus([answerOf('a', 'nxdomain'), answerOf('b', 'nodata')]).kind).toBe('tie')
  })

  test('4: a PTR record that was never looked up adds no risk', () => {
    const { profile } = learned()
    expect(assessRisk(address(20, 1, 9), profile, NOT_LOOKED_UP)).toMatchObject({ score: 0, level: 'low', reasons: [] })
    expect(assessRisk(address(20, 1, 9), profile, { ptr: 'missing', lists: [] })).toMatchObject({
      score: 25,
      level: 'medium',
    })
  })

  test('5: a prefix is compared bit by bit', () => {
    const lists = [{ name: 'list', category: 'botnet', prefixes: ['20.0.4.0/22'] }]
    const scores = [address(20, 3, 255), address(20, 4, 0), address(20, 7, 255), address(20, 8, 0)].map(
      (unit) => assessRisk(unit, learned().profile, { ptr: 'found', lists }).score,
    )
    expect(scores).toEqual([0, 50, 50, 0])
  })

  test('6: a private address is a risk, and pages', () => {
    expect(assessRisk(address(10, 1, 1), learned().profile, NOT_LOOKED_UP)).toMatchObject({ level: 'high' })
    const { pages } = runWorld(({ minute }) => (minute >= 300 ? [address(10, 1, 1)] : known), {
      seed: 'private',
      days: 0.3,
    })
    expect(pages).toEqual([300.25])
  })

  test('7: a divergence is told once, and again every six hours', () => {
    const { told } = runWorld(({ minute, resolver }) => (resolver === 1 && minute >= 300 ? other : known), {
      seed: 'divergence',
      days: 1,
    })
    expect(told.map(({ notice }) => notice.event)).toEqual(['new', 'ongoing', 'ongoing', 'ongoing'])
  })

  test('8: a configuration that cannot be used is an error and monitors nothing', () => {
    expect(() => parseMonitorFile('dns-monitor.toml', '')).toThrow('it names nothing to watch')
    expect(() => parseMonitorFile('dns-monitor.toml', '[[domains]]\ndomain = ')).toThrow(
      expect.objectContaining({ path: 'dns-monitor.toml:2' }),
    )
  })

  test('10: what strangers wrote is escaped', () => {
    const { told } = runWorld(({ minute }) => (minute >= 300 ? other : known), {
      seed: 'escaped',
      days: 0.3,
      monitored: watch({ domain: '<b>&"zone.example' }),
    })
    const title = told[0]?.notice.title ?? ''
    expect(title).toContain('<b>&')
    const html = formatTelegramHtml({
      id: 'monitor-1',
      event: 'new',
      severity: 'high',
      campaign: 'monitor',
      createdAt: '2026-01-31T00:00:00.000Z',
      title,
      lines: [],
      items: [],
      tags: [],
      contacts: [],
    })
    expect(html).toContain('&lt;b&gt;&amp;&quot;zone.example')
  })
})
