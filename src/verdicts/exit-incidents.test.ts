import { describe, expect, test } from 'vitest'
import { exampleResult } from '../../test/exit-fixtures/example-report.ts'
import { createSeededRandom, randomInt, type Random } from '../core/random.ts'
import type { ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ExitAlertState, ExitIncident } from '../model/incident.ts'
import {
  judgeExitRun,
  type ExitIncidentBook,
  type ExitIncidentEvent,
  type ExitIncidentPolicy,
} from './exit-incidents.ts'
import { DEFAULT_ALERT_RULE, TWO_IN_A_ROW_ALERT_RULE } from './failure-counters.ts'

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000
const POLICY: ExitIncidentPolicy = { rule: DEFAULT_ALERT_RULE, reminderMs: 1 }

/** Applies runs one after the other, as the store does. */
class Book implements ExitIncidentBook {
  readonly states = new Map<string, ExitAlertState>()
  readonly open = new Map<string, ExitIncident>()
  readonly closed: ExitIncident[] = []

  run(index: number, results: readonly ExitResult[], hours = 6, policy = POLICY): readonly ExitIncidentEvent[] {
    const nowMs = START_MS + index * hours * HOUR_MS
    const run = { runId: String(index), timestamp: new Date(nowMs).toISOString(), results }
    const change = judgeExitRun(this, run, policy, nowMs)
    for (const [key, state] of change.states) {
      if (state === null) this.states.delete(key)
      else this.states.set(key, state)
    }
    for (const incident of change.incidents) {
      const key = `${incident.fingerprint}/${incident.family}`
      if (incident.status === 'open') this.open.set(key, incident)
      else {
        this.open.delete(key)
        this.closed.push(incident)
      }
    }
    return change.events
  }
}

const words = (events: readonly ExitIncidentEvent[]): readonly string[] => events.map(({ event }) => event)

function runAll(statuses: readonly ExitStatus[], hours = 6, policy = POLICY): readonly (readonly string[])[] {
  const book = new Book()
  return statuses.map((status, index) => words(book.run(index, [exampleResult(1, status)], hours, policy)))
}

interface Truth {
  new: number
  ongoing: number
  recovered: number
}

/**
 * The verdicts of a relay over some runs, put together from episodes of which it is known what they amount to.
 *
 * @param toBegin - Failures in a row that begin an alert at the pace of the runs.
 */
function generateRelay(random: Random, runs: number, toBegin: number, truth: Truth): readonly (ExitStatus | null)[] {
  const verdicts: (ExitStatus | null)[] = []
  const failure = (): ExitStatus => (['dns_fail', 'timeout', 'wrong_ip'] as const)[randomInt(random, 3)] ?? 'timeout'
  const add = (status: ExitStatus | null): void => {
    // What is no DNS verdict may stand anywhere and moves nothing.
    while (randomInt(random, 12) === 0) verdicts.push(randomInt(random, 2) === 0 ? 'circuit_fail' : null)
    verdicts.push(status)
  }
  const fail = (count: number): void => {
    for (let i = 0; i < count; i++) add(failure())
  }
  while (verdicts.length < runs) {
    for (let i = 2 + randomInt(random, 30); i > 0; i--) add('success')
    if (randomInt(random, 3) > 0) {
      fail(1 + randomInt(random, toBegin - 1)) // too few
      continue
    }
    const length = toBegin + randomInt(random, 20)
    fail(length)
    truth.new += 1
    truth.ongoing += length - toBegin
    for (let flaps = randomInt(random, 3); flaps > 0; flaps--) {
      add('success') // one alone ends nothing
      const more = 1 + randomInt(random, 4)
      fail(more)
      truth.ongoing += more
    }
    add('success')
    add('success')
    truth.recovered += 1
  }
  verdicts.push('success')
  return verdicts
}

describe('judgeExitRun', () => {
  test('reports 5 failures in a row once, then that they last, then that they are over', () => {
    const told = runAll(
      ['dns_fail', 'dns_fail', 'dns_fail', 'dns_fail', 'dns_fail', 'timeout', 'success', 'success'],
      1,
    )
    expect(told).toEqual([[], [], [], [], ['new'], ['ongoing'], [], ['recovered']])
  })

  test('reports 3 failures over 12 hours, and not 3 over less', () => {
    expect(runAll(['timeout', 'timeout', 'timeout'], 6).flat()).toEqual(['new'])
    expect(runAll(['timeout', 'timeout', 'timeout'], 5.9).flat()).toEqual([])
  })

  test('reports 2 in a row where that was asked for', () => {
    const policy = { rule: TWO_IN_A_ROW_ALERT_RULE, reminderMs: 1 }
    expect(runAll(['wrong_ip', 'wrong_ip', 'success'], 1, policy)).toEqual([[], ['new'], ['recovered']])
  })

  // Half an hour apart, three failures span too little and five are needed; six hours apart three span twelve.
  test.each([
    [0.5, 5],
    [6, 3],
  ])('tells exactly what is true of 200 relays over 1,460 runs, %s hours apart', (hours, toBegin) => {
    const random = createSeededRandom(`incidents-${hours}`)
    const truth: Truth = { new: 0, ongoing: 0, recovered: 0 }
    const runs = 1_460
    const relays = Array.from({ length: 200 }, () => generateRelay(random, runs, toBegin, truth))
    const longest = Math.max(...relays.map((verdicts) => verdicts.length))
    const book = new Book()
    const told: Truth = { new: 0, ongoing: 0, recovered: 0 }
    for (let index = 0; index < longest; index++) {
      const results = relays.flatMap((verdicts, relay) => {
        const status = verdicts[index] ?? null
        return status === null ? [] : [exampleResult(relay, status)]
      })
      for (const { event } of book.run(index, results, hours)) told[event] += 1
    }
    expect(told).toEqual(truth)
    expect(truth.new).toBeGreaterThan(2_000)
    expect(book.closed).toHaveLength(truth.recovered)
    expect(book.open.size).toBe(0)
    expect(book.states.size).toBe(0)
  })

  test('reminds only when the time has come', () => {
    const policy = { ...POLICY, reminderMs: 24 * HOUR_MS }
    const told = runAll(
      Array.from({ length: 12 }, () => 'timeout' as const),
      6,
      policy,
    )
    // New at run 2; 24 hours later is run 6, then run 10.
    expect(told.map((each) => each[0] ?? '-').join(' ')).toBe('- - new - - - ongoing - - - ongoing -')
    const never = runAll(
      Array.from({ length: 12 }, () => 'timeout' as const),
      6,
      { ...POLICY, reminderMs: 0 },
    )
    expect(never.flat()).toEqual(['new'])
  })

  test('keeps what a reader needs: since when, how often, which runs', () => {
    const book = new Book()
    for (let index = 0; index < 80; index++) book.run(index, [exampleResult(1, 'dns_fail')])
    const [incident] = [...book.open.values()]
    expect(incident).toMatchObject({
      status: 'open',
      severity: 'medium',
      failureType: 'dns_fail',
      firstSeen: new Date(START_MS).toISOString(),
      lastSeen: new Date(START_MS + 79 * 6 * HOUR_MS).toISOString(),
      consecutiveCount: 80,
    })
    expect(incident?.runs).toHaveLength(50)
    expect(incident?.runs.slice(0, 2)).toEqual(['2', '31'])
    expect(incident?.runs.at(-1)).toBe('79')
  })

  test('raises the severity with a wrong address and does not lower it', () => {
    const book = new Book()
    for (const [index, status] of (['timeout', 'timeout', 'timeout', 'wrong_ip', 'timeout'] as const).entries())
      book.run(index, [exampleResult(1, status)])
    expect([...book.open.values()][0]).toMatchObject({ severity: 'high', failureType: 'timeout' })
  })

  test('judges IPv6 by itself', () => {
    const book = new Book()
    const result = exampleResult(1, 'success', { status_ipv6: 'timeout' })
    const told = [0, 1, 2].flatMap((index) => book.run(index, [result]))
    expect(told.map(({ event, incident }) => [event, incident.family])).toEqual([['new', 'ipv6']])
  })

  test('lets an incident lapse in silence when the relay is gone for 30 days', () => {
    const book = new Book()
    for (let index = 0; index < 3; index++) book.run(index, [exampleResult(1, 'timeout')])
    for (let index = 3; index < 2 + 30 * 4; index++) expect(book.run(index, [])).toEqual([])
    expect(book.open.size).toBe(1)
    expect(book.run(2 + 30 * 4, [])).toEqual([])
    expect(book.open.size).toBe(0)
    expect(book.states.size).toBe(0)
    expect(book.closed).toMatchObject([{ status: 'lapsed' }])
  })

  test('counts a relay once that a report names twice', () => {
    const book = new Book()
    const twice = [exampleResult(1, 'timeout'), exampleResult(1, 'timeout')]
    expect([0, 1].flatMap((index) => book.run(index, twice, 12))).toEqual([])
  })
})
