/** The page of the Worker: how each name stands, what the resolvers said last, and what is open. Works without script. */
import { html } from 'hono/html'
import type { Html } from '../web/html-value.ts'
import type { IncidentRecord, NameRow, WorkerHealth } from './worker-view.ts'

/** The style of the page. */
export const WORKER_STYLE = `
:root { color-scheme: light dark; --line: #8886; --bad: #b3261e; --warn: #8a5a00; --good: #1d6f42; --dim: #666 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --warn: #ffca6b; --good: #7fd8a4; --dim: #aaa } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.values { font-family: ui-monospace, monospace; font-size: .9rem; overflow-wrap: anywhere; min-width: 14rem }
.incident, .down { color: var(--bad); font-weight: 600 } .unanswered, .learning, .waiting { color: var(--warn) }
.steady, .ok { color: var(--good) } .dim { color: var(--dim) } pre { white-space: pre-wrap }
`

const STANDINGS: Readonly<Record<NameRow['standing'], string>> = {
  incident: 'incident',
  unanswered: 'no answer',
  learning: 'learning',
  steady: 'as usual',
  waiting: 'not yet asked',
}

/** Renders the page. */
export function renderWorkerPage(health: WorkerHealth, rows: readonly NameRow[]): Html {
  const open = rows.flatMap((row) =>
    row.incidents.filter(({ status }) => status === 'open').map((incident) => ({ row, incident })),
  )
  const told = health.channel === null ? 'Nobody is told: there is no channel.' : 'Alerts go to Telegram.'
  return frame(
    'Names',
    html`<p>
        <strong class="${health.status}">${health.status}</strong>, ${health.names} names at ${health.now}. ${told}
        ${
          health.vantage_down_since === null
            ? ''
            : html`<strong class="down">No answers since ${health.vantage_down_since}: nothing is judged.</strong>`
        }
      </p>
      ${
        open.length === 0
          ? html`<p class="dim">No incident is open.</p>`
          : html`<h2>Open incidents</h2>
              ${open.map(({ row, incident }) => renderIncident(row, incident))}`
      }
      <h2>Names</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Names">
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Stands</th>
              <th>Mode</th>
              <th>Values</th>
              <th>Last round</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(renderRow)}
          </tbody>
        </table>
      </div>
      <p class="dim">
        For programs: this address with <code>Accept: application/json</code>, and <a href="/status">/status</a>.
      </p>`,
  )
}

/** Renders what is wrong with the configuration, or with a request. */
export function renderWorkerError(title: string, lines: readonly string[]): Html {
  return frame(
    title,
    html`<p class="down">${title}</p>
      <pre>${lines.join('\n')}</pre>`,
  )
}

function renderIncident(
  { name, domain, record_type: type }: NameRow,
  { key, subject, severity, opened_at: openedAt, values, resolver, acknowledged_by: who }: IncidentRecord,
): Html {
  return html`<p>
    <strong class="incident">${severity}</strong> ${name}: ${domain} ${type},
    ${subject}${resolver === null ? '' : html` (${resolver})`}, since
    ${openedAt}${who === null ? '' : html`, acknowledged by ${who}`}<br />
    <span class="dim">${key.slice(0, 16)}</span> ${values.slice(0, 10).join(', ')}
  </p>`
}

function renderRow(row: NameRow): Html {
  const { name, domain, record_type: type, standing, observed_mode: mode, ips, last_round: last } = row
  const differs =
    last !== null && new Set(last.answers.map(({ values, outcome }) => `${outcome} ${values.join(' ')}`)).size > 1
  return html`<tr>
    <td>${name}<br /><span class="dim">${domain} ${type}</span></td>
    <td class="${standing}">${STANDINGS[standing]}</td>
    <td>${mode.replace('_', ' ')}</td>
    <td class="values">${ips.join(', ')}</td>
    <td>
      ${
        last === null
          ? ''
          : html`${last.class} at
            ${last.at}${
              differs
                ? html`<br />${last.answers.map(
                      ({ resolver, outcome, values }) =>
                        html`<span class="dim">${resolver}: ${outcome === 'answer' ? values.join(', ') : outcome}</span
                          ><br />`,
                    )}`
                : ''
            }`
      }
    </td>
  </tr>`
}

function frame(title: string, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Candor monitor</title>
        <link rel="stylesheet" href="/worker.css" />
      </head>
      <body>
        <main>
          <h1>Candor monitor</h1>
          ${content}
        </main>
      </body>
    </html>`
}
