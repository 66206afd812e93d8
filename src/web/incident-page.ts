/** One incident: the sentence, the runs that are its evidence, and the messages that were sent about it. */
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { AlertDelivery, DeliveryState } from '../model/alert.ts'
import type { ExitIncident } from '../model/incident.ts'
import { renderStatusBadge } from './badges.ts'
import { renderFacts } from './fact-list.ts'
import { formatCount, formatCounted, formatMinute, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { formatIncidentEvidence, formatIncidentSentence } from './incident-words.ts'
import { renderLayout } from './layout.ts'
import { formatMetricsUrl } from './verdict-words.ts'

/** A delivery with the title of its message. */
export type TitledDelivery = AlertDelivery & { readonly title: string }

/** How a delivery's state is said. */
export const DELIVERY_WORDS: Readonly<Record<DeliveryState, string>> = {
  waiting: 'waits',
  sending: 'is being sent',
  sent: 'sent',
  dead: 'given up',
}

/** Renders the page. `deliveries` are `undefined` where nothing is sent. */
export function renderIncidentPage(
  incident: ExitIncident,
  deliveries: readonly TitledDelivery[] | undefined,
  isLaboratory: boolean,
): Html {
  const { fingerprint, runs } = incident
  return renderLayout({
    title: `Incident at ${incident.nickname}`,
    section: 'incidents',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/incidents">Incidents</a> · <span class="mono wrap">${incident.id}</span></p>
        <h1>${formatIncidentSentence(incident)}</h1>
        <p class="verdict-line">
          ${renderStatusBadge(incident.failureType)}${incident.family === 'ipv6' ? html`<span class="flag">IPv6</span>` : ''}
          <span class="dim">severity ${incident.severity}</span>
        </p>
        <p class="second">
          ${formatIncidentEvidence(incident)}; each of them was confirmed over other first hops where that was possible.
        </p>
        <p class="links">
          <a href="/exits/${fingerprint}">The exit, its history and its newest attempts</a>
          ${isLaboratory ? '' : html`<a href="${formatMetricsUrl(fingerprint)}" rel="noreferrer">Tor Metrics</a>`}
        </p>
      </section>
      <div class="pair even" id="facts">
        <section class="card" aria-labelledby="evidence-title">
          <h2 id="evidence-title">Runs that saw it fail</h2>
          ${
            runs.length === 0
              ? html`<p>None since it was opened.</p>`
              : html`<ul class="changed">
                  ${runs.toReversed().map((runId) => html`<li><a href="/exits/${fingerprint}?run=${runId}">${formatRunTime(runId)}</a></li>`)}
                </ul>`
          }
          <p class="small">
            Since it was opened: the first and the newest 49. Each leads to the attempts of that run, as long as they
            are kept.
          </p>
        </section>
        <section class="card" aria-labelledby="facts-title">
          <h2 id="facts-title">The incident</h2>
          ${renderFacts([
            ['first failure', formatMinute(incident.firstSeen)],
            ['newest failure', formatMinute(incident.lastSeen)],
            ['failures in a row', formatCount(incident.consecutiveCount)],
            ['rule met', formatMinute(incident.openedAt)],
            [
              'ended',
              incident.closedAt === null ? 'not yet' : `${formatMinute(incident.closedAt)}, ${incident.status}`,
            ],
            ['people told last', formatMinute(incident.toldAt)],
            ['reminders', formatCount(incident.reminders)],
            ['exit address', html`<span class="mono">${incident.exitAddress}</span>`],
            ['operator', html`<bdi>${incident.operator ?? 'not known'}</bdi>`],
          ])}
        </section>
      </div>
      ${renderDeliveries(deliveries)}`,
  })
}

function renderDeliveries(deliveries: readonly TitledDelivery[] | undefined): Html {
  const content =
    deliveries === undefined
      ? html`<p>No channel is set up here, so nobody was told.</p>`
      : deliveries.length === 0
        ? html`<p>No message about it is kept: none was sent, or it was forgotten after its time.</p>`
        : html`<p>${formatCounted(deliveries.length, 'delivery', 'deliveries')}, newest first.</p>
            ${renderDeliveryTable(deliveries)}`
  return html`<section class="card" id="messages" aria-labelledby="messages-title">
    <h2 id="messages-title">Messages</h2>
    ${content}
  </section>`
}

/** Renders deliveries as a table; recipients are people and are not shown. */
export function renderDeliveryTable(deliveries: readonly TitledDelivery[]): Html {
  return html`<div class="scroll" role="region" aria-label="Messages, table" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">message</th>
          <th scope="col">channel</th>
          <th scope="col">state</th>
          <th scope="col" class="n">attempts</th>
          <th scope="col">when</th>
        </tr>
      </thead>
      <tbody>
        ${deliveries.map(
          ({ title, channel, state, attempts, settledAtMs, createdAtMs, error }) =>
            html`<tr>
              <td><bdi>${title}</bdi>${error === null ? '' : html`<span class="sub">${error}</span>`}</td>
              <td>${channel}</td>
              <td class="${state === 'dead' ? 'strong' : ''}">${DELIVERY_WORDS[state]}</td>
              <td class="n">${formatCount(attempts)}</td>
              <td class="moment">${formatMinute(formatIsoTime(settledAtMs ?? createdAtMs))}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
