/**
 * The pages over a history, in a real Chromium: the way from the overview to the evidence of one verdict, with and without
 * script, in every look; every page under axe; and a connection that is lost while a run goes on.
 */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFileDocuments } from '../../src/cli/file-documents.ts'
import { serveHttp, type HttpServer } from '../../src/cli/serve-http.ts'
import { silentLog } from '../../src/core/log.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { createWebApp, type WebApp } from '../../src/web/create-web-app.ts'
import { createDaemonFixture } from '../web-fixtures/daemon-fixture.ts'
import { createBuildingView, createRunView } from '../web-fixtures/exit-run-fixture.ts'
import { createGeneratedHistory, type GeneratedHistory } from '../web-fixtures/generated-history.ts'
import { createSettableRun, type SettableRun } from '../web-fixtures/settable-run.ts'
import { CHROMIUM, findFlaws, launchChromium, LOOKS, withPage } from './page-browser.ts'

const NEWEST_AT_MS = nodeClock.wallNowMs() - 4 * 3_600_000

if (CHROMIUM === undefined) process.stderr.write('skipped: pages over a history (apt-get install chromium)\n')

async function serve(app: WebApp, port: number): Promise<HttpServer> {
  return serveHttp((request) => app.fetch(request), { address: '127.0.0.1', port, portsTried: 1, command: 'test' })
}

describe.skipIf(CHROMIUM === undefined)('pages over a history', () => {
  let browser: Browser
  let server: HttpServer
  let archive: GeneratedHistory
  let run: SettableRun
  let app: WebApp

  beforeAll(async () => {
    archive = createGeneratedHistory({ relays: 180, runs: 240, newestAtMs: NEWEST_AT_MS })
    run = createSettableRun({ ...createBuildingView('No run goes on.'), phase: 'done' })
    app = createWebApp({
      runs: run,
      published: NOTHING_PUBLISHED,
      detectors: openFileDocuments(nodeFiles, new URL('../../docs/detectors', import.meta.url).pathname, ['.md']),
      clock: nodeClock,
      log: silentLog,
      isLaboratory: false,
      hosts: () => [],
      version: '1.0.0',
      streamsMax: 8,
      archive,
      ...(await createDaemonFixture(archive, NEWEST_AT_MS)),
    })
    server = await serve(app, 0)
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
  })

  /** Opens a page of the site, on which the browser must find nothing to complain about. */
  async function visit(
    path: string,
    options: BrowserContextOptions,
    use: (page: Page) => Promise<void>,
  ): Promise<void> {
    expect(await withPage(browser, new URL(path, server.url).href, options, use)).toEqual([])
  }

  const walks = LOOKS.flatMap((look) => [true, false].map((javaScriptEnabled) => ({ ...look, javaScriptEnabled })))
  test.each(walks)(
    'lead from the overview to the evidence of a verdict: $width px, $colorScheme, script $javaScriptEnabled',
    async ({ width, colorScheme, javaScriptEnabled }) => {
      const options = { viewport: { width, height: 900 }, colorScheme, javaScriptEnabled }
      await visit('/', options, async (page) => {
        const sentence = page.getByRole('heading', { level: 1 })
        expect(await sentence.innerText()).toMatch(/^\d+ of \d+ exits measured: \d+\ssound, .*\d+\sfailing/)
        await sentence.getByRole('link', { name: /failing$/ }).click()
        const rows = page.getByRole('region', { name: 'Exits, table' }).getByRole('row')
        expect(await rows.count()).toBeGreaterThan(1)
        await rows.nth(1).getByRole('rowheader').getByRole('link').first().click()
        await page.getByRole('heading', { level: 1, name: /^Failing: / }).waitFor()
        await page.getByRole('heading', { level: 2, name: 'Evidence' }).waitFor()
        expect(
          await page.getByRole('list', { name: 'Runs, earliest first' }).getByRole('link').count(),
        ).toBeGreaterThan(30)
        const question = page.getByRole('region', { name: 'Circuit 1, attempts' }).getByRole('row').nth(1)
        expect(await question.innerText()).toMatch(/A \d{14}\.1\.\d+\.[0-9a-f]{40}\.exits\.example/)
        await page.getByRole('link', { name: 'raw JSON' }).click()
        const record = JSON.parse(await page.locator('body').innerText()) as {
          readonly result: { readonly attempts: readonly unknown[] }
        }
        expect(record.result.attempts.length).toBeGreaterThan(0)
        await page.goBack()
        await page.getByRole('link', { name: /^The rule, its false positives/ }).click()
        expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/^[A-Z_]+$/)
        await page.getByRole('article').waitFor()
      })
    },
  )

  test.each(LOOKS)('are accessible and fit, $width px, $colorScheme', async ({ width, colorScheme }) => {
    const runs = await archive.runs(null, 240)
    const valid = runs.find(({ metadata }) => metadata.invalid === null)?.runId ?? ''
    const invalid = runs.find(({ metadata }) => metadata.invalid !== null)?.runId ?? ''
    const list = app.fetch(new Request('http://127.0.0.1/incidents'))
    const incident = /\/incidents\/exits-[^"]+/.exec(await (await list).text())?.[0] ?? ''
    const exit = archive.fingerprint(90)
    const exits = ['/', '/exits?country=DE', '/exits/groups', '/exits/trend?days=90', `/exits/${exit}`]
    const others = ['/runs', `/runs/${valid}`, `/runs/${invalid}`, `/runs/${valid}/changes?span=day`]
    const more = ['/incidents', '/incidents?status=closed', incident, '/system', '/api', '/how', '/nowhere']
    for (const path of [...exits, ...others, ...more]) {
      const options = { viewport: { width, height: 900 }, colorScheme }
      const complaints = await withPage(browser, new URL(path, server.url).href, options, async (page) => {
        for (const details of await page.locator('details').all()) await details.locator('summary').click()
        expect([path, await findFlaws(page)]).toEqual([path, []])
      })
      expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
    }
  })

  test('choose a run by a plain form, and say when it accuses nobody', async () => {
    const invalid = (await archive.runs(null, 60)).find(({ metadata }) => metadata.invalid !== null)?.runId ?? ''
    await visit('/exits', { javaScriptEnabled: false }, async (page) => {
      await page.getByRole('combobox', { name: 'Run' }).selectOption(invalid)
      await page.getByRole('button', { name: 'Show' }).click()
      expect(new URL(page.url()).searchParams.get('run')).toBe(invalid)
      await page.getByRole('alert').getByText('This run is invalid and accuses nobody').waitFor()
    })
  })

  test('show a run while it goes on, and what happened while the connection was lost', async () => {
    run.set(createRunView(5))
    const lost: HttpServer = await serve(app, 0)
    const { port } = lost
    const complaints = await withPage(browser, new URL('/', lost.url).href, {}, async (page) => {
      await page.getByText('5 of 40 exits done').waitFor()
      run.set(createRunView(9))
      await page.getByText('9 of 40 exits done').waitFor({ timeout: 60_000 })
      await page.evaluate('window.isSamePage = true')
      await lost[Symbol.asyncDispose]()
      run.set(createRunView(31))
      await using again = await serve(app, port)
      expect(again.port).toBe(port)
      await page.getByText('31 of 40 exits done').waitFor({ timeout: 60_000 })
      expect(await page.evaluate('window.isSamePage')).toBe(true)
      run.set({ ...createBuildingView('No run goes on.'), phase: 'done' })
    })
    expect(complaints.filter((text) => !text.includes('ERR_'))).toEqual([])
  })
})
