/** All domains: how many are in which state, what holds just now, and a list that is narrowed by the address. */
import { html, raw } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import { DOMAIN_STATES, type DomainState } from '../model/domain.ts'
import type { DomainQuery, DomainSource, DomainSummary, DomainView } from '../model/domain-view.ts'
import { renderStateFigure } from './domain-state-figure.ts'
import { formatOutcome, renderRouteBadge, renderStateBadge, STATE_WORDS } from './domain-words.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import { formatCount, formatCounted, formatMinute, formatShare, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

const PAGE_ROWS = 100

/** Reads the address. @returns `undefined` when a parameter has no such value. */
export function parseDomainQuery(parameters: URLSearchParams): DomainQuery | undefined {
  const state = parameters.get('state')
  const after = parameters.get('after') ?? '0'
  const contains = parameters.get('q')?.trim().toLowerCase() ?? ''
  if (state !== null && !isState(state)) return undefined
  if (!/^\d{1,12}$/.test(after) || contains.length > 253) return undefined
  return {
    ...(state === null ? {} : { state }),
    ...(parameters.get('review') === '1' ? { needsReview: true } : {}),
    ...(contains === '' ? {} : { contains }),
    afterId: Number(after),
    limit: PAGE_ROWS,
  }
}

function isState(text: string): text is DomainState {
  return DOMAIN_STATES.some((state) => state === text)
}

/** One sentence about the campaign, for the overview as well. */
export function formatDomainSentence(summary: DomainSummary): string {
  const { domains, states, needsReview } = summary
  if (domains === 0) return 'No domain is on a list yet.'
  const held = states.QUARANTINE + states.HARD
  const well = states.ACTIVE + states.STABLE
  const review = needsReview === 0 ? '' : `, ${formatCount(needsReview)} of them to be reviewed`
  return `${formatCounted(domains, 'domain', 'domains')}: ${formatCount(well)} well, ${formatCount(states.SUSPECT)} suspect, ${formatCount(held)} in quarantine${review}.`
}

/** What holds just now, one sentence each. */
export function listDomainAlerts(summary: DomainSummary): readonly string[] {
  const { isPoolDown, isDegraded, isStorm, isNxGuarded, problems } = summary
  return [
    ...problems,
    ...(isPoolDown ? ['No resolver answers: nothing is scored, and the addresses that were known are kept.'] : []),
    ...(isDegraded && !isPoolDown ? ['Resolvers of one operator only answer: nothing is confirmed.'] : []),
    ...(isStorm ? ['Many questions fail: failures score nothing, and scheduled checks wait (storm guard).'] : []),
    ...(isNxGuarded
      ? ['Many domains that were well are denied: denials score nothing, and no address is dropped (denial guard).']
      : []),
  ]
}

/** Renders the page. */
export function renderDomainsPage(source: DomainSource, query: DomainQuery, nowMs: number): Html {
  const summary = source.summary()
  const rows = source.list(query)
  return renderLayout({
    title: 'Domains',
    section: 'domains',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">Domains</p>
        <h1>${formatDomainSentence(summary)}</h1>
        ${listDomainAlerts(summary).map((alert) => html`<p class="alert" role="alert">${alert}</p>`)}
        <p class="second"><a href="/resolvers">The resolvers that are asked</a></p>
      </section>
      <section class="card" id="states" aria-labelledby="states-title">
        <h2 id="states-title">States over time</h2>
        ${renderStateFigure(source.history(), nowMs)}
      </section>
      ${renderSummary(summary, nowMs)}
      <section id="domains" aria-label="Domains">${renderFilters(summary, query)}${renderTable(rows, query)}</section>`,
  })
}

function renderSummary(summary: DomainSummary, nowMs: number): Html {
  const { counters, writtenMs, lastWaveMs, nextDueMs } = summary
  const ago = (ms: number | null, never: string): string => (ms === null ? never : `${formatSpan(nowMs - ms)} ago`)
  const facts: readonly Fact[] = [
    [
      'Addresses in the durable sets',
      `${formatCount(summary.addressesV4)} IPv4, ${formatCount(summary.addressesV6)} IPv6`,
    ],
    ['Domains with stale addresses', `${formatCount(summary.staleDomains)} of ${formatCount(summary.domains)}`],
    ['Sets written', ago(writtenMs, 'not since the daemon began')],
    ['Last wave', ago(lastWaveMs, 'not since the daemon began')],
    ['Next due', nextDueMs === null ? 'nothing' : formatMinute(formatIsoTime(nextDueMs))],
    ['Domains in a wave', formatCount(summary.liveBatch)],
  ]
  const average = counters.checks === 0 ? '–' : (counters.attempts / counters.checks).toFixed(2)
  const counts: readonly Fact[] = [
    ['Checks', formatCount(counters.checks)],
    ['Attempts', `${formatCount(counters.attempts)}, ${average} a check`],
    ['Ended early by a confirmed denial', formatCount(counters.earlyStops)],
    [
      'Ended without an answer',
      `${formatCount(counters.budgetExhausted)}, ${formatShare(counters.budgetExhausted, counters.checks)} of all checks`,
    ],
    ['Denials remembered, not asked', formatCount(counters.negativeHits)],
    ['Resolvers disagreed', formatCount(counters.conflicts)],
    ['Storm guard held', formatSpan(counters.stormSeconds * 1000)],
  ]
  return html`<div class="pair even" id="facts">
    <section class="card" aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      ${renderFacts(facts)}
    </section>
    <section class="card" aria-labelledby="counted-title">
      <h2 id="counted-title">Counted since the beginning</h2>
      ${renderFacts(counts)}
    </section>
  </div>`
}

function renderFilters({ domains, states, needsReview }: DomainSummary, query: DomainQuery): Html {
  const chip = (label: string, count: number, target: Partial<DomainQuery>, isOn: boolean): Html =>
    html`<a
      class="chip"
      href="${formatAddress({ ...target, ...(query.contains === undefined ? {} : { contains: query.contains }) })}"
      ${isOn ? raw('aria-current="true"') : ''}
      >${label}<span>${formatCount(count)}</span></a
    >`
  const isAll = query.state === undefined && query.needsReview === undefined
  return html`<div class="filters">
    <div class="chips">
      ${chip('all', domains, {}, isAll)}
      ${DOMAIN_STATES.map((state) => chip(STATE_WORDS[state].word, states[state], { state }, query.state === state))}
      ${chip('to be reviewed', needsReview, { needsReview: true }, query.needsReview === true)}
    </div>
    <form class="search" method="get" action="/domains" role="search">
      ${query.state === undefined ? '' : html`<input type="hidden" name="state" value="${query.state}" />`}
      ${query.needsReview === true ? html`<input type="hidden" name="review" value="1" />` : ''}
      <input
        type="search"
        name="q"
        value="${query.contains ?? ''}"
        aria-label="Part of a name"
        placeholder="part of a name"
      />
      <button>Search</button>
    </form>
  </div>`
}

function renderTable(rows: readonly DomainView[], query: DomainQuery): Html {
  if (rows.length === 0) return html`<p class="empty">No domain matches.</p>`
  const last = rows.at(-1)
  return html`<div class="scroll framed" role="region" aria-label="Domains, table" tabindex="0">
      <table class="exits">
        <thead>
          <tr>
            <th scope="col">domain</th>
            <th scope="col">route</th>
            <th scope="col">state</th>
            <th scope="col" class="n">score</th>
            <th scope="col" class="wide">last check</th>
            <th scope="col" class="n">addresses</th>
            <th scope="col" class="wide">last answered</th>
            <th scope="col" class="wide">next check</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => renderRow(row))}
        </tbody>
      </table>
    </div>
    ${
      rows.length < query.limit || last === undefined
        ? ''
        : html`<nav class="pages" aria-label="Pages of the list">
            <a href="${formatAddress({ ...query, afterId: last.id })}" rel="next">Next</a>
          </nav>`
    }`
}

function renderRow(row: DomainView): Html {
  return html`<tr>
    <th scope="row">
      <a href="/domains/${row.name}"><bdi>${row.isWildcard ? '*.' : ''}${row.name}</bdi></a>
      <span class="sub">${row.labels.join(', ')}</span>
    </th>
    <td>${renderRouteBadge(row.route)}</td>
    <td>${renderStateBadge(row.state)}${row.needsReview ? html` <span class="flag">review</span>` : ''}</td>
    <td class="n">${formatScore(row.score)}</td>
    <td class="wide">${formatOutcome(row.lastOutcome)}</td>
    <td class="n">${formatCount(row.addresses.length)}</td>
    <td class="wide">
      ${row.lastOkMs === null ? html`<span class="dim">never</span>` : formatMinute(formatIsoTime(row.lastOkMs))}
    </td>
    <td class="wide">${formatMinute(formatIsoTime(row.nextCheckMs))}</td>
  </tr>`
}

/** Points with a sign that is not a hyphen. */
export function formatScore(score: number): string {
  const text = (Math.round(score * 100) / 100).toString()
  return text.replace('-', '−')
}

function formatAddress({ state, needsReview, contains, afterId }: Partial<DomainQuery>): string {
  const parameters = new URLSearchParams()
  if (state !== undefined) parameters.set('state', state)
  if (needsReview === true) parameters.set('review', '1')
  if (contains !== undefined) parameters.set('q', contains)
  if (afterId !== undefined && afterId > 0) parameters.set('after', String(afterId))
  const text = parameters.toString()
  return text === '' ? '/domains' : `/domains?${text}`
}
