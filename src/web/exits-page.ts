/** The exits of one run: which of them fail, narrowed down and sorted as the address says. */
import { html, raw } from 'hono/html'
import { formatExitQuery, type ParsedExitQuery } from '../api/exit-query.ts'
import { isRunning, summarizeExits } from '../api/run-summary.ts'
import { createTruthLookup, pageExits, selectExits, type ListedExit } from '../api/select-exits.ts'
import { renderExitTable } from './exit-table.ts'
import { renderFilters } from './exit-filters.ts'
import { formatCount, formatCounted, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderRunSelector } from './run-selector.ts'
import { renderSentence } from './run-sentence.ts'
import type { RunShelf, ShownRun } from './run-shelf.ts'

/** Renders the page. */
export async function renderExitsPage(
  shelf: RunShelf,
  run: ShownRun,
  { query, ignored }: ParsedExitQuery,
  isLaboratory: boolean,
): Promise<Html> {
  const rows = run.rows ?? []
  const selected = selectExits(rows, query, createTruthLookup(run.view))
  const page = pageExits(selected, query)
  const leftOut = page.isCursorLost ? [...ignored, 'cursor'] : ignored
  const keep = new URLSearchParams(formatExitQuery(query))
  const isNarrowed = selected.length !== rows.length
  return renderLayout({
    title: 'Exits',
    section: 'exits',
    isLive: run.isCurrent && isRunning(run.view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">${renderEyebrow(run)}</p>
        <h1>${isNarrowed ? formatSelection(selected, rows.length) : renderSentence(run)}</h1>
        ${run.metadata?.invalid === undefined || run.metadata.invalid === null ? '' : html`<p class="alert" role="alert">This run is invalid and accuses nobody: ${run.metadata.invalid}</p>`}
      </section>
      <div class="section-bar" id="views">
        ${renderExitViews('list', query.run)} ${await renderRunSelector(shelf, run, '/exits', query.run, keep)}
      </div>
      <section id="exits" aria-label="Exits">
        ${leftOut.length === 0 ? '' : html`<p class="alert">Not understood and left out: ${leftOut.join(', ')}.</p>`}
        ${run.rows === undefined ? renderGivenUp(run) : rows.length === 0 ? html`<p class="empty">No exit is finished yet.</p>` : html`${renderFilters(run, rows, query, '/exits')}${renderExitTable(page, { view: run.view, query, path: '/exits', isLaboratory })}`}
      </section>`,
  })
}

/** What stands above the title: which run, and whether it goes on. */
export function renderEyebrow({ runId, isCurrent, view }: ShownRun): Html {
  if (runId === null) return html`No run has begun yet`
  const words = isCurrent && isRunning(view) ? 'the run that goes on' : 'run'
  return html`${words} <a href="/runs/${isCurrent ? 'current' : runId}">${formatRunTime(runId)}</a>`
}

/** The ways to look at the exits of a run, as links. */
export function renderExitViews(current: 'list' | 'groups' | 'trend', run: string | undefined): Html {
  const query = run === undefined ? '' : `?run=${run}`
  const link = (name: typeof current, path: string, label: string): Html =>
    html`<a href="${path}" ${name === current ? raw('aria-current="page"') : ''}>${label}</a>`
  return html`<nav class="views" aria-label="Ways to look at exits">
    ${link('list', `/exits${query}`, 'List')}${link('groups', `/exits/groups${query}`, 'Groups')}${link('trend', '/exits/trend', 'Trend')}
  </nav>`
}

/** What stands in place of rows that retention gave up. */
export function renderGivenUp({ runId }: ShownRun): Html {
  return html`<p class="empty">
    Of this run only the counts are kept; which exit had which verdict was given up by retention.
    <a href="/runs/${runId ?? ''}">What is left of the run</a>
  </p>`
}

function formatSelection(selected: readonly ListedExit[], all: number): string {
  const { measured, sound, suspect, failing } = summarizeExits(selected, selected.length)
  const share = `${formatCount(selected.length)} of ${formatCounted(all, 'exit', 'exits')}`
  const words = selected.length === 1 ? 'matches' : 'match'
  if (selected.length === 0) return `No exit of ${formatCount(all)} matches.`
  if (measured === 0) return `${share} ${words}, and DNS was measured at none of them.`
  const rest = selected.length - measured
  const parts = [`${formatCount(sound)} sound`, `${formatCount(suspect)} suspect`, `${formatCount(failing)} failing`]
  return `${share} ${words}: ${parts.join(', ')}${rest === 0 ? '' : `, ${formatCount(rest)} not measured`}.`
}
