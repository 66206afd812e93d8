import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CliCapabilities } from '../../src/cli/cli-context.ts'
import { FileError } from '../../src/core/files.ts'
import { ProcessError } from '../../src/core/process-runner.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { logged, startDaemon, type RunningDaemon } from './serve-daemon.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** A machine without Tor, whose disk is full for journals as long as `isFull` says so. */
function createMachine(isFull: () => boolean): Partial<CliCapabilities> {
  const openAppend: typeof nodeFiles.openAppend = (path, mode, truncateTo) =>
    isFull() && path.includes('journal_')
      ? Promise.reject(new FileError('ENOSPC', path))
      : nodeFiles.openAppend(path, mode, truncateTo)
  return {
    files: { ...nodeFiles, openAppend },
    processes: { ...nodeProcesses, start: (command) => Promise.reject(new ProcessError('ENOENT', command)) },
  }
}

async function problems({ client }: RunningDaemon): Promise<readonly string[]> {
  return (JSON.parse((await client.get('/api/v1/daemon')).text) as { readonly problems: readonly string[] }).problems
}

async function order({ client }: RunningDaemon): Promise<string> {
  const { status, text } = await client.post('/api/v1/runs', {})
  expect({ status, text }).toMatchObject({ status: 202 })
  return (JSON.parse(text) as { readonly run_id: string }).run_id
}

async function lastRun({ client }: RunningDaemon): Promise<unknown> {
  return (JSON.parse((await client.get('/api/v1/campaigns/exits')).text) as { readonly last: unknown }).last
}

describe('candor serve', () => {
  test('stays up when the disk is full, says so, and resumes the run when there is room', async () => {
    const directory = makeTemporaryDirectory()
    const config = `[exits]\nmode = "nxdomain"\nanalysis_dir = "${join(directory, 'results')}"`
    let isFull = true
    const machine = createMachine(() => isFull)
    const first = await startDaemon(config, directory, {}, machine)
    const runId = await order(first)
    await expect.poll(() => problems(first)).toEqual([`Run ${runId} waits to be resumed: the disk is full`])
    expect((await first.client.get('/healthz')).status).toBe(200)
    expect((await first.client.post('/api/v1/runs', {})).status).toBe(409)
    expect(await lastRun(first)).toBeNull()
    expect(await first.stop()).toBe(0)
    isFull = false
    const second = await startDaemon(config, directory, {}, machine)
    expect(logged(second, 'daemon.run.resumed')).toMatchObject([{ run_id: runId }])
    await expect.poll(() => lastRun(second)).toMatchObject({ run_id: runId, outcome: 'failed' })
    expect(await problems(second)).toEqual([])
  })

  test('says why a run failed, and takes the next order', async () => {
    const directory = makeTemporaryDirectory()
    const config = `[exits]\nmode = "nxdomain"\nanalysis_dir = "${join(directory, 'results')}"`
    const daemon = await startDaemon(
      config,
      directory,
      {},
      createMachine(() => false),
    )
    const runId = await order(daemon)
    await expect
      .poll(() => lastRun(daemon))
      .toMatchObject({
        run_id: runId,
        outcome: 'failed',
        message: expect.stringContaining('tor') as string,
      })
    expect(await order(daemon)).not.toBe(runId)
  })

  test('takes no order when nothing is configured to be measured', async () => {
    const daemon = await startDaemon()
    expect((await daemon.client.post('/api/v1/runs', {})).status).toBe(503)
    expect(await problems(daemon)).toEqual([expect.stringContaining('Exits are not measured')])
  })
})
