/** One watched name: how it stands, its values over time, its incidents, rounds and changes. */
import { html, raw } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { MonitorChange, NamedIncident, NameView, SeenRound } from '../model/monitor-view.ts'
import { renderFacts } from './fact-list.ts'
import { formatCount, formatCounted, formatMinute, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { formatValue, renderLanes, type LaneParts } from './monitor-lanes.ts'
import { renderMonitorIncidents } from './monitor-incidents.ts'
import { renderStanding } from './monitor-page.ts'
import { CLASS_LABELS, formatSubject, MODE_LABELS } from './monitor-words.ts'

const HOUR_MS = 3_600_000
/** Spans that a reader can choose, in milliseconds. */
const SPANS: Readonly<Record<LaneSpan, number>> = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 168 * HOUR_MS,
  month: 744 * HOUR_MS,
  year: 8_784 * HOUR_MS,
}
/** Rows of the tables; the API gives all. */
const ROWS_MAX = 12
const VALUES_MAX = 200

/** One of the spans. */
export type LaneSpan = 'hour' | 'day' | 'week' | 'month' | 'year'

/** Reads a span; a day without one. @returns `undefined` for another word. */
export function parseLaneSpan(word: string | null): { readonly span: LaneSpan; readonly ms: number } | undefined {
  const span = (word ?? 'day') as LaneSpan
  return Object.hasOwn(SPANS, span) ? { span, ms: SPANS[span] } : undefined
}

/** What the page shows. */
export interface NamePageParts extends LaneParts {
  readonly span: LaneSpan
  readonly incidents: readonly NamedIncident[]
  readonly changes: readonly MonitorChange[]
}

/** Renders the page. */
export function renderMonitorNamePage(parts: NamePageParts): Html {
  const { view, span, incidents, changes, rounds, toMs } = parts
  const { monitored } = view
  return renderLayout({
    title: `${monitored.name} ${monitored.type}`,
    section: 'monitor',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          <a href="/monitor">Watched names</a> · <bdi>${monitored.name}</bdi> ·
          <span class="mono wrap">${monitored.domain} ${monitored.type}</span>
        </p>
        <h1>${formatNameSentence(view, toMs)}</h1>
        <p class="verdict-line">
          ${renderStanding(view.standing)}
          <span class="flag">${MODE_LABELS[view.observedMode].label}</span>
          ${monitored.mode === 'pin' ? html`<span class="flag">pinned</span>` : ''}
          ${view.isLearning ? html`<span class="flag">learning</span>` : ''}
        </p>
        <p class="links">
          <a href="/api/v1/monitors/${view.key}">As JSON</a>
          <a href="/how/monitor-classes">How a change is judged</a>
          <a href="/how/monitor-profile">What is learned</a>
        </p>
      </section>
      ${
        view.open.length === 0
          ? ''
          : html`<section id="open" aria-labelledby="open-title">
              <h2 id="open-title">Open incidents</h2>
              ${renderMonitorIncidents(
                incidents.filter(({ incident }) => incident.status === 'open'),
                'Open incidents',
              )}
            </section>`
      }
      <section class="card" id="lanes" aria-labelledby="lanes-title">
        <div class="card-head">
          <h2 id="lanes-title">Values over time</h2>
          ${renderSpans(view.key, span)}
        </div>
        ${renderLanes(parts)}
      </section>
      <div class="pair even">
        <section class="card" id="rounds" aria-labelledby="rounds-title">
          <h2 id="rounds-title">Rounds</h2>
          ${renderRounds(rounds.slice(0, ROWS_MAX), view)}
        </section>
        <section class="card" id="profile" aria-labelledby="profile-title">
          <h2 id="profile-title">What is known</h2>
          ${renderProfile(view)}
        </section>
      </div>
      <section class="card" id="values" aria-labelledby="values-title">
        <h2 id="values-title">Known values</h2>
        ${renderValues(view)}
      </section>
      <section id="incidents" aria-labelledby="incidents-title">
        <h2 id="incidents-title">Incidents</h2>
        ${incidents.length === 0 ? html`<p class="empty">None so far.</p>` : renderMonitorIncidents(incidents)}
      </section>
      <section class="card" id="changes" aria-labelledby="changes-title">
        <h2 id="changes-title">What changed</h2>
        ${renderChanges(changes)}
      </section>`,
  })
}

function formatNameSentence({ monitored, standing, last, open, observedMode }: NameView, nowMs: number): string {
  const what = `${monitored.domain} ${monitored.type}`
  if (last === null) return `${what} was not asked yet.`
  const first = open[0]
  if (standing === 'incident' && first !== undefined)
    return `Something is wrong with ${what} since ${formatMinute(formatIsoTime(first.openedAtMs))}: ${formatSubject(first)}.`
  if (standing === 'unanswered') return `No resolver answered for ${what} in the last round.`
  const same = formatSpan(Math.max(0, nowMs - last.atMs))
  const tail = observedMode === 'static' ? `, and has given the same for ${same}` : ''
  return standing === 'learning'
    ? `What is normal for ${what} is still being learned.`
    : `${what} answers as usual${tail}.`
}

function renderSpans(key: string, current: LaneSpan): Html {
  return html`<nav class="views" aria-label="Span">
    ${(Object.keys(SPANS) as LaneSpan[]).map((span) => html`<a href="/monitor/names/${key}?span=${span}" ${span === current ? raw('aria-current="page"') : ''}>${span}</a>`)}
  </nav>`
}

function renderRounds(rounds: readonly SeenRound[], { monitored }: NameView): Html {
  if (rounds.length === 0) return html`<p>None is kept of this time.</p>`
  return html`<div class="scroll" role="region" aria-label="Rounds, table" tabindex="0">
      <table class="seen">
        <thead>
          <tr>
            <th scope="col">from</th>
            <th scope="col" class="n">rounds</th>
            <th scope="col">class</th>
            <th scope="col">answers</th>
          </tr>
        </thead>
        <tbody>
          ${rounds.map(renderRound)}
        </tbody>
      </table>
    </div>
    <p class="small">
      Equal rounds in a row are one row. Newest first, at most ${ROWS_MAX};
      <a href="/api/v1/monitors/${monitored.domain}/${monitored.type}/rounds">all as JSON</a>.
    </p>`
}

function renderRound({ atMs, count, class: worst, answers }: SeenRound): Html {
  const groups = Map.groupBy(answers, ({ outcome, values, reason }) =>
    outcome === 'answer' ? values.map(formatValue).join(', ') : (reason ?? outcome),
  )
  return html`<tr>
    <td class="moment">${formatMinute(formatIsoTime(atMs))}</td>
    <td class="n">${formatCount(count)}</td>
    <td title="${CLASS_LABELS[worst]}">${worst}</td>
    <td>
      ${[...groups].map(
        ([text, given]) =>
          html`<span class="line"
            ><span class="mono wrap">${text}</span>
            <span class="sub"
              >${given.length === answers.length ? 'all resolvers' : given.map(({ resolver }) => resolver).join(', ')}</span
            ></span
          >`,
      )}
    </td>
  </tr>`
}

function renderProfile({ monitored, observedMode, profile, isLearning }: NameView): Html {
  const since = profile?.baselineAtMs ?? null
  return renderFacts([
    ['answers are', `${MODE_LABELS[observedMode].label}: ${MODE_LABELS[observedMode].meaning}`],
    ['watched since', since === null ? 'not yet' : formatMinute(formatIsoTime(since))],
    ['rounds with an answer', formatCount(profile?.rounds ?? 0)],
    ['learned', isLearning ? 'not yet: 60 rounds and 4 hours are needed' : 'yes'],
    ['TTL', profile === null || profile.ttl === null ? '–' : `${profile.ttl.min} to ${profile.ttl.max} s`],
    ['networks', Object.keys(profile?.asns ?? {}).join(', ') || '–'],
    ['asked every', formatSpan(monitored.intervalMs)],
    ['resolvers', monitored.resolvers.join(', ')],
    ['category', monitored.category === '' ? '–' : monitored.category],
    [
      'owner',
      monitored.owner === null
        ? '–'
        : html`<a href="/monitor/owners/${encodeURIComponent(monitored.owner)}"><bdi>${monitored.owner}</bdi></a>`,
    ],
    ['expected', monitored.expect.map(({ text }) => text).join(', ') || 'nothing in particular'],
  ])
}

function renderValues({ profile }: NameView): Html {
  const units = Object.entries(profile?.units ?? {}).toSorted(([, a], [, b]) => b.lastSeenMs - a.lastSeenMs)
  if (units.length === 0) return html`<p>None yet.</p>`
  return html`<div class="scroll" role="region" aria-label="Known values, table" tabindex="0">
      <table class="seen">
        <thead>
          <tr>
            <th scope="col">value</th>
            <th scope="col">network</th>
            <th scope="col" class="wide">country</th>
            <th scope="col">first seen</th>
            <th scope="col">last seen</th>
            <th scope="col" class="wide">by</th>
          </tr>
        </thead>
        <tbody>
          ${units.slice(0, VALUES_MAX).map(
            ([value, { asn, prefix, country, firstSeenMs, lastSeenMs, resolvers }]) =>
              html`<tr>
                <th scope="row" class="mono wrap">${formatValue(value)}</th>
                <td>${asn === null ? '–' : `AS${asn}`}<span class="sub">${prefix ?? ''}</span></td>
                <td class="wide">${country ?? '–'}</td>
                <td class="moment">${formatMinute(formatIsoTime(firstSeenMs))}</td>
                <td class="moment">${formatMinute(formatIsoTime(lastSeenMs))}</td>
                <td class="wide">${resolvers.join(', ')}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${units.length > VALUES_MAX ? html`<p class="small">${formatCounted(units.length - VALUES_MAX, 'more is', 'more are')} in the JSON.</p>` : ''}`
}

function renderChanges(changes: readonly MonitorChange[]): Html {
  if (changes.length === 0) return html`<p>Nothing since it is watched.</p>`
  return html`<ul class="changed">
    ${changes.map(
      ({ atMs, kind, text }) =>
        html`<li>
          <span class="moment">${formatMinute(formatIsoTime(atMs))}</span>
          <span class="wrap"
            >${kind === 'learned' ? html`learned <span class="mono">${formatValue(text)}</span>` : text}</span
          >
        </li>`,
    )}
  </ul>`
}
