/** The pages in a real Chromium: by role and text, in both themes and widths, with and without script, under axe. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveHttp, type HttpServer } from '../../src/cli/serve-http.ts'
import { silentLog } from '../../src/core/log.ts'
import { NO_DOCUMENTS } from '../../src/model/document-source.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { createWebApp } from '../../src/web/create-web-app.ts'
import { createBuildingView, createRunView, HOSTILE_NICKNAME } from '../web-fixtures/exit-run-fixture.ts'
import { CHROMIUM, findFlaws, launchChromium, LOOKS, withPage } from './page-browser.ts'
import { createSettableRun, type SettableRun } from '../web-fixtures/settable-run.ts'

const WRONG = createRunView(40).results.find((result) => result.error_code === 'WRONG_ADDRESS')

if (CHROMIUM === undefined) process.stderr.write('skipped: pages in Chromium (apt-get install chromium)\n')

describe.skipIf(CHROMIUM === undefined)('pages', () => {
  let browser: Browser
  let server: HttpServer
  let run: SettableRun

  beforeAll(async () => {
    run = createSettableRun(createRunView(40))
    const app = createWebApp({
      runs: run,
      published: NOTHING_PUBLISHED,
      detectors: NO_DOCUMENTS,
      clock: nodeClock,
      log: silentLog,
      isLaboratory: true,
      hosts: () => [],
      version: '1.0.0',
      streamsMax: 8,
    })
    server = await serveHttp((request) => app.fetch(request), {
      address: '127.0.0.1',
      port: 0,
      portsTried: 1,
      command: 'test',
    })
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

  const paths = [
    '/',
    '/exits',
    '/exits/groups',
    '/runs/current',
    `/exits/${WRONG?.exit_fingerprint}`,
    '/how',
    '/how/servfail-class',
  ]
  test.each(LOOKS)('are accessible and fit, $width px, $colorScheme', async ({ width, colorScheme }) => {
    for (const path of paths) {
      run.set(createRunView(40))
      await visit(path, { viewport: { width, height: 900 }, colorScheme }, async (page) => {
        expect([path, await findFlaws(page)]).toEqual([path, []])
      })
    }
  })

  test('show verdict, truth and matrix, and run nothing that an operator wrote', async () => {
    run.set(createRunView(40))
    await visit('/', {}, async (page) => {
      const heading = page.getByRole('heading', { level: 1 })
      expect((await heading.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
        /^35 of 40 exits measured: 23 sound, 4 suspect, 8 failing/,
      )
      const wrong = page.getByRole('row').filter({ hasText: 'intermittent' }).last()
      expect(await wrong.textContent()).toContain('wrong')
      await page.getByRole('link', { name: 'Exits', exact: true }).click()
      const hostile = page.getByRole('row').filter({ hasText: HOSTILE_NICKNAME })
      expect(await hostile.count()).toBe(1)
      await hostile.getByRole('link', { name: HOSTILE_NICKNAME }).click()
      await page.getByRole('heading', { level: 1, name: /^Sound for our zone/ }).waitFor()
    })
  })

  test('filter and sort by links that keep their state in the URL, without script', async () => {
    run.set(createRunView(40))
    await visit('/', { javaScriptEnabled: false }, async (page) => {
      await page
        .getByRole('heading', { level: 1 })
        .getByRole('link', { name: /failing$/ })
        .click()
      await page.getByRole('link', { name: 'latency' }).click()
      expect(new URL(page.url()).search).toBe('?run=current&standing=failing&sort=latency&order=desc')
      const rows = page.getByRole('region', { name: 'Exits, table' }).getByRole('row')
      expect(await rows.count()).toBe(9)
      expect(await rows.nth(1).textContent()).toContain('meadow9')
      await page.getByRole('searchbox').fill('sandpiper')
      await page.getByRole('button', { name: 'Search' }).click()
      expect(await rows.count()).toBe(2)
      await page.getByRole('region', { name: 'Exits, table' }).getByRole('link', { name: 'RESOLVER_TIMEOUT' }).click()
      await page.getByRole('heading', { level: 1, name: 'RESOLVER_TIMEOUT' }).waitFor()
    })
  })

  test('reload by themselves without script while a run goes on', async () => {
    run.set(createBuildingView('Starting the directory authorities.'))
    await visit('/', { javaScriptEnabled: false }, async (page) => {
      await page.getByText('Starting the directory authorities.').waitFor()
      run.set(createRunView(23))
      const heading = page.getByRole('heading', { level: 1, name: /measured so far/ })
      await heading.waitFor({ timeout: 60_000 })
      expect((await heading.innerText()).replaceAll(/\s+/g, ' ')).toMatch(/^22 of 40 exits measured so far: /)
    })
  })

  test('replace what changed by script, and keep what the reader types', async () => {
    run.set(createBuildingView('Starting the directory authorities.'))
    await visit('/exits', {}, async (page) => {
      await page.evaluate('window.isSamePage = true')
      await page.getByText('No exit is finished yet.').waitFor()
      run.set(createRunView(5))
      await page.getByRole('heading', { level: 1, name: /^5 of 40 exits/ }).waitFor({ timeout: 60_000 })
      await page.getByRole('searchbox').fill('northwi')
      run.set(createRunView(40))
      await page.getByRole('heading', { level: 1, name: /^35 of 40 exits/ }).waitFor({ timeout: 60_000 })
      expect(await page.getByRole('searchbox').inputValue()).toBe('northwi')
      expect(await page.evaluate('window.isSamePage')).toBe(true)
    })
  })
})
