import { describe, expect, test } from 'vitest'
import { address, roundOf, runWorld, watch, WORLD_START_MS, type Script } from '../../test/sim/monitor-world.ts'
import { acknowledgeIncidents } from './monitor-acknowledge.ts'
import { judgeMonitorRound } from './monitor-judge.ts'
import { composeMonitorMessage } from './monitor-messages.ts'

const MINUTE_MS = 60_000
const NOW_MS = WORLD_START_MS + 432 * MINUTE_MS
const hijacked = [address(66, 1, 1)]

/** A name that was hijacked half an hour ago. */
function hijack(): ReturnType<typeof runWorld> {
  return runWorld(({ minute }) => (minute >= 400 ? hijacked : [address(20, 1, 1)]), { seed: 'ack', days: 0.3 })
}

describe('acknowledgeIncidents', () => {
  test('stops reminders until it clears itself', () => {
    const { state } = hijack()
    const untilMs = NOW_MS + 8 * 3_600_000
    const acknowledged = acknowledgeIncidents(state, watch(), '', { who: 'Ada', note: '', untilMs }, false, NOW_MS)
    expect(acknowledged).toMatchObject({ count: 1, notices: [] })
    const later = (atMs: number): ReturnType<typeof judgeMonitorRound> =>
      judgeMonitorRound(acknowledged.state, watch(), roundOf(atMs, [hijacked, hijacked, hijacked]))
    expect(later(untilMs - 1).notices).toEqual([])
    expect(later(untilMs)).toMatchObject({
      notices: [{ event: 'ongoing' }],
      state: { incidents: [{ acknowledgement: null }] },
    })
  })

  test('learns what is accepted, and closes the incident as changed', () => {
    const { state } = hijack()
    const acknowledgement = { who: 'Ada', note: '', untilMs: NOW_MS + 1 }
    const { state: after, notices } = acknowledgeIncidents(state, watch(), '', acknowledgement, true, NOW_MS)
    expect(notices).toMatchObject([{ event: 'recovered', incident: { status: 'changed' } }])
    const judged = judgeMonitorRound(after, watch(), roundOf(NOW_MS, [hijacked, hijacked, hijacked]))
    expect(judged).toMatchObject({ class: 'K0', notices: [] })
  })

  test('an approval that comes later ends the incident as changed, and teaches', () => {
    const { state } = hijack()
    const round = roundOf(NOW_MS, [hijacked, hijacked, hijacked])
    const approved = judgeMonitorRound(state, watch({ approve: [{ text: 'AS66', span: null }] }), round)
    expect(approved.notices).toMatchObject([{ event: 'recovered', incident: { status: 'changed' } }])
    expect(judgeMonitorRound(approved.state, watch(), round)).toMatchObject({ class: 'K0', notices: [] })
    const other = watch({ approve: [{ text: 'AS67', span: null }] })
    expect(judgeMonitorRound(state, other, round)).toMatchObject({ class: 'K3', notices: [] })
  })

  test('leaves incidents with another key alone', () => {
    const { state } = hijack()
    const acknowledgement = { who: 'Ada', note: '', untilMs: NOW_MS + 1 }
    expect(acknowledgeIncidents(state, watch(), 'zz', acknowledgement, true, NOW_MS)).toMatchObject({ count: 0, state })
  })
})

describe('composeMonitorMessage', () => {
  test('names what is new, its AS, the key and whom it concerns', () => {
    const notice = hijack().told[0]?.notice
    if (notice === undefined) throw new Error('nothing was told')
    const message = composeMonitorMessage(notice, watch({ owner: 'team' }))
    expect(message).toMatchObject({
      id: expect.stringMatching(/^monitor-20260105064015-new-[\da-f]{16}$/),
      campaign: 'monitor',
      severity: 'critical',
      title: 'Shop: shop.zone.example/A has a new answer',
      lines: [
        'new: 66.0.1.1',
        'before: 20.0.1.1',
        'AS: 66',
        expect.stringContaining('to do: check who answers'),
        expect.stringContaining('candor monitor ack'),
      ],
      tags: ['channel:page', 'domain:shop.zone.example', 'category:web', 'owner:team'],
    })
  })

  test('shows what each resolver says of one that diverges', () => {
    const lie = [address(66, 1, 1)]
    const script: Script = ({ minute, resolver }) => (minute >= 400 && resolver === 1 ? lie : [address(20, 1, 1)])
    const notice = runWorld(script, { seed: 'each', days: 0.3 }).told[0]?.notice
    if (notice === undefined) throw new Error('nothing was told')
    const { lines } = composeMonitorMessage(notice, watch())
    expect(lines).toEqual(expect.arrayContaining(['cloudflare: 20.0.1.1', 'google: 66.0.1.1', 'quad9: 20.0.1.1']))
  })
})
