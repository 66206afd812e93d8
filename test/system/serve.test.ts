import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DaemonClient } from '../../src/cli/daemon-client.ts'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import { startWebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import type { ExitResult } from '../../src/model/exit-result.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openExitArchive } from '../../src/store/exit-archive.node.ts'
import {
  eventually,
  hasTor,
  misclassified,
  readReport,
  startCandor,
  startTestLaboratory,
  type TestLaboratory,
} from './laboratory-run.ts'
import { ask, logged, makeDaemonHome, readEvents, startDaemon, type DaemonHome } from './serve-run.ts'

const SECRET = 'a-secret-of-the-test'
/** How often a daemon is killed at a random moment. */
const KILLS = process.env['CANDOR_TEST_FULL'] === undefined ? 3 : 20
const EXITS = 6

interface ChannelFacts {
  readonly waiting: number
  readonly dead: number
}

interface Campaign {
  readonly running_id: string | null
  readonly last: { readonly run_id: string; readonly outcome: string } | null
}

/** Results that the journals had acknowledged, by run and fingerprint. */
async function acknowledged(
  { analysisDir }: DaemonHome,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, ExitResult>> {
  const found = new Map<string, ExitResult>()
  for (const runId of runIds) {
    const text = await readFile(join(analysisDir, `journal_${runId}.jsonl`), 'utf8').catch(() => '')
    for (const line of text.split('\n').filter((each) => each.endsWith('}'))) {
      const { kind, result } = JSON.parse(line) as { readonly kind: string; readonly result: ExitResult }
      if (kind === 'result') found.set(`${runId} ${result.exit_fingerprint}`, result)
    }
  }
  return found
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks for a run. @returns Its id. */
async function order(client: DaemonClient): Promise<string> {
  const { status, text } = await client.post('/api/v1/runs', { campaign: 'exits' })
  expect(status).toBe(202)
  return (JSON.parse(text) as { readonly run_id: string }).run_id
}

async function phaseOf(client: DaemonClient): Promise<string> {
  return (await ask<{ readonly phase: string }>(client, '/api/v1/runs/current')).phase
}

/** What must not change once it was acknowledged. */
function evidenceOf(result: ExitResult | undefined): unknown {
  return { status: result?.status, names: result?.attempts.map(({ query_domain: name }) => name) }
}

async function waitUntilEnded(client: DaemonClient, runId: string): Promise<Campaign['last']> {
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

  async function expectKept({ dataDir, analysisDir }: DaemonHome, runIds: readonly string[]): Promise<void> {
    const archive = await openExitArchive(join(dataDir, 'history.db'))
    try {
      // The daemon may just have ended the run; what follows a run comes after that.
      expect(await eventually(async () => (await archive.run(runIds.at(-1) ?? '')) !== undefined, 20_000)).toBe(true)
      expect((await archive.runs(null, 100)).map((run) => run.runId)).toEqual(runIds.toReversed())
      for (const runId of runIds) expect(await archive.rows(runId)).toHaveLength(EXITS)
    } finally {
      await archive.close()
    }
    expect((await readdir(analysisDir)).filter((name) => name.startsWith('dnshealth_'))).toHaveLength(runIds.length)
    for (const runId of runIds) {
      expect((await stat(join(dataDir, 'logs', `run_${runId}.jsonl`))).mode & 0o777).toBe(0o600)
    }
  }

  test(`loses nothing and tells nobody twice when it is killed ${KILLS} times`, { timeout: 900_000 }, async () => {
    await using receiver = await startWebhookReceiver({ secret: SECRET, clock: nodeClock })
    const home = await makeDaemonHome(laboratory, {
      more: `[alerts]\nrule = "two_in_a_row"\n[[alerts.channels]]\nname = "ops"\nkind = "webhook"\nurl = "${receiver.url}"\n`,
    })
    const random = createSeededRandom('kills')
    const known = new Map<string, ExitResult>()
    let daemon = await startDaemon(home, { CANDOR_WEBHOOK_SECRET: SECRET })
    const reader = readEvents(() => logged(daemon.stderr(), 'daemon.started')[0]?.['url'] as string | undefined)
    const runIds: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const { running_id: running } = await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')
      if (running === null) runIds.push(await order(daemon.client))
      // Most kills hit the scan, some whatever comes before and after it.
      if (randomInt(random, 4) > 0) {
        await eventually(async () => (await phaseOf(daemon.client)) === 'scanning', 60_000)
        await pause(randomInt(random, 3_000))
      } else await pause(randomInt(random, 15_000))
      daemon.kill('SIGKILL')
      await daemon.outcome
      for (const [key, result] of await acknowledged(home, runIds)) known.set(key, known.get(key) ?? result)
      daemon = await startDaemon(home, { CANDOR_WEBHOOK_SECRET: SECRET })
    }
    while (runIds.length < 2 || (await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')).running_id !== null) {
      const { running_id: running } = await ask<Campaign>(daemon.client, '/api/v1/campaigns/exits')
      if (running === null) runIds.push(await order(daemon.client))
      await waitUntilEnded(daemon.client, runIds.at(-1) ?? '')
    }
    await expectKept(home, runIds)
    for (const [key, result] of known) {
      const [runId = '', fingerprint] = key.split(' ')
      const { results } = await readReport(home.analysisDir, `dnshealth_${runId.slice(0, 8)}_${runId.slice(8)}.json`)
      const final = results.find(({ exit_fingerprint: other }) => other === fingerprint)
      expect(evidenceOf(final)).toEqual(evidenceOf(result))
    }
    const { results } = await readReport(home.analysisDir)
    expect(results).toHaveLength(EXITS)
    expect(misclassified(laboratory.laboratory, results)).toEqual([])
    // Nothing is left to be done or to be sent, and what was sent is what arrived, each once.
    const isQuiet = async (): Promise<boolean> => {
      const { pending_steps: steps } = await ask<{ readonly pending_steps: readonly unknown[] }>(
        daemon.client,
        '/api/v1/daemon',
      )
      const { channels } = await ask<{ readonly channels: readonly ChannelFacts[] }>(daemon.client, '/api/v1/alerts')
      return steps.length === 0 && channels.every(({ waiting, dead }) => waiting === 0 && dead === 0)
    }
    expect(await eventually(isQuiet, 60_000)).toBe(true)
    const { incidents } = await ask<{ readonly incidents: readonly unknown[] }>(daemon.client, '/api/v1/incidents')
    expect(incidents.length).toBeGreaterThan(0)
    const { deliveries } = await ask<{ readonly deliveries: readonly { readonly message_id: string }[] }>(
      daemon.client,
      '/api/v1/alerts/deliveries',
    )
    const sent = deliveries.map(({ message_id: id }) => id)
    expect(sent.length).toBeGreaterThan(0)
    expect([...receiver.arrivals.keys()].toSorted()).toEqual(sent.toSorted())
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
    expect([...receiver.arrivals.values()].filter((count) => count !== 1)).toEqual([])
    reader.stop()
    for (const runId of runIds) {
      const told = reader.events.filter(({ event, id }) => event === 'result' && id.startsWith(runId))
      expect(told.map(({ id }) => id.split('~')[0])).toEqual(told.map((_, index) => `${runId}.${index + 1}`))
      expect(told).toHaveLength(EXITS)
    }
  })

  test('ends within ten seconds of SIGTERM during a run, and the next one resumes it', async () => {
    const home = await makeDaemonHome(laboratory)
    const first = await startDaemon(home)
    const runId = await order(first.client)
    const isScanning = async (): Promise<boolean> => (await phaseOf(first.client)) === 'scanning'
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
    await expectKept(home, [runId])
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
    const isScanning = async (): Promise<boolean> => (await phaseOf(daemon.client)) === 'scanning'
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
