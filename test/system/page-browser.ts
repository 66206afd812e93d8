/** A real Chromium for page tests: opens pages, notes everything that the browser complains about, and what axe finds. */
import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

/** The browser's program; `undefined` where it is not installed. */
export const CHROMIUM: string | undefined = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) =>
  existsSync(path),
)

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The four looks of every page. */
export const LOOKS: readonly { readonly width: number; readonly colorScheme: 'light' | 'dark' }[] = [
  1_280, 390,
].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })))

/** Starts it. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: CHROMIUM_ARGS })
}

/**
 * Opens a page and closes it after `use`.
 *
 * @returns What the console said, scripts threw and dialogs asked, and requests that left the origin of `url`.
 */
export async function withPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<readonly string[]> {
  const complaints: string[] = []
  const context = await browser.newContext(options)
  try {
    const page = await context.newPage()
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`left the origin: ${request.url()}`)
    })
    await page.goto(url)
    await use(page)
    return complaints
  } finally {
    await context.close()
  }
}

/** @returns What is wrong with a page that is open: axe's violations, and content wider than the window. */
export async function findFlaws(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const violations: string[] = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes.slice(0, 5).map((n) => n.html).join(" ")))',
  )
  const excess: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  return excess > 0 ? [...violations, `${excess} px too wide`] : violations
}
