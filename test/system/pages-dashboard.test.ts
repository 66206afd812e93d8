/** The static dashboard of deploy/pages in real Chromium, served by real workerd from seeded buckets. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPagesFunction, startPagesSite, type PagesSite } from '../publish-fixtures/pages-site.ts'
import { keepLastingDirectories } from '../publish-fixtures/published-year.ts'
import { seedPages } from '../publish-fixtures/seed-pages.ts'
import { HOSTILE_NICKNAME } from '../web-fixtures/exit-run-fixture.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const NOW = Date.parse('2026-07-01T00:15:00Z')
/** A directory for pictures of the page, for a person to look at; none are made without it. */
const PICTURES = process.env['CANDOR_TEST_PICTURES']

if (CHROMIUM === undefined) process.stderr.write('skipped: the dashboard in Chromium (apt-get install chromium)\n')

describe.skipIf(CHROMIUM === undefined)('deploy/pages/public', () => {
  const makeLastingDirectory = keepLastingDirectories()
  let browser: Browser
  let site: PagesSite
  let names: readonly string[]

  beforeAll(async () => {
    site = await startPagesSite(await buildPagesFunction(await makeLastingDirectory()), 'r2:ONE')
    names = await seedPages(site, NOW)
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ARGS })
  })

  afterAll(async () => {
    await browser.close()
    await site[Symbol.asyncDispose]()
  })

  /** Opens a page, notes what its console says and where it sends requests, and closes it after `use`. */
  async function withPage(
    path: string,
    options: BrowserContextOptions,
    use: (page: Page) => Promise<void>,
  ): Promise<void> {
    const complaints: string[] = []
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => {
        if (!request.url().startsWith(site.url.href)) complaints.push(`asks ${request.url()}`)
      })
      await page.goto(new URL(path, site.url).href)
      await use(page)
      expect(complaints).toEqual([])
    } finally {
      await context.close()
    }
  }

  async function untilDrawn(page: Page): Promise<void> {
    await page.getByRole('img', { name: /^Failure rate over 27 runs/ }).waitFor()
  }

  async function takePicture(page: Page, name: string): Promise<void> {
    if (PICTURES === undefined) return
    mkdirSync(PICTURES, { recursive: true })
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
  }

  test('says one sentence, lists failing exits with their links, groups them and shows the trend', async () => {
    await withPage('/', {}, async (page) => {
      await untilDrawn(page)
      const sentence = await page.getByRole('heading', { level: 1 }).textContent()
      expect(sentence).toMatch(/^\d+ of \d+ exits that could be asked fail DNS: \d+\.\d %\.$/)
      const failing = Number(/^\d+/.exec(sentence ?? '')?.[0])
      const table = page.getByRole('region', { name: 'Table of failing exits' })
      expect(await table.getByRole('row').count()).toBe(failing + 1)
      const link = table.getByRole('link').first()
      expect(await link.getAttribute('href')).toMatch(
        /^https:\/\/metrics\.torproject\.org\/rs\.html#details\/[0-9A-F]{40}$/,
      )
      await page.getByLabel('Failure', { exact: true }).selectOption('wrong_ip')
      expect(await table.getByText('Fails', { exact: true }).count()).toBe(0)
      await page.getByLabel('Failure', { exact: true }).selectOption('')
      await page.getByLabel('Find', { exact: true }).fill('hetzner')
      expect(await page.getByText(/^\d+ of \d+ are shown\.$/).count()).toBe(1)
      await page.getByLabel('By', { exact: true }).selectOption('operator')
      expect(await page.getByRole('region', { name: 'Table of groups' }).getByText('relays.example').count()).toBe(1)
      expect(await page.getByText('A ring marks a run that is invalid').count()).toBe(1)
    })
  })

  test('sorts by column, also with the keyboard', async () => {
    await withPage('/', {}, async (page) => {
      await untilDrawn(page)
      const table = page.getByRole('region', { name: 'Table of failing exits' })
      const column = async (): Promise<readonly number[]> =>
        (await table.locator('td[data-label="In a row"]').allTextContents()).map(Number)
      const first = await column()
      expect(first).toEqual(first.toSorted((a, b) => b - a))
      await table.getByRole('button', { name: 'In a row' }).focus()
      await page.keyboard.press('Enter')
      expect(await column()).toEqual(first.toSorted((a, b) => a - b))
      expect(await table.getByRole('columnheader', { name: 'In a row' }).getAttribute('aria-sort')).toBe('descending')
    })
  })

  test('shows another run by its address, and an invalid one without accusing anybody', async () => {
    await withPage('/', {}, async (page) => {
      await untilDrawn(page)
      await page.getByLabel('Run', { exact: true }).selectOption(names[9] ?? '')
      await page.waitForURL(/run=dnshealth_/)
      await page.getByRole('heading', { name: 'This run is invalid and accuses nobody.' }).waitFor()
      expect(await page.getByText('The control through our own resolver failed.').count()).toBe(1)
      expect(await page.getByRole('region', { name: 'Table of failing exits' }).getByRole('row').count()).toBe(0)
      await untilDrawn(page)
    })
  })

  test('takes names that strangers chose as text', async () => {
    await withPage('/', {}, async (page) => {
      await untilDrawn(page)
      expect(await page.content()).not.toContain(HOSTILE_NICKNAME)
      expect(await page.locator('main script, main img').count()).toBe(0)
    })
    await withPage('/?run=../secret', {}, async (page) => {
      await page.getByText('The newest run, of').waitFor()
    })
  })

  test('says when there is no such run, and keeps the list of files', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(new URL('/?run=dnshealth_20200101_000000.json', site.url).href)
    await page.getByRole('heading', { name: 'There is no run of 2020-01-01 00:00.' }).waitFor()
    expect(await page.getByRole('link', { name: 'files-all.json' }).isVisible()).toBe(true)
    await context.close()
  })

  test('is a list of links without script', async () => {
    await withPage('/', { javaScriptEnabled: false }, async (page) => {
      for (const name of ['latest.json', 'files.json', 'files-all.json'])
        expect(await page.getByRole('main').getByRole('link', { name, exact: true }).isVisible()).toBe(true)
      expect(await page.getByRole('combobox').count()).toBe(0)
      await takePicture(page, 'no-script')
    })
  })

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('has no fault that axe finds and no sideways scrolling: %s, %i pixels', async (colorScheme, width) => {
    await withPage('/', { colorScheme, viewport: { width, height: 900 } }, async (page) => {
      await untilDrawn(page)
      const isWide = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
      expect(isWide).toBe(false)
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate<axe.AxeResults>('axe.run()')
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 120))])).toEqual([])
      await takePicture(page, `${colorScheme}-${width}`)
    })
  })
})
