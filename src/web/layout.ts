/** The frame of every page. Works without script; the one script only saves the reader from reloading. */
import { html, raw } from 'hono/html'
import type { Html } from './html-value.ts'

/** Seconds between reloads without script, while a run goes on. */
const REFRESH_SECONDS = 3

/** What a page brings. */
export interface PageParts {
  /** Stands before the product's name in the title. */
  readonly title: string
  /** Which part of the navigation the page belongs to. */
  readonly section:
    | 'overview'
    | 'exits'
    | 'satellite'
    | 'monitor'
    | 'domains'
    | 'runs'
    | 'incidents'
    | 'system'
    | 'how'
    | 'api'
    | 'none'
  /** Whether the page changes by itself just now. */
  readonly isLive: boolean
  readonly content: Html
}

/** Puts a page into its frame. */
export function renderLayout({ title, section, isLive, content }: PageParts): Html {
  const current = (name: PageParts['section']): unknown => (name === section ? raw(' aria-current="page"') : '')
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Candor</title>
        <link rel="icon" href="/assets/candor.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/candor.css" />
        <script src="/assets/candor.js" defer></script>
        ${isLive ? html`<noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS}" /></noscript>` : ''}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header class="top">
          <div class="bar">
            <a class="brand" href="/"><img src="/assets/candor.svg" width="26" height="26" alt="" />Candor</a>
            <nav aria-label="Pages">
              <a href="/" ${current('overview')}>Overview</a>
              <a href="/exits" ${current('exits')}>Exits</a>
              <a href="/satellite" ${current('satellite')}>Satellite</a>
              <a href="/monitor" ${current('monitor')}>Monitor</a>
              <a href="/domains" ${current('domains')}>Domains</a>
              <a href="/runs" ${current('runs')}>Runs</a>
              <a href="/incidents" ${current('incidents')}>Incidents</a>
              <a href="/system" ${current('system')}>System</a>
              <a href="/how" ${current('how')}>How verdicts are decided</a>
              <a href="/api" ${current('api')}>API</a>
            </nav>
          </div>
        </header>
        <main id="main" tabindex="-1">${content}</main>
        <footer class="foot">
          <p>Candor asks the same DNS questions from many places and says whether the answers are right.</p>
          <p>For programs: <a href="/api">API</a>, <a href="/latest.json">latest.json</a></p>
        </footer>
      </body>
    </html>`
}
