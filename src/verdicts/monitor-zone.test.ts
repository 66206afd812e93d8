import { describe, expect, test } from 'vitest'
import { address, roundOf, runWorld, watch, WORLD_START_MS } from '../../test/sim/monitor-world.ts'
import type { ZoneFacts } from '../model/monitor-round.ts'
import type { MonitorNotice, MonitorState } from '../model/monitor-state.ts'
import { acknowledgeIncidents } from './monitor-acknowledge.ts'
import { judgeMonitorRound } from './monitor-judge.ts'
import { composeMonitorMessage } from './monitor-messages.ts'

const MINUTE_MS = 60_000
const START_MS = WORLD_START_MS + 300 * MINUTE_MS
const known = [address(20, 1, 1)]
const facts: ZoneFacts = {
  zone: 'zone.example',
  parentNs: ['ns1.zone.example', 'ns2.zone.example'],
  parentDs: ['1 13 2 aa'],
  serials: [
    { server: '192.0.2.1', serial: 1 },
    { server: '192.0.2.2', serial: 1 },
  ],
}

/** Says what each minute's facts tell, from a state that knows the first. */
function tell(minutes: readonly Partial<ZoneFacts>[]): { told: MonitorNotice[]; state: MonitorState } {
  let { state } = runWorld(() => known, { seed: 'zone', days: 0.2 })
  const told: MonitorNotice[] = []
  for (const [minute, changes] of [{}, ...minutes].entries()) {
    const round = roundOf(START_MS + minute * MINUTE_MS, [known, known, known], { zone: { ...facts, ...changes } })
    const judged = judgeMonitorRound(state, watch(), round)
    state = judged.state
    told.push(...judged.notices)
  }
  return { told, state }
}

function times(count: number, changes: Partial<ZoneFacts>): Partial<ZoneFacts>[] {
  return Array.from({ length: count }, () => changes)
}

describe('judgeZone', () => {
  test.each<readonly [string, Partial<ZoneFacts>, string]>([
    ['other servers at the parent', { parentNs: ['ns.other.example'] }, 'parent_ns'],
    ['no DS at the parent', { parentDs: [] }, 'parent_ds'],
    ['another DS at the parent', { parentDs: ['2 13 2 bb'] }, 'parent_ds'],
  ])('pages once for %s, when a second check shows it', (_what, changes, subject) => {
    expect(tell(times(1, changes)).told).toEqual([])
    const { told, state } = tell(times(60, changes))
    expect(told).toMatchObject([{ event: 'new', channel: 'page', severity: 'critical', incident: { subject } }])
    expect(told[0]?.atMs).toBe(START_MS + 2 * MINUTE_MS)
    const before = changes.parentNs === undefined ? '1 13 2 aa' : 'ns1.zone.example + ns2.zone.example'
    expect(told.map((notice) => composeMonitorMessage(notice, watch()).lines[1])).toEqual([`before: ${before}`])
    const back = tell([...times(60, changes), ...times(10, {})])
    expect(back.told.map(({ event }) => event)).toEqual(['new', 'recovered'])
    const key = told[0]?.incident?.key ?? ''
    const acknowledgement = { who: 'Ada', note: '', untilMs: START_MS }
    const accepted = acknowledgeIncidents(state, watch(), key, acknowledgement, true, START_MS + 70 * MINUTE_MS)
    expect(accepted.state.profile.zone).toMatchObject({ ns: changes.parentNs ?? facts.parentNs, pending: { ns: null } })
    const after = roundOf(START_MS + 71 * MINUTE_MS, [known, known, known], { zone: { ...facts, ...changes } })
    expect(judgeMonitorRound(accepted.state, watch(), after)).toMatchObject({ notices: [], isZoneWanted: false })
  })

  test('says nothing while the servers of the parent disagree or are silent, nor for what was approved', () => {
    expect(tell(times(5, { parentNs: null, parentDs: null })).told).toEqual([])
    const approved = watch({ approve: [{ text: 'ns.other.example', span: null }] })
    const { state } = tell([])
    const changed = { ...facts, parentNs: ['ns.other.example'] }
    const round = roundOf(START_MS + 9 * MINUTE_MS, [known, known, known], { zone: changed })
    expect(judgeMonitorRound(state, approved, round).state.profile.zone?.ns).toEqual(['ns.other.example'])
  })

  test('puts serials that differ for more than an hour into the digest', () => {
    const apart = { serials: [facts.serials[0] ?? { server: '', serial: 0 }, { server: '192.0.2.2', serial: 2 }] }
    expect(tell(times(61, apart)).told).toEqual([])
    const { told } = tell(times(62, apart))
    expect(told).toMatchObject([{ channel: 'digest', severity: 'low', incident: { subject: 'serials' } }])
    expect(tell([...times(30, apart), {}, ...times(40, apart)]).told).toEqual([])
  })

  test('a changed delegation makes a new address critical, whatever its certificate', () => {
    let { state } = tell([])
    const severities: string[] = []
    for (const second of [0, 5, 15]) {
      const round = roundOf(
        START_MS + 5 * MINUTE_MS + second * 1_000,
        [[address(66, 1, 1)], [address(66, 1, 1)], [address(66, 1, 1)]],
        {
          zone: { ...facts, parentNs: ['ns.other.example'] },
        },
      )
      const judged = judgeMonitorRound(state, watch(), {
        ...round,
        corroboration: { ...round.corroboration, tls: 'valid' },
      })
      state = judged.state
      severities.push(
        ...judged.notices.filter(({ incident }) => incident?.subject === 'K3').map(({ severity }) => severity),
      )
    }
    expect(severities).toEqual(['critical'])
  })
})
