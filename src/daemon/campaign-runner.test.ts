import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { silentLog } from '../core/log.ts'
import type { RunRequest } from '../model/daemon-control.ts'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { createCampaignRunner } from './campaign-runner.ts'
import type { RunJob, RunReport } from './campaign-work.ts'
import { openDaemonState } from './daemon-state.ts'
import { createLatestRun } from './latest-run.ts'

const ALL: RunRequest = { campaign: 'exits', fingerprints: [], countries: [] }
const COMPLETE: RunReport = { kind: 'ended', outcome: 'complete', message: null, hasReport: true }

/** A runner whose runs end when the test says so. */
async function createWorld(directory = makeTemporaryDirectory()) {
  const clock = createVirtualClock()
  const state = await openDaemonState(join(directory, 'daemon.db'))
  onTestFinished(() => {
    state[Symbol.dispose]()
  })
  const jobs: { readonly job: RunJob; end(report: RunReport): void; fail(error: Error): void }[] = []
  const ended: string[] = []
  const taken = new Set<string>()
  const runner = createCampaignRunner({
    campaign: 'exits',
    clock,
    log: silentLog,
    state,
    work: {
      notConfigured: () => null,
      isTaken: (runId) => Promise.resolve(taken.has(runId)),
      run: (job) =>
        new Promise((end, fail) => {
          jobs.push({ job, end, fail })
        }),
    },
    live: createLatestRun(createRunProgress(clock)),
    steps: ['archive', 'publication'],
    onEnded: (runId) => ended.push(runId),
  })
  const settle = (): Promise<void> => clock.advance(0)
  return { clock, state, jobs, ended, taken, runner, settle }
}

describe('createCampaignRunner', () => {
  test('makes one run at a time, and notes what is to be done after it', async () => {
    const { runner, jobs, settle, state, ended } = await createWorld()
    expect(await runner.start(ALL)).toEqual({ started: true, runId: '20260131120000' })
    expect(await runner.start(ALL)).toMatchObject({ started: false, reason: 'busy' })
    await settle()
    jobs[0]?.end(COMPLETE)
    await settle()
    expect(ended).toEqual(['20260131120000'])
    expect(state.pendingSteps().map(({ step }) => step)).toEqual(['archive', 'publication'])
    expect(state.lastRun('exits')).toEqual({ runId: '20260131120000', outcome: 'complete', message: null })
    expect(runner.runningId()).toBeNull()
  })

  test('starts one of two that are asked for at the same time', async () => {
    const { runner } = await createWorld()
    const starts = await Promise.all([runner.start(ALL), runner.start(ALL)])
    expect(starts.map(({ started }) => started)).toEqual([true, false])
  })

  test('takes no id that somebody else has', async () => {
    const { runner, taken } = await createWorld()
    taken.add('20260131120000')
    expect(await runner.start(ALL)).toEqual({ started: true, runId: '20260131120001' })
  })

  test('leaves a run that ends with the daemon to the next process, with what was asked for', async () => {
    const directory = makeTemporaryDirectory()
    const request: RunRequest = { campaign: 'exits', fingerprints: ['A'.repeat(40)], countries: ['DE'] }
    const first = await createWorld(directory)
    await first.runner.start(request)
    await first.settle()
    const stopped = first.runner.shutDown()
    expect(first.jobs[0]?.job.signal.aborted).toBe(true)
    first.jobs[0]?.end({ ...COMPLETE, outcome: 'interrupted' })
    await stopped
    expect(await first.runner.start(ALL)).toMatchObject({ started: false, reason: 'stopping' })
    const second = await createWorld(directory)
    second.runner.resume()
    await second.settle()
    expect(second.jobs[0]?.job).toMatchObject({ runId: '20260131120000', isResumed: true, request })
    second.jobs[0]?.end(COMPLETE)
    await second.settle()
    expect(second.state.unfinishedRuns('exits')).toEqual([])
  })

  test('ends a run that a person stops', async () => {
    const { runner, jobs, settle, state } = await createWorld()
    await runner.start(ALL)
    await settle()
    expect(runner.stop('19990101000000')).toBe(false)
    expect(runner.stop('20260131120000')).toBe(true)
    jobs[0]?.end({ ...COMPLETE, outcome: 'interrupted' })
    await settle()
    expect(state.unfinishedRuns('exits')).toEqual([])
    expect(state.lastRun('exits')?.outcome).toBe('interrupted')
  })

  test('resumes a run that a full disk suspended, and starts no other meanwhile', async () => {
    const { runner, jobs, clock, settle } = await createWorld()
    await runner.start(ALL)
    await settle()
    jobs[0]?.end({ kind: 'suspended', message: 'the disk is full' })
    await settle()
    expect(runner.problem()).toContain('the disk is full')
    expect(await runner.start(ALL)).toMatchObject({ started: false, reason: 'busy' })
    await clock.advance(30_000)
    expect(jobs[1]?.job).toMatchObject({ runId: '20260131120000', isResumed: true })
    jobs[1]?.end(COMPLETE)
    await settle()
    expect(runner.problem()).toBeNull()
  })

  test('outlives a bug of a run', async () => {
    const { runner, jobs, settle, state } = await createWorld()
    await runner.start(ALL)
    await settle()
    jobs[0]?.fail(new TypeError('undefined is not a function'))
    await settle()
    expect(state.lastRun('exits')).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('A bug of Candor'),
    })
    expect(state.pendingSteps()).toEqual([])
    expect(await runner.start(ALL)).toMatchObject({ started: true })
  })

  test('ends a run again when its end could not be noted', async () => {
    const { runner, jobs, clock, settle, state, ended } = await createWorld()
    await runner.start(ALL)
    await settle()
    const endRun = state.endRun.bind(state)
    state.endRun = () => {
      throw new Error('the disk is full')
    }
    jobs[0]?.end(COMPLETE)
    await settle()
    expect(runner.problem()).toContain('the disk is full')
    expect(ended).toEqual([])
    state.endRun = endRun
    await clock.advance(30_000)
    expect(jobs[1]?.job.isResumed).toBe(true)
    jobs[1]?.end(COMPLETE)
    await settle()
    expect(ended).toEqual(['20260131120000'])
    expect(state.pendingSteps()).toHaveLength(2)
  })
})
