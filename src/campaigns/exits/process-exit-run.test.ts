import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exampleReport, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import { formatCompactTime, formatIsoTime } from '../../core/clock.ts'
import type { ExitReport, ExitStatus } from '../../model/exit-result.ts'
import { openAlertStores, type AlertStores } from '../../store/alert-stores.node.ts'
import { DEFAULT_ALERT_RULE } from '../../verdicts/failure-counters.ts'
import { processExitRun } from './process-exit-run.ts'

const START_MS = Date.UTC(2026, 0, 1)
const RUN_MS = 6 * 3_600_000
const POLICY = { rule: DEFAULT_ALERT_RULE, reminderMs: RUN_MS }

async function openStores(): Promise<AlertStores> {
  const directory = mkdtempSync(join(tmpdir(), 'candor-incidents-'))
  const stores = await openAlertStores(directory, 'test')
  onTestFinished(async () => {
    await stores[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })
  return stores
}

/** The report of run number `index`; one relay per status. */
function report(index: number, statuses: readonly ExitStatus[], invalid: string | null = null): ExitReport {
  const atMs = START_MS + index * RUN_MS
  return exampleReport(statuses, { run_id: formatCompactTime(atMs), timestamp: formatIsoTime(atMs), invalid })
}
const process = (stores: AlertStores, each: ExitReport): ReturnType<typeof processExitRun> =>
  processExitRun(each, stores, POLICY, Date.parse(each.metadata.timestamp))

describe('processExitRun', () => {
  test('opens, reminds and closes, and puts each message into the outbox once', async () => {
    const stores = await openStores()
    const statuses = ['timeout', 'timeout', 'timeout', 'timeout', 'success', 'success'] as const
    const told: string[] = []
    for (const [index, status] of statuses.entries()) {
      const one = report(index, [status, 'success'])
      const { outcome, opened, reminded, recovered } = await process(stores, one)
      told.push(`${outcome} ${opened}${reminded}${recovered}`)
      // A daemon that is killed and started again sees the same report twice.
      expect(await process(stores, one)).toMatchObject({ outcome: 'known', opened: 0, messages: 0 })
    }
    expect(told).toEqual([
      'processed 000',
      'processed 000',
      'processed 100',
      'processed 010',
      'processed 000',
      'processed 001',
    ])
    expect((await stores.outbox.unrouted()).map(({ event }) => event)).toEqual(['new', 'ongoing', 'recovered'])
    expect(await stores.incidents.list({ limit: 10 })).toMatchObject([
      { status: 'recovered', consecutiveCount: 4, reminders: 1, closedAt: formatIsoTime(START_MS + 5 * RUN_MS) },
    ])
    expect(await stores.incidents.list({ status: 'open', limit: 10 })).toEqual([])
  })

  test('leaves invalid runs and those that come late alone', async () => {
    const stores = await openStores()
    expect(await process(stores, report(5, ['timeout'], 'the zone is down'))).toMatchObject({ outcome: 'invalid' })
    expect(await process(stores, report(3, ['timeout']))).toMatchObject({ outcome: 'processed' })
    expect(await process(stores, report(2, ['timeout']))).toMatchObject({ outcome: 'late' })
    expect((await stores.incidents.exitStates()).size).toBe(1)
  })

  test('is not held up for years by one run that a wrong clock made', async () => {
    const stores = await openStores()
    const nowMs = START_MS
    const future = exampleReport(['timeout'], { run_id: '20400101000000', timestamp: '2040-01-01T00:00:00.000Z' })
    await processExitRun(future, stores, POLICY, nowMs)
    expect(await processExitRun(report(0, ['timeout']), stores, POLICY, nowMs)).toMatchObject({ outcome: 'processed' })
  })

  test('keeps incidents and tells nobody of what was before', async () => {
    const stores = await openStores()
    for (let index = 0; index < 4; index++)
      await processExitRun(report(index, ['timeout']), stores, { ...POLICY, isSilent: true }, START_MS)
    expect(await stores.outbox.unrouted()).toEqual([])
    expect(await stores.incidents.list({ status: 'open', limit: 10 })).toHaveLength(1)
    expect(await process(stores, report(4, ['timeout']))).toMatchObject({ opened: 0, reminded: 1, messages: 1 })
  })

  test('takes the shards of a run as parts of it', async () => {
    const stores = await openStores()
    const base = report(0, [])
    const shard = (name: string, number: number): ExitReport => ({
      ...base,
      metadata: { ...base.metadata, shard: name },
      results: [exampleResult(number, 'timeout')],
    })
    expect(await process(stores, shard('0/2', 1))).toMatchObject({ outcome: 'processed' })
    expect(await process(stores, shard('1/2', 2))).toMatchObject({ outcome: 'processed' })
    expect(await process(stores, shard('1/2', 2))).toMatchObject({ outcome: 'known' })
    expect((await stores.incidents.exitStates()).size).toBe(2)
  })

  test('goes on where it was when the stores are opened again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'candor-incidents-'))
    onTestFinished(() => {
      rmSync(directory, { recursive: true })
    })
    const told: number[] = []
    for (let index = 0; index < 4; index++) {
      const stores = await openAlertStores(directory, 'test')
      const { opened, reminded } = await process(stores, report(index, ['dns_fail']))
      told.push(opened * 10 + reminded)
      await stores[Symbol.asyncDispose]()
    }
    expect(told).toEqual([0, 0, 10, 1])
  })
})
