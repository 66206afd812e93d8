/** The monitor's pages in a real Chromium: in both themes and widths, without script, under axe; and its form. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digest } from '../../src/api/access.ts'
import { serveHttp, type HttpServer } from '../../src/cli/serve-http.ts'
import { silentLog } from '../../src/core/log.ts'
import { NO_DOCUMENTS } from '../../src/model/document-source.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { createWebApp } from '../../src/web/create-web-app.ts'
import { createRunView } from '../web-fixtures/exit-run-fixture.ts'
import { createMonitorFixture, HOSTILE_NAME } from '../web-fixtures/monitor-fixture.ts'
import { createSettableRun } from '../web-fixtures/settable-run.ts'
import { CHROMIUM, findFlaws, launchChromium, LOOKS, withPage } from './page-browser.ts'

const TOKEN = 'candor_test_token'
/** Where pictures go when somebody wants to look: `CANDOR_PICTURES=/tmp/pictures`. */
const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const PICTURES = process.env['CANDOR_PICTURES']

if (CHROMIUM === undefined)
  process.stderr.write('skipped: pages of the monitor in Chromium (apt-get install chromium)\n')

describe.skipIf(CHROMIUM === undefined)('pages of the monitor', () => {
  let browser: Browser
  let server: HttpServer
  let incident: string

  beforeAll(async () => {
    const monitor = createMonitorFixture(nodeClock.wallNowMs())
    incident = `/incidents/${(await monitor.incidents({ limit: 1 }))[0]?.id ?? ''}`
    const token = {
      name: 'test',
      scopes: ['read', 'write'] as const,
      sha256: await digest(TOKEN),
      created_at: '2026-01-01T00:00:00Z',
    }
    const app = createWebApp({
      runs: createSettableRun(createRunView(40)),
      published: NOTHING_PUBLISHED,
      detectors: NO_DOCUMENTS,
      clock: nodeClock,
      log: silentLog,
      isLaboratory: false,
      hosts: () => [],
      version: '1.0.0',
      streamsMax: 8,
      access: { tokens: () => Promise.resolve([token]), isReadProtected: () => false },
      monitor,
    })
    const listen = { address: '127.0.0.1', port: 0, portsTried: 1, command: 'test' }
    server = await serveHttp((request) => app.fetch(request), listen)
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
  })

  async function visit(
    path: string,
    options: BrowserContextOptions,
    use: (page: Page) => Promise<void>,
  ): Promise<void> {
    expect(await withPage(browser, new URL(path, server.url).href, options, use)).toEqual([])
  }

  const paths = ['/monitor', '/monitor/names/shop.zone.example/A', '/monitor/names/cdn.zone.example/A', 'incident']

  // Every path in both themes and both widths; all four together only where there is time.
  const looks = LOOKS.filter(({ width, colorScheme }) => isFull || width > 1_000 === (colorScheme === 'light'))
  test.each(looks.flatMap((look) => paths.map((path) => ({ ...look, path }))))(
    '$path has no flaw at $width px, $colorScheme',
    async ({ path, width, colorScheme }) => {
      const target = path === 'incident' ? incident : path
      await visit(target, { viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: true }, async (page) => {
        if (PICTURES !== undefined) {
          const name = path.replaceAll(/\W+/g, '-')
          await page.screenshot({ path: `${PICTURES}/${name}-${width}-${colorScheme}.png`, fullPage: true })
        }
        expect(await findFlaws(page)).toEqual([])
      })
    },
  )

  test('says how names stand, and keeps a hostile name text', async () => {
    await visit('/monitor', { javaScriptEnabled: false }, async (page) => {
      const sentence = await page.getByRole('heading', { level: 1 }).textContent()
      expect(sentence).toBe(
        '4 names are watched: 1 as usual, 1 with an incident, 1 without an answer, 1 still being learned.',
      )
      expect(await page.getByRole('link', { name: HOSTILE_NAME }).count()).toBe(1)
      await page.getByRole('link', { name: 'cdn 1' }).click()
      expect(await page.locator('.names tbody tr').count()).toBe(1)
    })
  })

  test('draws a lane for each value, in words as well', async () => {
    await visit('/monitor/names/shop.zone.example/A?span=month', { javaScriptEnabled: false }, async (page) => {
      const lanes = await page.locator('.lane svg[role=img]').evaluateAll((all) => all.map((each) => each.ariaLabel))
      expect(lanes).toEqual([
        expect.stringMatching(/^203\.0\.113\.66: new, /),
        expect.stringMatching(/^192\.0\.2\.10: known · AS64500 · NL/),
      ])
    })
  })

  test('acknowledges with a token and not without a right one', async () => {
    await visit(incident, { javaScriptEnabled: false }, async (page) => {
      await page.getByLabel('Who takes care').fill('Ada <b>')
      await page.getByLabel('Token for orders').fill(TOKEN)
      await page.getByRole('button', { name: 'Acknowledge' }).click()
      expect(await page.getByRole('status').textContent()).toContain('It is acknowledged')
      expect(await page.locator('.badge').first().textContent()).toBe('open, Ada <b> takes care')
    })
    const body = new URLSearchParams({ who: 'Eve', for: '24h', token: 'wrong' })
    const refused = await fetch(new URL(`${incident}/acknowledge`, server.url), { method: 'POST', body })
    expect(refused.status).toBe(401)
    const good = new URLSearchParams({ who: 'Eve', for: '24h', token: TOKEN })
    const headers = { origin: 'https://evil.example' }
    const foreign = await fetch(new URL(`${incident}/acknowledge`, server.url), { method: 'POST', body: good, headers })
    expect(foreign.status).toBe(403)
  })
})
