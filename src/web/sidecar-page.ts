/** One child process of the daemon: how it is, what it runs with, what it says, and orders to it. */
import { html } from 'hono/html'
import type { Sidecar, SidecarPhase, SidecarStatus } from '../model/sidecar.ts'
import { parseTime } from '../core/clock.ts'
import { renderFacts } from './fact-list.ts'
import { formatCount, formatMinute, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

const TITLES: Readonly<Record<string, string>> = { smartdns: 'SmartDNS' }

const PHASES: Readonly<Record<SidecarPhase, string>> = {
  stopped: 'is stopped',
  starting: 'is starting',
  running: 'runs and answers',
  stopping: 'is being stopped',
  waiting: 'ended by itself, and is started again',
  missing: 'is not installed',
  refused: 'has no configuration that it could run with',
}

/** Renders the page. */
export async function renderSidecarPage(sidecar: Sidecar, nowMs: number): Promise<Html> {
  const status = sidecar.status()
  const lines = await sidecar.log()
  const title = TITLES[status.name] ?? status.name
  const configuration = sidecar.configuration()
  return renderLayout({
    title,
    section: 'system',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">Child process of the daemon</p>
        <h1>${title} ${PHASES[status.phase]}.</h1>
        ${status.problem === null ? '' : html`<p class="alert" role="alert">${status.problem}</p>`}
      </section>
      ${renderState(status, nowMs)}
      <section class="card prose" aria-labelledby="configuration-title">
        <h2 id="configuration-title">Configuration</h2>
        <p class="second">
          Generated from [smartdns] and the lists; every value was checked, because SmartDNS checks none.
        </p>
        ${
          configuration === null
            ? html`<p>There is none.</p>`
            : html`<pre tabindex="0" role="region" aria-label="Text of the configuration">${configuration}</pre>`
        }
      </section>
      <section class="card prose" aria-labelledby="log-title">
        <h2 id="log-title">Newest lines of its log</h2>
        <p class="second">Addresses of clients are left out.</p>
        ${
          lines.length === 0
            ? html`<p>It has said nothing yet.</p>`
            : html`<pre tabindex="0" role="region" aria-label="Lines of the log">${lines.join('\n')}</pre>`
        }
      </section>
      <section class="card" aria-labelledby="orders-title">
        <h2 id="orders-title">Orders</h2>
        <p>Orders need a token: POST to one of these, or ask the daemon on its own machine.</p>
        <ul>
          ${['start', 'stop', 'reload'].map((order) => html`<li><code>POST /api/v1/sidecars/${status.name}/${order}</code></li>`)}
        </ul>
      </section>`,
  })
}

function renderState(status: SidecarStatus, nowMs: number): Html {
  const { startedAt, nextStartAt, reloadGapMs } = status
  return html`<section class="card" aria-labelledby="state-title">
    <h2 id="state-title">State</h2>
    ${renderFacts([
      [
        'Process',
        status.pid === null ? 'none' : `${status.pid}${status.isAdopted ? ', adopted from an earlier daemon' : ''}`,
      ],
      [
        'Since',
        startedAt === null
          ? 'it does not run'
          : `${formatMinute(startedAt)}, ${formatSpan(nowMs - parseTime(startedAt))}`,
      ],
      ['Ended by itself', `${formatCount(status.crashes)} times since this daemon began`],
      ['Last end', status.lastEnd ?? 'none'],
      ['Next start', nextStartAt === null ? 'none planned' : formatMinute(nextStartAt)],
      [
        'Gap of the newest reload',
        reloadGapMs === null ? 'not reloaded yet' : `${formatCount(reloadGapMs)} ms without an answer`,
      ],
      ['Answers seen', `${formatCount(status.observed)} with addresses`],
      ['Lines that made no sense', formatCount(status.malformed)],
    ])}
  </section>`
}
