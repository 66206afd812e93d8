/** The overview: one sentence before any number, then what goes on, health over time, what changed, and what is open. */
import { html } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery } from '../api/exit-query.ts'
import { isRunning, summarizeRun } from '../api/run-summary.ts'
import type { ExitChanges } from '../model/exit-archive.ts'
import { renderChangesList } from './changes-list.ts'
import { renderCounts } from './counts-table.ts'
import { formatRunTime, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderProgress } from './progress-section.ts'
import { renderSentence } from './run-sentence.ts'
import type { RunShelf, ShownRun, TrendSpan } from './run-shelf.ts'
import { renderTrend, type TrendMark } from './trend-figure.ts'
import { renderSpans } from './trend-page.ts'
import { renderTruthMatrix } from './truth-matrix.ts'
import { formatTruthSentence } from './verdict-sentence.ts'

/** What the page shows. */
export interface OverviewParts {
  readonly shelf: RunShelf
  /** The newest valid run, or the one at hand. */
  readonly run: ShownRun
  /** Health over time; `undefined` without an archive. */
  readonly span: TrendSpan | undefined
  readonly marks: readonly TrendMark[]
  /** Against the day before; `undefined` when it cannot be said. */
  readonly changes: ExitChanges | undefined
  /** Milliseconds since the shown run was reported; `null` while it goes on. */
  readonly ageMs: number | null
  readonly isLaboratory: boolean
}

/** Renders the page. */
export function renderOverview(parts: OverviewParts): Html {
  const { shelf, run, span, marks, changes, isLaboratory } = parts
  const current = shelf.current()
  const currentSummary = summarizeRun(current)
  const truth = formatTruthSentence(run.summary)
  const hasResults = run.summary.finished > 0
  const invalid = run.metadata?.invalid ?? null
  const matrix = run.rows === undefined ? '' : renderTruthMatrix(run.view, run.rows)
  return renderLayout({
    title: 'Overview',
    section: 'overview',
    isLive: isRunning(current),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          ${isLaboratory ? html`<span class="tag">Laboratory</span>` : ''}DNS at Tor exits${renderWhen(parts)}
        </p>
        <h1>${renderSentence(run)}</h1>
        ${truth === undefined || !hasResults ? '' : renderTruthLine(truth, (run.summary.truth?.disagreeing ?? 0) > 0)}
        ${invalid === null ? '' : html`<p class="alert" role="alert">This run is invalid and accuses nobody: ${invalid}</p>`}
      </section>
      ${run.isCurrent || isRunning(current) ? renderProgressOf(parts, renderProgress(current, currentSummary, isLaboratory)) : ''}
      ${span === undefined ? '' : renderHealth(span, marks)}
      ${hasResults ? html`<div class="pair" id="verdicts">${renderCounts(run)}${matrix === '' && changes !== undefined ? renderChanges(changes) : matrix}</div>` : ''}
      ${matrix === '' || changes === undefined ? '' : renderChanges(changes)}
      ${hasResults || !isRunning(current) ? '' : renderWhatIsBuilt(isLaboratory)}`,
  })
}

function renderWhen({ run, ageMs }: OverviewParts): Html | string {
  if (run.runId === null) return ''
  const target = run.isCurrent ? 'current' : run.runId
  return html` · run
    <a href="/runs/${target}">${formatRunTime(run.runId)}</a>${ageMs === null ? '' : ` · ${formatSpan(ageMs)} ago`}`
}

/** Beside an older run the one that goes on is a link of its own; where it is the only one, it needs no title. */
function renderProgressOf({ run }: OverviewParts, progress: Html): Html {
  if (run.isCurrent) return progress
  return html`<div class="current" id="current">
    <h2><a href="/runs/current">The run that goes on</a></h2>
    ${progress}
  </div>`
}

function renderHealth(span: TrendSpan, marks: readonly TrendMark[]): Html {
  return html`<section class="card" id="health" aria-labelledby="health-title">
    <div class="card-head">
      <h2 id="health-title">Health over ${span.days} days</h2>
      ${renderSpans(span.days, '/')}
    </div>
    ${renderTrend(span, marks, 'health')}
  </section>`
}

function renderChanges(changes: ExitChanges): Html {
  return html`<section class="card" id="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Changes since yesterday</h2>
    ${renderChangesList(changes)}
  </section>`
}

function renderTruthLine(sentence: string, hasWrong: boolean): Html {
  if (!hasWrong) return html`<p class="second">${sentence}</p>`
  const url = formatExitQuery({ ...DEFAULT_EXIT_QUERY, truth: 'wrong' })
  return html`<p class="second bad">${sentence} <a href="/exits${url}">Which?</a></p>`
}

/** What a reader can look forward to while there is nothing yet. */
function renderWhatIsBuilt(isLaboratory: boolean): Html | string {
  if (!isLaboratory) return ''
  return html`<section class="card prose" id="about">
    <h2>What happens here</h2>
    <p>
      On this machine, and nowhere else, a private Tor network starts: directory authorities, a middle relay, and exits.
      Each exit asks a DNS server of its own. Some of those servers answer right; others lie, refuse, fail, or stay
      silent, in ways that are written down beforehand.
    </p>
    <p>
      Then the scanner, which cannot read that list, asks every exit for a name that nobody has asked before. The page
      puts its verdict beside the truth.
    </p>
  </section>`
}
