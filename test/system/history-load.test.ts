/**
 * A year of history under eight readers, while runs are added by the daemon itself and by another process. The short form
 * has two weeks of a small network; `npm run test:full` has the year. What is bounded is processor time per answer, which
 * other work on the machine hardly changes; how long readers waited is printed.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildExitReport, formatExitReport } from '../../src/campaigns/exits/exit-report.ts'
import { createSeededRandom, randomInt, type Random } from '../../src/core/random.ts'
import type { ExitRow } from '../../src/model/exit-archive.ts'
import { openExitArchive, type ExitArchiveStore } from '../../src/store/exit-archive.node.ts'
import { eventually, startCandor, type RunningCommand } from './laboratory-run.ts'
import { describeLoad, loadPages, readCpuMs, watchMemory, type AddressKind } from './load-clients.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const SIZE = isFull ? { runs: 1460, relays: 3100 } : { runs: 60, relays: 400 }
const REQUESTS = isFull ? 4000 : 400
const WARM_UP = 50
const CLIENTS = 8
/**
 * Runs that the daemon finds and reads when it starts, and runs that another process brings. In the year, none is found:
 * reading reports of 16 MB takes 70 MB more for once, and what is bounded here is serving.
 */
const ADOPTED = isFull ? 0 : 2
const IMPORTED = 2
const RSS_MAX_MB = 300
/** Eight readers who wait for one another wait eight times as long: 95 of 100 are then answered within 100 ms. */
const CPU_MAX_MS = 12
const HOUR_MS = 3_600_000

describe('candor serve with a history', () => {
  let root: string
  let daemon: RunningCommand
  let origin: string
  let kinds: readonly AddressKind[]
  const [dataDir, analysisDir, imported] = ['data', 'results', 'imported'] as const

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'candor-load-'))
    const history = ['lab', 'history', '--data-dir', join(root, dataDir), '--runs', `${SIZE.runs}`]
    const made = await startCandor([...history, '--relays', `${SIZE.relays}`], {}).outcome
    if (made.status !== 0) throw new Error(made.stderr)
    for (const name of [analysisDir, imported]) await mkdir(join(root, name))
    const archive = await openExitArchive(join(root, dataDir, 'history.db'))
    const runs = (await archive.runs(null, SIZE.runs)).map(({ runId }) => runId)
    kinds = listKinds(runs, (await archive.rows(runs[0] ?? '')) ?? [])
    await writeLaterRuns(archive, runs[0] ?? '')
    await archive.close()
    const config = join(root, 'candor.toml')
    await writeFile(config, `data_dir = "${join(root, dataDir)}"\n[serve]\nport = 0\n[schedule]\nexits = "never"\n`)
    // What Node makes of the sources is kept from here on; making it takes 80 MB that a daemon in use does not have.
    await startCandor(['serve', '--help'], { NODE_COMPILE_CACHE: join(root, 'compiled') }).outcome
    daemon = startCandor(['serve', '--config', config], {
      CANDOR_EXITS_ANALYSIS_DIR: join(root, analysisDir),
      NODE_COMPILE_CACHE: join(root, 'compiled'),
    })
    const isUp = await eventually(() => Promise.resolve(/"url":"[^"]+"/.test(daemon.stderr())), 60_000)
    if (!isUp) throw new Error(daemon.stderr())
    origin = /"url":"(http:[^"]+?)\/?"/.exec(daemon.stderr())?.[1] ?? ''
    const isJudged = (): boolean => daemon.stderr().split('daemon.incidents.judged').length > ADOPTED
    if (!(await eventually(() => Promise.resolve(isJudged()), 60_000))) throw new Error(daemon.stderr())
  })
  afterAll(async () => {
    daemon.kill('SIGKILL')
    await daemon.outcome
    await rm(root, { recursive: true, force: true })
  })

  /** The newest run again, some hours later: reports of full size, with evidence. */
  async function writeLaterRuns(archive: ExitArchiveStore, runId: string): Promise<void> {
    const run = await archive.run(runId)
    if (run === undefined) throw new Error('there is no run')
    const rows = (await archive.rows(runId)) ?? []
    const records = await Promise.all(rows.map((row) => archive.record(runId, row.exit_fingerprint)))
    const results = records.flatMap((record) => (record === undefined ? [] : [record.result]))
    for (let number = 1; number <= ADOPTED + IMPORTED; number++) {
      const moment = new Date(Date.parse(run.metadata.started_at) + number * HOUR_MS).toISOString()
      const id = moment.slice(0, 19).replaceAll(/[-:T]/g, '')
      const report = buildExitReport(
        results.map((result) => ({ ...result, run_id: id })),
        { ...run.metadata, run_id: id, timestamp: moment, started_at: moment, finished_at: moment },
      )
      const directory = number <= ADOPTED ? analysisDir : imported
      const name = `dnshealth_${id.slice(0, 8)}_${id.slice(8)}.json`
      await writeFile(join(root, directory, name), formatExitReport(report))
    }
  }

  test(`answers ${CLIENTS} readers while runs are added, in bounded memory`, { timeout: 600_000 }, async () => {
    const random = createSeededRandom('load')
    const memory = watchMemory(daemon.pid)
    const load = (requests: number): ReturnType<typeof loadPages> =>
      loadPages({ origin, kinds, clients: CLIENTS, requests, random })
    const warmUp = await load(WARM_UP)
    const importing = startCandor(['exits', 'import', join(root, imported), '--data-dir', join(root, dataDir)], {})
    const cpuBefore = await readCpuMs(daemon.pid)
    const answered = await load(REQUESTS)
    const cpuMs = ((await readCpuMs(daemon.pid)) - cpuBefore) / REQUESTS
    expect((await importing.outcome).status).toBe(0)
    const mostMb = await memory()
    const wrong = [...warmUp, ...answered].filter(({ status }) => status !== 200)
    expect(wrong.map(({ path, status }) => `${status} ${path}`)).toEqual([])
    const archive = await openExitArchive(join(root, dataDir, 'history.db'))
    expect(
      await eventually(async () => (await archive.usage()).runs >= SIZE.runs * 0.98 + ADOPTED + IMPORTED, 60_000),
    ).toBe(true)
    await archive.close()
    const report = `${describeLoad(answered)}\nmemory: ${mostMb.toFixed(0)} MB, processor: ${cpuMs.toFixed(1)} ms an answer`
    if (isFull) process.stdout.write(`${report}\n`)
    const isTooMuch = mostMb > RSS_MAX_MB || cpuMs > CPU_MAX_MS
    expect(isTooMuch ? report : 'within the bounds').toBe('within the bounds')
  })
})

/** Every page and list of exits, with every way to sort and filter it. */
function listKinds(runs: readonly string[], rows: readonly ExitRow[]): readonly AddressKind[] {
  const one = <T>(random: Random, items: readonly T[]): T => items[randomInt(random, items.length)] as T
  const run = (random: Random): string => `run=${one(random, runs)}`
  const filter = (random: Random): string => {
    const row = one(random, rows)
    const text = one<readonly [string, string | null | undefined]>(random, [
      ['standing', one(random, ['failing', 'suspect', 'sound', 'unreachable'])],
      ['status', one(random, ['success', 'timeout', 'dns_fail', 'circuit_fail'])],
      ['as', row.as?.split(' ')[0]],
      ['country', row.country],
      ['operator', row.operator],
      ['family', row.exit_fingerprint],
      ['first_hop', row.first_hop_fingerprint],
      ['address', row.exit_address],
      ['q', row.exit_nickname.slice(0, 4)],
    ])
    return text[1] === null || text[1] === undefined ? 'q=a' : `${text[0]}=${encodeURIComponent(text[1])}`
  }
  const sort = (random: Random): string =>
    `sort=${one(random, ['verdict', 'exit', 'address', 'network', 'country', 'operator', 'latency', 'failing', 'last_seen'])}&order=${one(random, ['asc', 'desc'])}`
  const group = (random: Random): string => `by=${one(random, ['address', 'as', 'operator', 'family', 'country'])}`
  const exit = (random: Random): string => one(random, rows).exit_fingerprint
  const kind = (name: string, draw: AddressKind['draw']): AddressKind => ({ name, draw })
  return [
    kind('/', (random) => `/?days=${one(random, ['7', '30', '90'])}`),
    kind('/exits', (random) => `/exits?${filter(random)}&${sort(random)}`),
    kind('/exits of a run', (random) => `/exits?${run(random)}&${filter(random)}&${sort(random)}`),
    kind('/exits, last page', (random) => `/exits?${run(random)}&${sort(random)}&cursor=z`),
    kind('/exits/groups', (random) => `/exits/groups?${group(random)}&${run(random)}`),
    kind('/exits/trend', (random) => `/exits/trend?days=${one(random, ['7', '30', '90'])}`),
    kind('/exits/{fingerprint}', (random) => `/exits/${exit(random)}`),
    kind('/runs', () => '/runs'),
    kind('/runs/{run}', (random) => `/runs/${one(random, runs)}`),
    kind('/api/v1/exits', (random) => `/api/v1/exits?${run(random)}&${filter(random)}&${sort(random)}`),
    kind('/api/v1/exits, last page', (random) => `/api/v1/exits?${run(random)}&${sort(random)}&cursor=z`),
    kind('/api/v1/exits/groups', (random) => `/api/v1/exits/groups?${group(random)}&${run(random)}`),
    kind('/api/v1/exits/{fingerprint}', (random) => `/api/v1/exits/${exit(random)}`),
    kind('/api/v1/exits/…/points', (random) => `/api/v1/exits/${exit(random)}/points?limit=50`),
    kind('/api/v1/runs', () => '/api/v1/runs'),
    kind('/api/v1/runs/{run}', (random) => `/api/v1/runs/${one(random, runs)}`),
    kind('/api/v1/health', () => '/api/v1/health'),
    kind('/api/stats', () => '/api/stats'),
    kind('/api/failures', () => '/api/failures'),
    kind('/metrics', () => '/metrics'),
  ]
}
