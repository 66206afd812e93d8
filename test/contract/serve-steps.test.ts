import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatExitReport } from '../../src/campaigns/exits/exit-report.ts'
import { startObjectStore } from '../../src/lab/object-store.ts'
import { startWebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { exampleFingerprint, exampleReport } from '../exit-fixtures/example-report.ts'
import { logged, startDaemon, type RunningDaemon } from './serve-daemon.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const SECRET = 'a-secret-of-the-test'
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'another-secret-of-the-test' }
const ENVIRONMENT = {
  CANDOR_WEBHOOK_SECRET: SECRET,
  CANDOR_STORE_LAB_ACCESS_KEY_ID: KEYS.accessKeyId,
  CANDOR_STORE_LAB_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
}

interface DaemonFacts {
  readonly stores: readonly {
    readonly name: string
    readonly synced_at: string | null
    readonly failure: string | null
  }[]
  readonly pending_steps: readonly {
    readonly step: string
    readonly attempts: number
    readonly message: string | null
  }[]
}

/** Writes the report of a run in which relay 1 fails and relay 2 does not. */
function writeReport(analysisDir: string, runId: string): void {
  mkdirSync(analysisDir, { recursive: true })
  const [, month, day, hour] = /^2026(\d\d)(\d\d)(\d\d)/.exec(runId) ?? []
  const report = exampleReport(['wrong_ip', 'success'], {
    run_id: runId,
    timestamp: `2026-${month}-${day}T${hour}:10:00.000Z`,
  })
  writeFileSync(join(analysisDir, `dnshealth_${runId.slice(0, 8)}_${runId.slice(8)}.json`), formatExitReport(report))
}

async function askDaemon({ client }: RunningDaemon): Promise<DaemonFacts> {
  return JSON.parse((await client.get('/api/v1/daemon')).text) as DaemonFacts
}

async function pendingSteps(daemon: RunningDaemon): Promise<DaemonFacts['pending_steps']> {
  return (await askDaemon(daemon)).pending_steps
}

async function runIds({ client }: RunningDaemon): Promise<readonly string[]> {
  const { text } = await client.get('/api/v1/runs')
  return (JSON.parse(text) as { readonly runs: readonly { readonly run_id: string }[] }).runs.map((run) => run.run_id)
}

describe('candor serve', () => {
  test('takes in what was measured without it, and tells and publishes what is new, once', async () => {
    const directory = makeTemporaryDirectory()
    const analysisDir = join(directory, 'results')
    await using receiver = await startWebhookReceiver({ secret: SECRET, clock: nodeClock })
    const options = { ...KEYS, region: 'us-east-1', bucket: 'results', clock: nodeClock }
    // A port that nobody listens on just now.
    const port = await (async () => {
      await using once = await startObjectStore(options)
      return Number(new URL(once.url).port)
    })()
    const config = [
      `[exits]\nanalysis_dir = "${analysisDir}"`,
      '[alerts]\nrule = "two_in_a_row"',
      `[[alerts.channels]]\nname = "ops"\nkind = "webhook"\nurl = "${receiver.url}"`,
      `[publish]\nattempts = 1\n[[publish.stores]]\nname = "lab"\nendpoint = "http://127.0.0.1:${port}"\nbucket = "results"`,
    ].join('\n')
    writeReport(analysisDir, '20260101000000')
    writeReport(analysisDir, '20260101060000')
    const first = await startDaemon(config, directory, ENVIRONMENT)
    await expect.poll(() => runIds(first), { timeout: 10_000 }).toEqual(['20260101060000', '20260101000000'])
    expect(await pendingSteps(first)).toEqual([])
    expect(await first.stop()).toBe(0)

    writeReport(analysisDir, '20260101120000')
    writeReport(analysisDir, '20260101180000')
    const second = await startDaemon(config, directory, ENVIRONMENT)
    await expect.poll(() => receiver.webhooks.length, { timeout: 10_000 }).toBe(1)
    expect(await runIds(second)).toHaveLength(4)
    // Publication fails, and holds up nothing else.
    await expect
      .poll(async () => (await pendingSteps(second)).map(({ step }) => step))
      .toEqual(['publication', 'publication'])
    await expect.poll(async () => (await pendingSteps(second))[0]?.message ?? '').toContain('lab')
    expect((await askDaemon(second)).stores).toMatchObject([{ name: 'lab', synced_at: null }])
    expect(await second.stop()).toBe(0)

    await using store = await startObjectStore({ ...options, port })
    const third = await startDaemon(config, directory, ENVIRONMENT)
    await expect.poll(() => pendingSteps(third), { timeout: 10_000 }).toEqual([])
    expect([...store.objects.keys()].filter((key) => key.startsWith('dnshealth_'))).toHaveLength(4)
    expect((await askDaemon(third)).stores).toEqual([
      { name: 'lab', synced_at: expect.any(String) as string, failure: null },
    ])
    const status = await runSimulatedCli(['status', '--data-dir', third.dataDir])
    expect(status.stdout).toMatch(/^store +lab: complete 20/m)
    expect(status.stdout).toMatch(/^archive +0\.\d of 5120 MiB/m)
    expect(logged(third, 'daemon.step.failed')).toEqual([])
    expect(await third.stop()).toBe(0)
    expect([...receiver.arrivals.values()]).toEqual([1])
    expect(JSON.parse(receiver.webhooks[0]?.body ?? '')).toMatchObject({
      event: 'new',
      alerts: [{ fingerprint: exampleFingerprint(1), failure_type: 'wrong_ip', consecutive_count: 2 }],
    })
  })
})
