import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import type { ExitResult } from '../../src/model/exit-result.ts'
import { openExitArchive } from '../../src/store/exit-archive.node.ts'
import {
  eventually,
  hasTor,
  misclassified,
  readJournalLines,
  readReport,
  startCandor,
  startTestLaboratory,
  type JournalLine,
  type TestLaboratory,
} from './laboratory-run.ts'
import { ask, logged, makeDaemonHome, startDaemon, type DaemonHome } from './serve-run.ts'

/** How often a daemon is killed at a random moment of one run. */
const KILLS = process.env['CANDOR_TEST_FULL'] === undefined ? 3 : 20
const EXITS = 6

interface Campaign {
  readonly running_id: string | null
  readonly last: { readonly run_id: string; readonly outcome: string } | null
}

/** Results that the journal had acknowledged, by fingerprint. */
function acknowledged(lines: readonly JournalLine[]): ReadonlyMap<string, ExitResult> {
  const results = lines.filter(({ kind }) => kind === 'result').map((line) => line['result'] as ExitResult)
  return new Map(results.map((result) => [result.exit_fingerprint, result]))
}

/** What must not change once it was acknowledged. */
function evidenceOf(result: ExitResult | undefined): unknown {
  return { status: result?.status, names: result?.attempts.map(({ query_domain: name }) => name) }
}

async function waitUntilEnded(client: Parameters<typeof ask>[0], runId: string): Promise<Campaign['last']> {
  let last: Campaign['last'] = null
  const hasEnded = await eventually(async () => {
    ;({ last } = await ask<Campaign>(client, '/api/v1/campaigns/exits'))
    return last?.run_id === runId
  }, 180_000)
  expect(hasEnded).toBe(true)
  return last
}

describe.skipIf(!hasTor)('candor serve in a laboratory', () => {
  let laboratory: TestLaboratory
  beforeAll(async () => {
    laboratory = await startTestLaboratory({ size: { authorities: 3, middles: 1, exits: EXITS }, seed: 'serve' })
  })
  afterAll(async () => {
    await laboratory[Symbol.asyncDispose]()
  })

  async function expectOneRun({ dataDir, analysisDir }: DaemonHome, runId: string): Promise<void> {
    const archive = await openExitArchive(join(dataDir, 'history.db'))
    try {
      // The daemon may just have ended the run; what follows a run comes after that.
      expect(await eventually(async () => (await archive.run(runId)) !== undefined, 20_000)).toBe(true)
      const runs = await archive.runs(null, 10)
      expect(runs.map((run) => run.runId)).toEqual([runId])
      expect(await archive.rows(runId)).toHaveLength(EXITS)
    } finally {
      await archive.close()
    }
    expect((await readdir(analysisDir)).filter((name) => name.startsWith('dnshealth_'))).toHaveLength(1)
    const log = await stat(join(dataDir, 'logs', `run_${runId}.jsonl`))
    expect(log.mode & 0o777).toBe(0o600)
  }

  test(`loses nothing that was acknowledged when it is killed ${KILLS} times during a run`, async () => {
    const home = await makeDaemonHome(laboratory)
    const random = createSeededRandom('kills')
    let daemon = await startDaemon(home)
    const started = await daemon.client.post('/api/v1/runs', { campaign: 'exits' })
    expect(started.status).toBe(202)
    const { run_id: runId } = JSON.parse(started.text) as { readonly run_id: string }
    const known = new Map<string, ExitResult>()
    for (let kill = 0; kill < KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, randomInt(random, 15_000)))
      daemon.kill('SIGKILL')
      await daemon.outcome
      for (const [fingerprint, result] of acknowledged(await readJournalLines(home.analysisDir))) {
        known.set(fingerprint, known.get(fingerprint) ?? result)
      }
      daemon = await startDaemon(home)
      const campaign = await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')
      expect([campaign.running_id, campaign.last?.run_id]).toContain(runId)
    }
    expect(await waitUntilEnded(daemon.client, runId)).toMatchObject({ outcome: 'complete' })
    const { results } = await readReport(home.analysisDir)
    for (const [fingerprint, result] of known) {
      const final = results.find(({ exit_fingerprint: other }) => other === fingerprint)
      expect(evidenceOf(final)).toEqual(evidenceOf(result))
    }
    expect(results).toHaveLength(EXITS)
    expect(misclassified(laboratory.laboratory, results)).toEqual([])
    await expectOneRun(home, runId)
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
  })

  test('ends within ten seconds of SIGTERM during a run, and the next one resumes it', async () => {
    const home = await makeDaemonHome(laboratory)
    const first = await startDaemon(home)
    const { text } = await first.client.post('/api/v1/runs', { campaign: 'exits' })
    const { run_id: runId } = JSON.parse(text) as { readonly run_id: string }
    const isScanning = async (): Promise<boolean> =>
      (await ask<{ readonly phase: string }>(first.client, '/api/v1/runs/current')).phase === 'scanning'
    expect(await eventually(isScanning, 60_000)).toBe(true)
    const stream = await fetch(`${logged(first.stderr(), 'daemon.started')[0]?.['url'] as string}api/v1/events`)
    const startMs = performance.now()
    first.kill('SIGTERM')
    expect((await first.outcome).status).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(12_000)
    await expect(stream.text()).rejects.toThrow('terminated')
    const second = await startDaemon(home)
    expect(logged(second.stderr(), 'daemon.run.resumed')).toMatchObject([{ run_id: runId }])
    expect(await waitUntilEnded(second.client, runId)).toMatchObject({ outcome: 'complete' })
    await expectOneRun(home, runId)
    second.kill('SIGTERM')
    expect((await second.outcome).status).toBe(0)
  })

  test('makes the run of a command beside it, which prints the same records and can end it', async () => {
    const home = await makeDaemonHome(laboratory)
    const daemon = await startDaemon(home)
    const run = ['exits', 'run', '--data-dir', home.dataDir]
    const refused = await startCandor([...run, '--mode', 'nxdomain'], laboratory.environment).outcome
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--mode') })
    const command = startCandor([...run, '--format', 'jsonl', '--fail-on', 'low'], laboratory.environment)
    const isScanning = async (): Promise<boolean> =>
      (await ask<{ readonly phase: string }>(daemon.client, '/api/v1/runs/current')).phase === 'scanning'
    expect(await eventually(isScanning, 60_000)).toBe(true)
    const busy = await startCandor([...run, '--skip-if-busy'], laboratory.environment).outcome
    expect(busy).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('skipped') })
    const outcome = await command.outcome
    expect(outcome.status).toBe(4)
    const printed = outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ExitResult)
    expect(printed).toEqual((await readReport(home.analysisDir)).results)
    const stopped = startCandor([...run, '--format', 'jsonl'], laboratory.environment)
    expect(await eventually(isScanning, 60_000)).toBe(true)
    stopped.kill('SIGINT')
    expect((await stopped.outcome).status).toBe(130)
    const { last } = await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')
    expect(last?.outcome).toBe('interrupted')
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
  })

  test('follows its schedule', async () => {
    const home = await makeDaemonHome(laboratory, { exits: '* * * * *' })
    const daemon = await startDaemon(home)
    expect(await eventually(() => logged(daemon.stderr(), 'daemon.schedule.served').length > 0, 90_000)).toBe(true)
    expect((await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')).running_id).toMatch(/^\d{14}$/)
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
  })
})
