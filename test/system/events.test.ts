/** Events of a real run, for a reader that loses its connection and whose daemon is killed: no gap, nothing twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEventReader, type EventReader, type ReadEvent } from './event-reader.ts'
import { eventually, hasTor, readReport, startTestLaboratory, type TestLaboratory } from './laboratory-run.ts'
import { ask, logged, makeDaemonHome, startDaemon, type DaemonHome, type RunningDaemon } from './serve-run.ts'

const EXITS = 6

describe.skipIf(!hasTor)('events of a run in a laboratory', () => {
  let laboratory: TestLaboratory
  let home: DaemonHome
  let runId: string
  const started: RunningDaemon[] = []

  beforeAll(async () => {
    laboratory = await startTestLaboratory({ size: { authorities: 3, middles: 1, exits: EXITS }, seed: 'events' })
    home = await makeDaemonHome(laboratory)
  })
  afterAll(async () => {
    for (const daemon of started) daemon.kill('SIGKILL')
    await laboratory[Symbol.asyncDispose]()
  })

  async function start(): Promise<RunningDaemon> {
    const daemon = await startDaemon(home)
    started.push(daemon)
    return daemon
  }

  function urlOf(daemon: RunningDaemon): string {
    return logged(daemon.stderr(), 'daemon.started')[0]?.['url'] as string
  }

  function told({ events }: EventReader): readonly string[] {
    return events.filter(({ event }) => event === 'result').map(({ data }) => String(data['exit_fingerprint']))
  }

  const isResult = ({ event }: ReadEvent): boolean => event === 'result'
  const isDone = ({ event, data }: ReadEvent): boolean =>
    event === 'run' && data['phase'] === 'done' && data['run_id'] === runId

  test('reach a reader that loses its connection at every result, and the daemon at the third', async () => {
    const reader = createEventReader()
    const first = await start()
    const { text } = await first.client.post('/api/v1/runs', { campaign: 'exits' })
    runId = (JSON.parse(text) as { readonly run_id: string }).run_id
    for (let result = 0; result < 3; result++) expect(await reader.read(urlOf(first), isResult)).toBe(true)
    first.kill('SIGKILL')
    await first.outcome
    const second = await start()
    // Every connection but the last ends at a result.
    for (let result = 3; result < EXITS; result++) await reader.read(urlOf(second), isResult)
    expect(reader.events.some(isDone) || (await reader.read(urlOf(second), isDone))).toBe(true)
    const { results } = await readReport(home.analysisDir)
    expect(told(reader)).toHaveLength(EXITS)
    expect(new Set(told(reader))).toEqual(new Set(results.map((result) => result.exit_fingerprint)))
    expect(reader.events.filter(isResult).map(({ id }) => id?.split('~')[0])).toEqual(
      Array.from({ length: EXITS }, (_, index) => `${runId}.${index + 1}`),
    )
    expect(reader.events.filter(({ event }) => event === 'gap')).toEqual([])
    second.kill('SIGTERM')
    await second.outcome
  })

  test('reach a reader that comes back after the run, from a daemon that was not there', async () => {
    const daemon = await start()
    const isKept = await eventually(async () => {
      const { runs } = await ask<{ readonly runs: readonly unknown[] }>(daemon.client, '/api/v1/runs')
      return runs.length === 1
    }, 20_000)
    expect(isKept).toBe(true)
    const [whole, late] = [createEventReader(`${runId}.0`), createEventReader(`${runId}.4`)]
    expect(await whole.read(urlOf(daemon), isDone)).toBe(true)
    expect(await late.read(urlOf(daemon), isDone)).toBe(true)
    expect(told(whole)).toHaveLength(EXITS)
    expect(told(late)).toEqual(told(whole).slice(4))
    daemon.kill('SIGTERM')
    await daemon.outcome
  })
})
