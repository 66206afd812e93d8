/** The pages about resolvers in a real Chromium: in both themes and widths, with and without script, under axe. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveHttp, type HttpServer } from '../../src/cli/serve-http.ts'
import { silentLog } from '../../src/core/log.ts'
import { NO_DOCUMENTS } from '../../src/model/document-source.ts'
import { NOTHING_PUBLISHED } from '../../src/model/published-source.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openSatelliteArchive, type SatelliteStore } from '../../src/store/satellite-archive.node.ts'
import { createWebApp } from '../../src/web/create-web-app.ts'
import { createRunView } from '../web-fixtures/exit-run-fixture.ts'
import { BLOCKED_PAIR, writeSatelliteRun } from '../web-fixtures/satellite-run.ts'
import { createSettableRun } from '../web-fixtures/settable-run.ts'
import { CHROMIUM, findFlaws, launchChromium, LOOKS, withPage } from './page-browser.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
/** Where pictures go when somebody wants to look: `CANDOR_PICTURES=/tmp/pictures`. */
const PICTURES = process.env['CANDOR_PICTURES']
const PAIR = `/satellite/pair?vp=${BLOCKED_PAIR.resolver}&domain=${BLOCKED_PAIR.domain}`
const PATHS = [
  '/satellite',
  '/satellite/matrix',
  '/satellite/countries/XA',
  '/satellite/pairs?country=XA&domain=blocked.example',
  PAIR,
]

if (CHROMIUM === undefined)
  process.stderr.write('skipped: pages about resolvers in Chromium (apt-get install chromium)\n')

describe.skipIf(CHROMIUM === undefined)('pages about resolvers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'candor-test-'))
  let archive: SatelliteStore
  let browser: Browser
  let server: HttpServer

  beforeAll(async () => {
    writeSatelliteRun(join(directory, 'satellite'))
    archive = await openSatelliteArchive(directory)
    await archive.adopt(join(directory, 'satellite'), 10)
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
      satellite: archive,
    })
    const listen = { address: '127.0.0.1', port: 0, portsTried: 1, command: 'test' }
    server = await serveHttp((request) => app.fetch(request), listen)
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
    archive[Symbol.dispose]()
    rmSync(directory, { recursive: true })
  })

  // Every path in both themes and both widths; all four together only where there is time.
  const looks = LOOKS.filter(({ width, colorScheme }) => isFull || width > 1_000 === (colorScheme === 'light'))
  test.each(looks.flatMap((look) => PATHS.map((path) => ({ ...look, path }))))(
    '$path has no flaw at $width px, $colorScheme',
    async ({ path, width, colorScheme }) => {
      const options = { viewport: { width, height: 900 }, colorScheme }
      const complaints = await withPage(browser, new URL(path, server.url).href, options, async (page) => {
        if (PICTURES !== undefined) {
          const name = path.replaceAll(/\W+/g, '-').slice(0, 40)
          await page.screenshot({ path: `${PICTURES}/${name}-${width}-${colorScheme}.png`, fullPage: true })
        }
        expect(await findFlaws(page)).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      })
      expect(complaints).toEqual([])
    },
  )

  test('lead from a country to the evidence of one pair, without script', async () => {
    const complaints = await withPage(browser, server.url, { javaScriptEnabled: false }, async (page) => {
      await page.getByRole('link', { name: 'Countries and names' }).click()
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(
        /9 resolvers in 2 countries were asked for 3 names: interference is shown in 1 of 3 pairs/,
      )
      await page.getByRole('link', { name: 'Countries × names' }).click()
      await page.getByRole('searchbox').fill('blocked')
      await page.getByRole('button', { name: 'Find' }).click()
      expect(page.url()).toContain('q=blocked')
      await page.getByRole('link', { name: 'blocked.example in XA: interference shown' }).click()
      await page.getByRole('link', { name: BLOCKED_PAIR.resolver }).click()
      expect(await page.getByText('b_nat_example').count()).toBe(1)
      await page.getByRole('link', { name: 'blockpage', exact: true }).click()
      expect(page.url()).toMatch(/\/how\/satellite-blockpage$/)
    })
    // There are no documents here, so the last page is not found.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
  })

  test('tells what has too few resolvers from what was not measured', async () => {
    await withPage(browser, new URL('/satellite/matrix', server.url).href, {}, async (page) => {
      expect(await page.getByRole('link', { name: 'in Germany: too few resolvers' }).count()).toBe(3)
    })
  })
})
