/** One domain explained: how it stands, where its addresses came from, and every attempt of its last checks. */
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { DomainAttempt, DomainTrace } from '../model/domain.ts'
import type { DomainView } from '../model/domain-view.ts'
import {
  formatAttempt,
  formatOutcome,
  formatReason,
  renderRouteBadge,
  renderStateBadge,
  ROUTE_WORDS,
  STATE_PHRASES,
  STATE_WORDS,
} from './domain-words.ts'
import { formatScore } from './domains-page.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import { formatCounted, formatMinute, formatMs, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

const STATE_SENTENCES: Readonly<Record<DomainView['state'], string>> = {
  ACTIVE: 'answered again and again',
  STABLE: 'answered lately',
  SUSPECT: 'is new or in doubt, and is checked every 6 hours',
  QUARANTINE: 'was denied, and is probed once a day',
  HARD: 'was denied for long, and is probed once a day for a week before somebody should look',
}

const PASSES: Readonly<Record<DomainTrace['pass'], string>> = {
  live: 'live pass',
  check: 'scored check',
  confirm: 'confirming check',
  runtime: 'seen at run time',
  release: 'released by hand',
}

/** Renders the page. */
export function renderDomainPage(view: DomainView, traces: readonly DomainTrace[], nowMs: number): Html {
  const name = `${view.isWildcard ? '*.' : ''}${view.name}`
  return renderLayout({
    title: name,
    section: 'domains',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/domains">Domains</a></p>
        <h1><bdi>${name}</bdi> is ${STATE_PHRASES[view.state]}.</h1>
        <p class="second">${formatStanding(view)}</p>
        ${view.isListed ? '' : html`<p class="alert" role="alert">No list has it any more: it is not asked, and in no set.</p>`}
        ${view.needsReview ? html`<p class="alert" role="alert">Somebody should look: it was denied for a week. Release it with: candor domains release ${view.name}</p>` : ''}
        <p>${renderStateBadge(view.state)} ${renderRouteBadge(view.route)}</p>
      </section>
      <div class="pair even" id="facts">
        <section class="card" aria-labelledby="state-title">
          <h2 id="state-title">How it stands</h2>
          ${renderFacts(listFacts(view, nowMs))}
        </section>
        ${renderAddresses(view, nowMs)}
      </div>
      <section id="evidence" aria-labelledby="checks-title">
        <h2 id="checks-title">Last checks</h2>
        ${traces.length === 0 ? html`<p class="empty">It was not checked yet.</p>` : traces.map((trace) => renderTrace(trace))}
      </section>
      <p class="second">
        <a href="/how/domain-outcome">How checks are judged</a>,
        <a href="/api/v1/domains/${view.name}/trace">the same for programs</a>
      </p>`,
  })
}

function formatStanding({ state, route, failures }: DomainView): string {
  const failed = failures === 0 ? '' : ` ${formatCounted(failures, 'check', 'checks')} in a row found no address.`
  return `It ${STATE_SENTENCES[state]}.${failed} Traffic is told apart ${ROUTE_WORDS[route].meaning}.`
}

function listFacts(view: DomainView, nowMs: number): readonly Fact[] {
  const time = (ms: number | null, never: string): string => (ms === null ? never : formatMinute(formatIsoTime(ms)))
  return [
    ['Score', `${formatScore(view.score)} of −40 to 40`],
    ['Last outcome', formatOutcome(view.lastOutcome)],
    [
      'Last had addresses',
      view.lastOkMs === null ? 'never' : `${time(view.lastOkMs, '')}, ${formatSpan(nowMs - view.lastOkMs)} ago`,
    ],
    ['Last scored', time(view.scoredMs, 'never')],
    ['Last seen at run time', time(view.runtimeSeenMs, 'never')],
    ['Next scored check', time(view.nextCheckMs, '')],
    ['Live pass asks again', time(view.refreshMs, 'not in quarantine')],
    ...(view.hardUntilMs === null ? [] : [['Hard quarantine until', time(view.hardUntilMs, '')] as const]),
    ['Lists', view.labels.length === 0 ? 'none' : view.labels.join(', ')],
    ['Sets', view.sets.length === 0 ? 'none' : view.sets.join(', ')],
  ]
}

function renderAddresses({ addresses }: DomainView, nowMs: number): Html {
  return html`<section class="card" aria-labelledby="addresses-title">
    <h2 id="addresses-title">
      ${addresses.length === 0 ? 'No address' : formatCounted(addresses.length, 'address', 'addresses')}
    </h2>
    ${
      addresses.length === 0
        ? html`<p>Nothing is known, or what was known was confirmed to be gone.</p>`
        : html`<div class="scroll" role="region" aria-label="Addresses, table" tabindex="0">
            <table>
              <thead>
                <tr>
                  <th scope="col">address</th>
                  <th scope="col">who said it</th>
                  <th scope="col">last said</th>
                </tr>
              </thead>
              <tbody>
                ${addresses.map(
                  ({ address, source, seenMs }) =>
                    html`<tr>
                      <th scope="row" class="mono">${address}</th>
                      <td>${source === 'runtime' ? 'SmartDNS, to a client' : source}</td>
                      <td>${formatSpan(nowMs - seenMs)} ago</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`
}

function renderTrace(trace: DomainTrace): Html {
  const { scoreBeforeMilli, scoreAfterMilli, stateBefore, stateAfter } = trace
  const moved = stateBefore === stateAfter ? '' : `, ${STATE_WORDS[stateBefore].word} → ${STATE_WORDS[stateAfter].word}`
  return html`<article class="card">
    <header>
      <h3>${formatMinute(formatIsoTime(trace.atMs))}: ${formatOutcome(trace.outcome)}</h3>
      <p class="second">
        ${PASSES[trace.pass]}; ${formatReason(trace.reason)}: ${formatScore(scoreBeforeMilli / 1000)} →
        ${formatScore(scoreAfterMilli / 1000)}${moved}${trace.isDisputed ? '; resolvers disagreed' : ''}
      </p>
    </header>
    ${trace.attempts.length === 0 ? '' : renderAttempts(trace.attempts)}
  </article>`
}

function renderAttempts(attempts: readonly DomainAttempt[]): Html {
  return html`<div class="scroll" role="region" aria-label="Attempts, table" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">resolver</th>
          <th scope="col">operator</th>
          <th scope="col">said</th>
          <th scope="col" class="n">after</th>
          <th scope="col" class="n">took</th>
          <th scope="col">addresses</th>
        </tr>
      </thead>
      <tbody>
        ${attempts.map(
          (attempt) =>
            html`<tr>
              <th scope="row">
                ${attempt.resolver}${attempt.isHedge ? html` <span class="flag">hedge</span>` : ''}${attempt.hasVote ? '' : html` <span class="flag">no vote</span>`}
              </th>
              <td>${attempt.operator}</td>
              <td>${formatAttempt(attempt.outcome)}</td>
              <td class="n">${formatMs(attempt.startedMs)}</td>
              <td class="n">${formatMs(attempt.elapsedMs)}</td>
              <td class="mono">${attempt.addresses.length === 0 ? '–' : attempt.addresses.join(', ')}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
