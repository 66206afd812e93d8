/**
 * The scripts of the laboratory on a clock of their own, over days, with parameters from the seed. The same scripts run live
 * in test/system/monitor-world.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import { createMonitorScripts, type MonitorScript } from '../../src/lab/monitor-scripts.ts'
import { observeMode } from '../../src/verdicts/monitor-profile.ts'
import { runScript, type WorldOutcome } from '../sim/monitor-world.ts'

const DAYS = process.env['CANDOR_TEST_FULL'] === undefined ? 3 : 30
const SEEDS = ['one', 'two', 'three', 'four']
const DAY = 1_440
const LEARNING_MINUTES = 240
/** A round that is the first to see something is made within a minute, and its third confirmation 15 s later. */
const FIRST_MINUTE = 1.25

/** The scripts with times that depend on the seed alone. */
function drawScripts(seed: string): { startMinute: number; scripts: readonly MonitorScript[] } {
  const random = createSeededRandom(`parameters ${seed}`)
  const draw = (from: number, below: number): number => from + randomInt(random, below - from)
  const startMinute = draw(DAY, 2 * DAY)
  const lagMinutes = [0, draw(1, 9), draw(1, 9)]
  return {
    startMinute,
    scripts: createMonitorScripts({ startMinute, driftMinutes: 700, lagMinutes, liar: draw(0, 3) }),
  }
}

/** What a run amounts to, in the words of an outcome. */
function observe(
  script: MonitorScript,
  { pages, tickets: all, told, state }: WorldOutcome,
  startMinute: number,
): object {
  // While a profile is being learned, something new may be a ticket.
  const tickets = all.filter((minute) => minute > LEARNING_MINUTES)
  const { outcome } = script
  const withinMinutes = outcome.withinMinutes === 1 ? FIRST_MINUTE : outcome.withinMinutes
  const [begun] = [...pages, ...tickets].flatMap((minute) => told.filter((each) => each.minute === minute))
  const own = told.filter(
    ({ notice }) => begun !== undefined && notice.incident?.subject === begun.notice.incident?.subject,
  )
  const over = own.find(({ notice, minute }) => notice.event === 'recovered' && minute > LEARNING_MINUTES)
  const status = over?.notice.incident?.status
  const digests = told.filter(({ notice }) => notice.channel === 'digest').map(({ notice }) => notice)
  return {
    pages: pages.length,
    tickets: tickets.length,
    isInTime: [...pages, ...tickets].every((minute) => minute >= startMinute && minute < startMinute + withinMinutes),
    mode: script.mode === null ? null : observeMode(state.profile),
    subject: begun?.notice.incident?.subject ?? null,
    hasDigest: {
      serials: digests.some(({ incident }) => incident?.subject === 'serials'),
      ttl: digests.some(({ title }) => title.includes('fell from 300 to 30')),
    },
    end: begun === undefined ? null : (status ?? 'lasts'),
    endMinute: status === 'resolved' ? over?.minute : null,
    isChangedInTime: status !== 'changed' || (over?.minute ?? 0) < startMinute + DAY + 15,
    hasLearned: Object.keys(state.profile.asns).includes('AS40'),
  }
}

function expectation({ mode, outcome }: MonitorScript, startMinute: number): object {
  const { pages, tickets, subject, digest, end } = outcome
  return {
    pages,
    tickets,
    isInTime: true,
    mode,
    subject,
    hasDigest: { serials: digest === 'serials', ttl: digest === 'ttl' },
    // What the parent has is taken for right after a day, and so is a move.
    end: subject === 'parent_ns' || subject === 'parent_ds' ? 'changed' : end,
    // Two minutes, and ten clean rounds.
    endMinute: end === 'resolved' ? startMinute + 2 + 9 : null,
    isChangedInTime: true,
    hasLearned: end === 'changed',
  }
}

describe.each(SEEDS)('judgeMonitorRound over days, seed %s', (seed) => {
  const { startMinute, scripts } = drawScripts(seed)

  test.each(scripts.map((script) => [script.name, script] as const))('%s', (_name, script) => {
    const outcome = runScript(script, { seed, days: DAYS, startMinute })
    expect(observe(script, outcome, startMinute)).toEqual(expectation(script, startMinute))
  })

  test('names the resolver that lies', () => {
    const liar = scripts.find(({ name }) => name === 'one-liar')
    if (liar === undefined) throw new Error('there is no such script')
    const { told } = runScript(liar, { seed, days: DAYS, startMinute })
    const resolver = told.find(({ notice }) => notice.event === 'new')?.notice.incident?.resolver
    expect(['cloudflare', 'google', 'quad9'].filter((name) => name === resolver)).toHaveLength(1)
  })
})
