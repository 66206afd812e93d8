/** A run over open resolvers that the daemon makes: ordered over its socket, killed in the middle, resumed, and shown. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findDaemon } from '../../src/cli/daemon-client.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { eventually, startCandor, type RunningCommand } from './laboratory-run.ts'

interface RunsAnswer {
  readonly runs: readonly {
    readonly run_id: string
    readonly resolvers: number
    readonly domains: number
    readonly pairs: number
    readonly cells: number
  }[]
}

/** Silent resolvers are waited for: three quarters of a minute. */
describe.skipIf(process.env['CANDOR_TEST_FULL'] !== '1')('candor serve, satellite (npm run test:full)', () => {
  const root = mkdtempSync(join(tmpdir(), 'candor-satellite-'))
  const laboratory = join(root, 'lab')
  const dataDir = join(root, 'data')
  const config = join(root, 'candor.toml')
  /** What has to end, also when something does not begin. */
  const undo = new AsyncDisposableStack()
  let daemon: RunningCommand
  let url: string

  const startDaemon = async (): Promise<RunningCommand> => {
    const words = ['--config', config, '--verbosity', 'info', 'lab', 'run', '--directory', laboratory, '--', 'serve']
    const command = startCandor(words, {})
    await eventually(() => command.stderr().includes('daemon.started'), 60_000)
    url = /"url":"([^"]+)"/.exec(command.stderr())?.[1] ?? ''
    if (url === '') throw new Error(`the daemon did not start: ${command.stderr()}`)
    return command
  }

  beforeAll(async () => {
    const words = ['lab', 'up', '--worlds', 'satellite', '--resolvers', '20', '--names', '30', '--seed', 'daemon']
    undo.defer(() => {
      rmSync(root, { recursive: true, force: true })
    })
    const lab = startCandor([...words, '--directory', laboratory], {})
    undo.defer(async () => {
      lab.kill('SIGTERM')
      await lab.outcome
    })
    await eventually(() => lab.stderr().includes('Ready'), 60_000)
    const file = (name: string): string => join(laboratory, 'satellite', name)
    writeFileSync(
      config,
      `data_dir = "${dataDir}"
[serve]
port = 0
[schedule]
exits = "never"
[satellite]
addresses = "${file('addresses.txt')}"
domains = "${file('domains.txt')}"
control = "${file('control.txt')}"
special = "${file('special.txt')}"
blocklist = "${file('blocklist.txt')}"
opt_out = "${file('opt-out.txt')}"
probe_name = "probe.satellite.candor.test"
probe_answer = "198.51.100.53"
liveness_name = "live.satellite.candor.test"
`,
    )
    daemon = await startDaemon()
    undo.defer(async () => {
      daemon.kill('SIGTERM')
      await daemon.outcome
    })
  }, 180_000)

  afterAll(async () => {
    await undo.disposeAsync()
  }, 60_000)

  test('goes on after the daemon was killed, and is shown when it is complete', { timeout: 180_000 }, async () => {
    const client = await findDaemon(nodeFiles, dataDir)
    const { status, text } = (await client?.post('/api/v1/runs', { campaign: 'satellite' })) ?? { status: 0, text: '' }
    expect([status, text]).toEqual([202, expect.stringContaining('/api/v1/satellite/runs/')])
    const { run_id: runId } = JSON.parse(text) as { readonly run_id: string }
    // Questions are under way, and not all of them are answered.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    daemon.kill('SIGKILL')
    await daemon.outcome
    daemon = await startDaemon()
    const readRuns = async (): Promise<RunsAnswer> =>
      (await (await fetch(new URL('/api/v1/satellite/runs', url))).json()) as RunsAnswer
    expect(await eventually(async () => (await readRuns()).runs.length > 0, 120_000)).toBe(true)
    const [run] = (await readRuns()).runs
    expect(run).toMatchObject({ run_id: runId, domains: 30 })
    expect(run?.pairs).toBe((run?.resolvers ?? 0) * 30)
    expect(run?.cells).toBeGreaterThan(0)
    const page = await (await fetch(new URL('/satellite', url))).text()
    expect(page).toContain(`${run?.resolvers} resolvers`)
  })
})
