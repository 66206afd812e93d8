/** The overview: one sentence before any number, then progress, counts, truth, and every exit. */
import { html } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery, type ParsedExitQuery } from '../api/exit-query.ts'
import { isRunning, summarizeRun } from '../api/run-summary.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { renderCounts } from './counts-table.ts'
import { renderExits } from './exit-table.ts'
import { formatTimeText } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderProgress } from './progress-section.ts'
import { renderTruthMatrix } from './truth-matrix.ts'
import { formatRunSentence, formatTruthSentence } from './verdict-sentence.ts'

/** Renders the page. */
export function renderOverview(view: ExitRunView, { query, ignored }: ParsedExitQuery, isLaboratory: boolean): Html {
  const summary = summarizeRun(view)
  const sentence = formatRunSentence(view, summary)
  const truth = formatTruthSentence(summary)
  const hasResults = summary.finished > 0
  const invalid = view.metadata?.invalid ?? null
  return renderLayout({
    title: 'Exits',
    section: 'overview',
    isLive: isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          ${isLaboratory ? html`<span class="tag">Laboratory</span>` : ''}DNS at Tor
          exits${view.runId === null ? '' : html` · run <span class="mono">${view.runId}</span>`}${view.startedAt === null ? '' : html` · started ${formatTimeText(view.startedAt.replace(/\.\d+/, ''))}`}
        </p>
        <h1>${hasResults ? keepTogether(sentence) : sentence}</h1>
        ${truth === undefined || !hasResults ? '' : renderTruthLine(truth, (summary.truth?.disagreeing ?? 0) > 0)}
        ${invalid === null ? '' : html`<p class="alert" role="alert">This run is invalid and accuses nobody: ${invalid}</p>`}
      </section>
      ${renderProgress(view, summary, isLaboratory)}
      ${hasResults ? html`<div class="pair" id="verdicts">${renderCounts(summary)}${renderTruthMatrix(view)}</div>` : ''}
      ${hasResults ? renderExits(view, summary, query, ignored) : ''}
      ${hasResults || !isRunning(view) ? '' : renderWhatIsBuilt(isLaboratory)}`,
  })
}

/** A number and its word stay on one line; the words of a longer part may break. */
function keepTogether(sentence: string): readonly Html[] {
  return sentence
    .split(/(?<=[,:]) /)
    .map(
      (part, index) => html`${index === 0 ? '' : ' '}<span class="${part.length <= 24 ? 'keep' : ''}">${part}</span>`,
    )
}

function renderTruthLine(sentence: string, hasWrong: boolean): Html {
  if (!hasWrong) return html`<p class="second">${sentence}</p>`
  const url = formatExitQuery({ ...DEFAULT_EXIT_QUERY, truth: 'wrong' })
  return html`<p class="second bad">${sentence} <a href="/${url}#exits">Which?</a></p>`
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
