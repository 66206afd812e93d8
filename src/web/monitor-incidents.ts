/** Incidents of watched names as a table, and one of them with its evidence and the form that acknowledges it. */
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { NamedIncident, SeenRound } from '../model/monitor-view.ts'
import { renderFacts } from './fact-list.ts'
import { formatMinute } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderDeliveryTable, type TitledDelivery } from './incident-page.ts'
import { renderLayout } from './layout.ts'
import { formatValue } from './monitor-lanes.ts'
import { CLASS_LABELS, describeCorroboration, formatIncidentState } from './monitor-words.ts'

/** Values of an incident that stand in the table. */
const VALUES_MAX = 4

/** Renders incidents as a table, in their order. */
export function renderMonitorIncidents(incidents: readonly NamedIncident[], label = 'Incidents of names'): Html {
  return html`<div class="scroll framed" role="region" aria-label="${label}, table" tabindex="0">
    <table class="incidents">
      <thead>
        <tr>
          <th scope="col">what</th>
          <th scope="col">severity</th>
          <th scope="col">state</th>
          <th scope="col" class="wide">new values</th>
          <th scope="col">since</th>
        </tr>
      </thead>
      <tbody>
        ${incidents.map(renderRow)}
      </tbody>
    </table>
  </div>`
}

function renderRow({ id, title, incident, monitored }: NamedIncident): Html {
  const values = Object.keys(incident.units)
  const more = values.length > VALUES_MAX ? ` and ${values.length - VALUES_MAX} more` : ''
  return html`<tr>
    <th scope="row">
      <a href="/incidents/${id}" class="wrap">${title}</a>
      ${monitored === null ? '' : html`<span class="sub"><bdi>${monitored.name}</bdi></span>`}
    </th>
    <td>${incident.severity}<span class="sub">${incident.channel}</span></td>
    <td>${formatIncidentState(incident)}</td>
    <td class="wide mono wrap">${values.slice(0, VALUES_MAX).map(formatValue).join(', ')}${more}</td>
    <td class="moment">${formatMinute(formatIsoTime(incident.openedAtMs))}</td>
  </tr>`
}

/** What the page of one incident shows. */
export interface MonitorIncidentParts {
  readonly named: NamedIncident
  /** Rounds of the name around its beginning, newest first. */
  readonly rounds: readonly SeenRound[]
  /** `undefined` where nothing is sent. */
  readonly deliveries: readonly TitledDelivery[] | undefined
  /** Whether orders are taken here. */
  readonly takesOrders: boolean
  /** What became of an acknowledgement that was sent a moment ago. */
  readonly notice: string | null
}

/** Renders the page. */
export function renderMonitorIncidentPage(parts: MonitorIncidentParts): Html {
  const { named, takesOrders, notice } = parts
  const { incident, key, title, monitored } = named
  const vouchers = describeCorroboration(incident.corroboration)
  return renderLayout({
    title,
    section: 'incidents',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/incidents">Incidents</a> · <span class="mono wrap">${named.id}</span></p>
        <h1 class="wrap">${title}.</h1>
        <p class="verdict-line">
          <span class="badge ${incident.status === 'open' ? 's-wrong_ip' : 's-success'}"
            >${formatIncidentState(incident)}</span
          >
          <span class="dim">severity ${incident.severity}, ${incident.channel}</span>
        </p>
        <p class="second">What to do: ${named.recommendation}.</p>
        ${notice === null ? '' : html`<p class="notice" role="status">${notice}</p>`}
        <p class="links">
          ${monitored === null ? '' : html`<a href="/monitor/names/${key}">The name, its values over time</a>`}
          <a href="/how/monitor-severity">How a severity is decided</a>
          <a href="/how/monitor-confirmation">How it was confirmed</a>
        </p>
      </section>
      <div class="pair even">
        <section class="card" id="evidence" aria-labelledby="evidence-title">
          <h2 id="evidence-title">What each resolver said</h2>
          ${renderEvidence(parts)}
        </section>
        <section class="card" id="facts" aria-labelledby="facts-title">
          <h2 id="facts-title">The incident</h2>
          ${renderIncidentFacts(incident, vouchers)}
        </section>
      </div>
      ${incident.status === 'open' && takesOrders ? renderForm(named) : ''}
      <section class="card" id="messages" aria-labelledby="messages-title">
        <h2 id="messages-title">Messages</h2>
        ${parts.deliveries === undefined || parts.deliveries.length === 0 ? html`<p>No message about it is kept: no channel takes it, or it waits for the daily digest.</p>` : renderDeliveryTable(parts.deliveries)}
      </section>`,
  })
}

function renderIncidentFacts(incident: NamedIncident['incident'], vouchers: readonly string[]): Html {
  return renderFacts([
    ['began', formatMinute(formatIsoTime(incident.openedAtMs))],
    ['seen last', formatMinute(formatIsoTime(incident.lastSeenMs))],
    ['ended', incident.closedAtMs === null ? 'not yet' : formatMinute(formatIsoTime(incident.closedAtMs))],
    ['people told last', incident.toldAtMs === null ? 'not yet' : formatMinute(formatIsoTime(incident.toldAtMs))],
    ['who vouches', vouchers.length === 0 ? 'Nobody was asked, or nobody answered.' : vouchers.join(' ')],
    ...(incident.intelligence ?? []).map(
      (each) =>
        [
          html`<span class="mono">${each.address}</span>`,
          `risk ${each.level} (${each.score})${each.reasons.length === 0 ? '' : `: ${each.reasons.join('; ')}`}`,
        ] as const,
    ),
    ['new networks', incident.asns.map((asn) => `AS${asn}`).join(', ') || '–'],
    ['key', html`<span class="mono wrap">${incident.key}</span>`],
    ...(incident.acknowledgement === null
      ? []
      : [
          [
            'acknowledged',
            html`<bdi>${incident.acknowledgement.who}</bdi> until
              ${formatMinute(formatIsoTime(incident.acknowledgement.untilMs))}<span class="sub"
                ><bdi>${incident.acknowledgement.note}</bdi></span
              >`,
          ] as const,
        ]),
  ])
}

function renderEvidence({ named: { incident }, rounds }: MonitorIncidentParts): Html {
  const values = Object.entries(incident.units)
  return html`${
    values.length === 0
      ? ''
      : html`<ul class="changed">
          ${values.map(
            ([value, { asn, country, resolvers }]) =>
              html`<li>
                <span class="mono wrap">${formatValue(value)}</span>
                <span class="sub"
                  >${asn === null ? '' : `AS${asn} · `}${country === null ? '' : `${country} · `}given by
                  ${resolvers.join(', ')}</span
                >
              </li>`,
          )}
        </ul>`
  }
  ${
    rounds.length === 0
      ? html`<p>The rounds of that time are not kept any more.</p>`
      : html`<div class="scroll" role="region" aria-label="Rounds of the incident, table" tabindex="0">
          <table class="seen">
            <thead>
              <tr>
                <th scope="col">round</th>
                <th scope="col">resolver</th>
                <th scope="col">answer</th>
                <th scope="col">class</th>
              </tr>
            </thead>
            <tbody>
              ${rounds.flatMap((round) => round.answers.map((answer, index) => renderAnswer(round, answer, index)))}
            </tbody>
          </table>
        </div>`
  }`
}

function renderAnswer(round: SeenRound, answer: SeenRound['answers'][number], index: number): Html {
  const text =
    answer.outcome === 'answer' ? answer.values.map(formatValue).join(', ') : (answer.reason ?? answer.outcome)
  return html`<tr>
    <td class="moment">${index === 0 ? formatMinute(formatIsoTime(round.atMs)) : ''}</td>
    <td>${answer.resolver}</td>
    <td class="mono wrap">${text}</td>
    <td title="${CLASS_LABELS[answer.class]}">${answer.class}</td>
  </tr>`
}

/** A plain form: what a browser would send by itself gives no order, so the token is typed in. */
function renderForm({ id }: NamedIncident): Html {
  return html`<section class="card" id="acknowledge" aria-labelledby="acknowledge-title">
    <h2 id="acknowledge-title">Acknowledge</h2>
    <form class="form" method="post" action="/incidents/${id}/acknowledge">
      <label>Who takes care <input name="who" required maxlength="100" autocomplete="name" /></label>
      <label>Note <input name="note" maxlength="1000" /></label>
      <label
        >It clears itself after
        <select name="for">
          <option value="4h">4 hours</option>
          <option value="24h" selected>24 hours</option>
          <option value="168h">7 days</option>
        </select></label
      >
      <label class="check"
        ><input type="checkbox" name="accept" value="yes" /> What is new is right: learn it and close the
        incident</label
      >
      <label
        >Token for orders
        <input name="token" type="password" required maxlength="200" autocomplete="off" />
        <span class="sub">Whoever runs the daemon makes one with candor tokens add NAME --write.</span></label
      >
      <button>Acknowledge</button>
    </form>
  </section>`
}
