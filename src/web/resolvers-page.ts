/** The resolvers that domains are asked of: who answers, who rests, whose denials count, and the last benchmark. */
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { Benchmark, DomainSource, ResolverView } from '../model/domain-view.ts'
import { renderResolverBadge } from './domain-words.ts'
import { listDomainAlerts } from './domains-page.ts'
import { formatCount, formatCounted, formatMinute, formatMs, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

/** Renders the page. */
export function renderResolversPage(source: DomainSource): Html {
  const resolvers = source.resolvers()
  return renderLayout({
    title: 'Resolvers',
    section: 'domains',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/domains">Domains</a></p>
        <h1>${formatSentence(resolvers)}</h1>
        ${listDomainAlerts(source.summary()).map((alert) => html`<p class="alert" role="alert">${alert}</p>`)}
      </section>
      ${resolvers.length === 0 ? '' : renderPool(resolvers)} ${renderBenchmark(source.benchmark())}`,
  })
}

function formatSentence(resolvers: readonly ResolverView[]): string {
  if (resolvers.length === 0) return 'No resolver is configured.'
  const asked = resolvers.filter(({ isActive, state }) => isActive && state === 'active')
  const operators = new Set(asked.map(({ operator }) => operator)).size
  const resting = resolvers.filter(({ state }) => state !== 'active').length
  const silent = resolvers.filter(({ hasVote }) => !hasVote).length
  return `${formatCount(asked.length)} of ${formatCounted(resolvers.length, 'resolver', 'resolvers')} of ${formatCounted(operators, 'operator', 'operators')} ${asked.length === 1 ? 'is' : 'are'} asked; ${formatCount(resting)} rest, ${formatCount(silent)} ${silent === 1 ? 'has' : 'have'} no vote.`
}

function renderPool(resolvers: readonly ResolverView[]): Html {
  const ranked = resolvers.toSorted((a, b) => b.score - a.score)
  return html`<section class="card" id="pool" aria-labelledby="pool-title">
    <h2 id="pool-title">Pool</h2>
    <p class="second">
      Score: 70 % speed, 30 % answered, of the last 100 questions. Who is contradicted about three names in a day has no
      vote in a denial.
    </p>
    <div class="scroll" role="region" aria-label="Pool, table" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">resolver</th>
            <th scope="col">operator</th>
            <th scope="col">state</th>
            <th scope="col" class="n">score</th>
            <th scope="col" class="n">time</th>
            <th scope="col" class="n">answered</th>
            <th scope="col" class="n">contradicted</th>
            <th scope="col" class="n">attempts</th>
            <th scope="col" class="n">time-outs</th>
            <th scope="col" class="n">limit</th>
          </tr>
        </thead>
        <tbody>
          ${ranked.map(
            (resolver) =>
              html`<tr>
                <th scope="row">
                  ${resolver.name}<span class="sub"
                    >${resolver.transport}${resolver.isActive ? '' : ', on the bench'}</span
                  >
                </th>
                <td>${resolver.operator}</td>
                <td>
                  ${renderResolverBadge(resolver.state)}${resolver.hasVote ? '' : html` <span class="flag">no vote</span>`}
                </td>
                <td class="n">${formatCount(Math.round(resolver.score))}</td>
                <td class="n">${formatMs(resolver.rttMs)}</td>
                <td class="n">
                  ${resolver.success === null ? '–' : formatShare(resolver.success * resolver.outcomes, resolver.outcomes)}
                </td>
                <td class="n">${formatCount(resolver.contradictions)}</td>
                <td class="n">${formatCount(resolver.attempts)}</td>
                <td class="n">${formatCount(resolver.timeouts)}</td>
                <td class="n">
                  ${resolver.queriesPerSecond === 0 ? 'none' : `${formatCount(resolver.queriesPerSecond)}/s`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

function renderBenchmark(benchmark: Benchmark | null): Html {
  return html`<section class="card" id="benchmark" aria-labelledby="benchmark-title">
    <h2 id="benchmark-title">
      ${benchmark === null ? 'No benchmark yet' : `Benchmark of ${formatMinute(formatIsoTime(benchmark.atMs))}, profile ${benchmark.profile}`}
    </h2>
    <p class="second">
      Every resolver under the same load, and names whose answer is known. Make one with
      <code>candor resolvers bench --profile light|normal|heavy</code>, or
      <code>POST /api/v1/resolvers/benchmark</code>.
    </p>
    ${benchmark === null ? '' : renderRows(benchmark)}
  </section>`
}

function renderRows({ rows }: Benchmark): Html {
  const tell = (value: boolean | null): string => (value === null ? 'not tested' : value ? 'yes' : 'no')
  return html`<div class="scroll" role="region" aria-label="Benchmark, table" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">resolver</th>
          <th scope="col" class="n">score</th>
          <th scope="col" class="n">answered</th>
          <th scope="col" class="n">time-outs</th>
          <th scope="col" class="n">median</th>
          <th scope="col" class="n">95 %</th>
          <th scope="col">finds known names</th>
          <th scope="col">denies random ones</th>
          <th scope="col">blocks the blocked one</th>
        </tr>
      </thead>
      <tbody>
        ${rows
          .toSorted((a, b) => b.score - a.score)
          .map(
            (row) =>
              html`<tr>
                <th scope="row">
                  ${row.name}<span class="sub">${row.operator}${row.isActive ? ', chosen' : ''}</span>
                </th>
                <td class="n">${formatCount(Math.round(row.score))}</td>
                <td class="n">${formatCount(row.answered)} of ${formatCount(row.sent)}</td>
                <td class="n">${formatCount(row.timeouts)}</td>
                <td class="n">${formatMs(row.p50Ms)}</td>
                <td class="n">${formatMs(row.p95Ms)}</td>
                <td>${tell(row.findsKnown)}</td>
                <td>${tell(row.deniesRandom)}</td>
                <td>${tell(row.blocks)}</td>
              </tr>`,
          )}
      </tbody>
    </table>
  </div>`
}
