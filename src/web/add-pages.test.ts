import { beforeAll, describe, expect, test } from 'vitest'
import { createBuildingView, createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createDaemonFixture, type DaemonFixture } from '../../test/web-fixtures/daemon-fixture.ts'
import { createGeneratedHistory, type GeneratedHistory } from '../../test/web-fixtures/generated-history.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import { silentLog } from '../core/log.ts'
import { NO_DOCUMENTS } from '../model/document-source.ts'
import type { ExitRunSummary } from '../model/exit-archive.ts'
import { NOTHING_PUBLISHED } from '../model/published-source.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createWebApp, type WebApp } from './create-web-app.ts'

const IDLE: ExitRunView = { ...createBuildingView('No run goes on.'), phase: 'done' }
const NEWEST_AT_MS = nodeClock.wallNowMs() - 4 * 3_600_000

function createApp(
  archive: GeneratedHistory | undefined,
  view: ExitRunView = IDLE,
  daemon: Partial<DaemonFixture> = {},
): WebApp {
  return createWebApp({
    runs: createSettableRun(view),
    published: NOTHING_PUBLISHED,
    detectors: NO_DOCUMENTS,
    clock: nodeClock,
    log: silentLog,
    isLaboratory: false,
    hosts: () => [],
    version: '0.0.0',
    streamsMax: 1,
    ...(archive === undefined ? {} : { archive }),
    ...daemon,
  })
}

async function get(app: WebApp, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await app.fetch(new Request(`http://127.0.0.1${path}`))
  const plain = (await response.text()).replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
  const text = plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
  return { status: response.status, text }
}

describe('addPages', () => {
  let archive: GeneratedHistory
  let app: WebApp
  let runs: readonly ExitRunSummary[]

  beforeAll(async () => {
    archive = createGeneratedHistory({ relays: 200, runs: 1_450, newestAtMs: NEWEST_AT_MS })
    app = createApp(archive)
    runs = await archive.runs(null, 2_000)
  })

  test('shows the newest valid run with its age, and health over time', async () => {
    const { text } = await get(app, '/')
    expect(text).toMatch(/\d+ of \d+ exits measured: \d+\s?sound/)
    expect(text).toContain('4 h ago')
    expect(text).toMatch(/In the last 30 days, between .* of the measured exits failed/)
    expect(text).toContain('What changed')
  })

  test('answers every page of the year, and each refuses what it does not understand', async () => {
    const fingerprint = archive.fingerprint(7)
    const oldest = runs.at(-1)?.runId ?? ''
    const paths = [
      '/',
      '/?days=365',
      '/exits',
      '/exits/groups',
      '/exits/groups?by=family',
      '/exits/trend?days=7',
      '/runs',
    ]
    const more = [`/runs?before=${runs[49]?.runId}`, `/runs/${oldest}`, `/exits/${fingerprint}`, '/runs/current']
    for (const path of [...paths, ...more, `/exits?run=${runs[900]?.runId}&sort=failing&order=desc`])
      expect([path, (await get(app, path)).status]).toEqual([path, 200])
    for (const path of ['/?days=8', '/exits/groups?by=colour', '/runs?before=yesterday'])
      expect([path, (await get(app, path)).status]).toEqual([path, 400])
    for (const path of ['/runs/19990101000000', '/exits?run=19990101000000', `/exits/${'A'.repeat(40)}`])
      expect([path, (await get(app, path)).status]).toEqual([path, 404])
  })

  test('links each number of the sentence to as many exits', async () => {
    const page = await (await app.fetch(new Request('http://127.0.0.1/'))).text()
    const links = [...(/<h1>(.*?)<\/h1>/s.exec(page)?.[1]?.matchAll(/href="([^"]+)"\s*>\s*([\d,]+)/g) ?? [])]
    expect(links.length).toBeGreaterThan(2)
    for (const [, path = '', count = ''] of links)
      expect((await get(app, path.replaceAll('&amp;', '&'))).text).toContain(`${count} of `)
  })

  test('says that an invalid run accuses nobody, before any number', async () => {
    const invalid = runs.find(({ metadata }) => metadata.invalid !== null)
    const { text } = await get(app, `/runs/${invalid?.runId}`)
    expect(text).toContain('This run is invalid and accuses nobody.')
    expect(text).toContain('the direct control of the zone failed twice in a row')
    expect((await get(app, `/exits?run=${invalid?.runId}`)).text).toContain('accuses nobody')
  })

  test('says what retention gave up, and shows no rows then', async () => {
    const oldest = runs.at(-1)
    expect(oldest?.hasRows).toBe(false)
    expect((await get(app, `/runs/${oldest?.runId}`)).text).toContain('was given up by retention')
    expect((await get(app, `/exits?run=${oldest?.runId}`)).text).toContain('Of this run only the counts are kept')
    const withoutEvidence = runs.find(({ evidence, hasRows }) => evidence === 'none' && hasRows)
    const [row] = (await archive.rows(withoutEvidence?.runId ?? '')) ?? []
    const { text } = await get(app, `/exits/${row?.exit_fingerprint}?run=${withoutEvidence?.runId}`)
    expect(text).toContain('retention gave them up')
  })

  test('shows an earlier record of an exit as one, with the way to the newest', async () => {
    const fingerprint = archive.fingerprint(7)
    const { text } = await get(app, `/exits/${fingerprint}?run=${runs[40]?.runId}`)
    expect(text).toContain('This is an earlier run.')
    expect(text).toMatch(/The last 50 runs/)
    expect(text).toMatch(/DNS was measured at it on \d+ days of the last year/)
  })

  test('shows a run in which a relay was no candidate as saying nothing about it', async () => {
    const absent = runs.find(({ runId, hasRows }) => hasRows && runId < (runs[1_300]?.runId ?? ''))
    const rows = new Set((await archive.rows(absent?.runId ?? ''))?.map((row) => row.exit_fingerprint))
    const relay = Array.from({ length: 200 }, (_, index) => archive.fingerprint(index)).find((own) => !rows.has(own))
    const { text } = await get(app, `/exits/${relay}?run=${absent?.runId}`)
    expect(text).toContain('Not measured: it was no candidate of the run')
  })

  test('compares a run with the one before it', async () => {
    const valid = runs.find(({ metadata }) => metadata.invalid === null)
    expect((await get(app, `/runs/${valid?.runId}`)).text).toMatch(
      /Since the run of .*: (?:no|\d+) exits? fails? that did not/,
    )
  })

  test('lists every exit that differs between two runs, as many as it says', async () => {
    const valid = runs.find(({ metadata }) => metadata.invalid === null)
    const page = await (await app.fetch(new Request(`http://127.0.0.1/runs/${valid?.runId}/changes?span=day`))).text()
    const changes = await archive.changes(valid?.runId ?? '', 86_400_000)
    const listed = (id: string): number =>
      (new RegExp(`<section id="${id}".*?</section>`, 's').exec(page)?.[0].match(/<th scope="row">/g) ?? []).length
    expect([listed('newly-failing'), listed('recovered'), listed('appeared'), listed('left')]).toEqual([
      changes?.newlyFailing.length,
      changes?.recovered.length,
      changes?.appeared,
      changes?.gone,
    ])
    expect((await get(app, `/runs/${valid?.runId}/changes?span=week`)).status).toBe(400)
  })

  test('pages by cursor to the last exit, without a gap', async () => {
    const seen: string[] = []
    let path: string | undefined = '/exits?sort=latency'
    while (path !== undefined && seen.length < 1_000) {
      const page: string = await (await app.fetch(new Request(`http://127.0.0.1${path}`))).text()
      seen.push(
        ...[...page.matchAll(/<th scope="row">\s*<a href="\/exits\/([0-9A-F]{40})/g)].map(([, own = '']) => own),
      )
      path = /<a href="([^"]+)">next/.exec(page)?.[1]?.replaceAll('&amp;', '&')
    }
    const newest = await archive.latest()
    expect(seen.toSorted()).toEqual((await archive.rows(newest?.runId ?? ''))?.map((row) => row.exit_fingerprint))
  })

  test('shows the run that goes on beside the newest that was kept', async () => {
    const { text } = await get(createApp(archive, createRunView(23)), '/')
    expect(text).toContain('The run that goes on')
    expect(text).toContain('23 of 40 exits done')
    expect(text).toMatch(/22 of 40 exits measured so far: \d+\s?sound/)
  })

  test('begins the chart of a young archive with its first run', async () => {
    const young = createGeneratedHistory({ relays: 20, runs: 5, newestAtMs: NEWEST_AT_MS })
    const { text } = await get(createApp(young), '/')
    expect(text).toContain('Health since the first run')
    expect(text).toMatch(/Since the first run, 28 h ago, (?:between )?[\d.]+ %/)
  })

  test('shows an archive without any run as such', async () => {
    const empty = createApp(createGeneratedHistory({ relays: 3, runs: 0, newestAtMs: NEWEST_AT_MS }))
    expect((await get(empty, '/')).text).toContain('is kept, so there is no trend yet')
    expect((await get(empty, '/runs')).text).toContain('No run is kept yet.')
    expect((await get(empty, '/exits')).text).toContain('No exit is finished yet.')
  })

  describe('beside a daemon', () => {
    let daemon: DaemonFixture
    let watched: WebApp

    beforeAll(async () => {
      daemon = await createDaemonFixture(archive, NEWEST_AT_MS)
      watched = createApp(archive, IDLE, daemon)
    })

    test('names open incidents with their evidence, and what comes next', async () => {
      const open = await daemon.incidents.list({ status: 'open', limit: 1_000 })
      const { text } = await get(watched, '/')
      expect(open.length).toBeGreaterThan(0)
      expect(text).toMatch(new RegExp(`${open.length} incidents? (?:is|are) open`))
      expect(text).toMatch(/\d+ verdicts in a row over \d+ (?:h|days)/)
      expect(text).toContain('The next run is due at')
    })

    test('lists open and ended incidents, those of a day, and shows one with its runs and messages', async () => {
      const [open] = await daemon.incidents.list({ status: 'open', limit: 1 })
      const [closed] = await daemon.incidents.list({ status: 'closed', limit: 1 })
      expect((await get(watched, '/incidents')).text).toContain(open?.nickname ?? '?')
      expect((await get(watched, '/incidents?status=closed')).text).toMatch(/recovered \d{4}-\d\d-\d\d|lapsed/)
      const day = closed?.openedAt.slice(0, 10)
      expect((await get(watched, `/incidents?day=${day}`)).text).toContain(`began on ${day}`)
      const { text } = await get(watched, `/incidents/${open?.id}`)
      expect(text).toContain(`DNS at ${open?.nickname} fails since`)
      expect(text).toMatch(/1 delivery, newest first/)
      expect((await get(watched, '/incidents?status=purple')).status).toBe(400)
      expect((await get(watched, '/incidents/exits-nothing')).status).toBe(404)
    })

    test('says what the daemon does and what needs a look', async () => {
      const { text } = await get(watched, '/system')
      expect(text).toMatch(/The daemon has been running for \d days, and 3 things need a look\. The next run is due/)
      expect(text).toContain('The newest configuration is not in force, the one before is. candor.toml:14')
      expect(text).toContain('1.7 GB of 2.0 GB, 85 %: nearly full')
      expect(text).toContain('the store "r2" answered 503')
      expect((await get(app, '/system')).text).toContain('No daemon runs behind these pages')
      expect((await get(app, '/incidents')).text).toContain('Incidents are not kept here.')
    })

    test('warns when the newest run is older than the pause between runs allows', async () => {
      const old = createGeneratedHistory({ relays: 20, runs: 60, newestAtMs: NEWEST_AT_MS - 3 * 86_400_000 })
      expect((await get(createApp(old), '/')).text).toContain(
        'These numbers are 3 days old, although there used to be a run every 6 h. They say nothing about now.',
      )
      expect((await get(app, '/')).text).not.toContain('These numbers are')
    })

    test('lists what the API can be asked', async () => {
      expect((await get(watched, '/api')).text).toContain('GET /api/v1/exits The exits of a run')
    })
  })
})
