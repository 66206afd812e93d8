/** One run: what it found, what it was, what was absent, and what is different from the run before. */
import { html } from 'hono/html'
import { isRunning } from '../api/run-summary.ts'
import type { ExitChanges } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import { renderCounts } from './counts-table.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import { formatCount, formatCounted, formatMinute, formatMs, formatRunTime, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderProgress } from './progress-section.ts'
import { renderSentence } from './run-sentence.ts'
import type { ShownRun } from './run-shelf.ts'
import { renderChangesList } from './changes-list.ts'
import { renderValidity } from './runs-page.ts'
import { renderTruthMatrix } from './truth-matrix.ts'

/** What the page shows besides the run. */
export interface RunPageParts {
  readonly run: ShownRun
  /** Against the run before; `undefined` when it cannot be said. */
  readonly changes: ExitChanges | undefined
  /** The run before; `null` when there is none. */
  readonly earlier: string | null
  /** Names of published files of this run. */
  readonly files: readonly string[]
  readonly isLaboratory: boolean
}

/** Words for each part that can be absent from a run. */
const ABSENT_WORDS: Readonly<Record<string, string>> = {
  decoys: 'No other names were mixed in, so an exit that lies about them only was not found.',
  stable_domains: 'No well-known names were asked.',
  second_zone: 'There was no second zone, so a fault of our own zone is told from one of the exits by less.',
  direct_control: 'The zone was not asked directly while the run went on.',
  authority_log: 'The log of our authority was not joined: who really resolves for an exit is not known.',
}

/** Renders the page of a run that goes on or was kept. */
export function renderRunPage(parts: RunPageParts): Html {
  const { run, changes, earlier, files, isLaboratory } = parts
  const { metadata, summary, view } = run
  const isOpen = run.isCurrent && isRunning(view)
  const when = run.runId === null ? 'not begun' : formatRunTime(run.runId)
  const invalid = metadata?.invalid ?? null
  const evidenceGone = run.rows === undefined
  return renderLayout({
    title: `Run ${when}`,
    section: 'runs',
    isLive: isOpen,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          <a href="/runs">Runs</a> · ${when}${metadata === null ? '' : html` · ${renderValidity(metadata)}`}
        </p>
        <h1>${invalid === null ? renderSentence(run) : 'This run is invalid and accuses nobody.'}</h1>
        ${
          invalid === null
            ? ''
            : html`<p class="alert" role="alert">Why: ${invalid}</p>
                <p class="second">What it saw, for the record: ${renderSentence(run)}</p>`
        }
        ${metadata?.interrupted === true ? html`<p class="second">It was interrupted: ${formatCounted(summary.notTested, 'exit was', 'exits were')} not tested, and nothing is said about them.</p>` : ''}
        ${evidenceGone ? html`<p class="second">Only its counts are kept any more; which exit had which verdict was given up by retention.</p>` : ''}
        <p class="links">
          ${evidenceGone || summary.finished === 0 ? '' : html`<a href="/exits?run=${run.isCurrent ? 'current' : (run.runId ?? '')}">Its exits</a>`}
          ${earlier === null ? '' : html` <a href="/runs/${earlier}">← The run before</a>`}
        </p>
      </section>
      ${run.isCurrent ? renderProgress(view, summary, isLaboratory) : ''}
      ${summary.finished === 0 ? '' : html`<div class="pair" id="verdicts">${renderCounts(run)}${run.isCurrent ? renderTruthMatrix(view, run.rows ?? []) : changes === undefined ? '' : renderChanges(run, changes)}</div>`}
      ${metadata === null ? '' : renderMetadata(metadata, files)}`,
  })
}

function renderChanges({ runId }: ShownRun, changes: ExitChanges): Html {
  return html`<section class="card" aria-labelledby="changes-title">
    <h2 id="changes-title">What changed</h2>
    ${renderChangesList(changes, `/runs/${runId ?? ''}/changes`)}
  </section>`
}

function renderMetadata(metadata: ExitMetadata, files: readonly string[]): Html {
  return html`<div class="pair even" id="facts">
    <section class="card" aria-labelledby="what-title">
      <h2 id="what-title">What it was</h2>
      ${renderFacts(listFacts(metadata))}
    </section>
    <section class="card" aria-labelledby="not-title">
      <h2 id="not-title">What to know about it</h2>
      ${renderRemarks(metadata)} ${renderTiming(metadata)}
      <p class="links">
        ${files.length === 0 ? html`<span class="dim">No file of this run is published.</span>` : files.map((name) => html`<a href="/${name}">${name}</a> `)}
      </p>
    </section>
  </div>`
}

function listFacts(metadata: ExitMetadata): readonly Fact[] {
  const mono = (text: string): Html => html`<span class="mono wrap">${text}</span>`
  const mode =
    metadata.mode_requested === metadata.mode
      ? metadata.mode
      : `${metadata.mode}, where ${metadata.mode_requested} was asked for`
  return [
    ['began', formatMinute(metadata.started_at)],
    ['took', formatSpan(metadata.duration_ms)],
    ['module', metadata.module],
    ['mode', mode],
    ['zone', metadata.domain === null ? 'none' : mono(metadata.domain)],
    ['right answer', metadata.expect.length === 0 ? 'none' : mono(metadata.expect.join(', '))],
    ['profile', metadata.profile],
    ['shard', metadata.shard],
    ['consensus', `valid after ${formatMinute(metadata.consensus_valid_after)}`],
    ['Tor', metadata.tor_version],
    ['an exit waits for its resolver', formatMs(metadata.exit_resolve_timeout_ms)],
    [
      'circuits',
      `${formatCount(metadata.circuits_built)} built, ${formatCount(metadata.circuits_failed)} failed, over ${formatCounted(metadata.first_hops, 'first hop', 'first hops')}`,
    ],
    ['questions', formatCount(metadata.queries)],
    ['seed', mono(metadata.seed)],
  ]
}

/** What was absent, relaxed or noted: everything that makes a verdict of this run say less. */
function renderRemarks(metadata: ExitMetadata): Html {
  const remarks = [
    ...metadata.absent.map((part) => ABSENT_WORDS[part] ?? `Absent: ${part.replaceAll('_', ' ')}.`),
    ...(metadata.first_hops_relaxed.length === 0
      ? []
      : [
          `Too few first hops met every condition; given up were, in this order: ${metadata.first_hops_relaxed.join(', ')}.`,
        ]),
    ...(metadata.unsure === 0
      ? []
      : [`At ${formatCounted(metadata.unsure, 'exit', 'exits')} the timing was too uncertain for a strict class.`]),
    ...(metadata.authority_limited === null || metadata.authority_limited === 0
      ? []
      : [`Our authority limited ${formatCounted(metadata.authority_limited, 'answer', 'answers')} during the run.`]),
    ...metadata.notes,
  ]
  if (remarks.length === 0) return html`<p>Nothing was absent, and nothing is noted.</p>`
  return html`<ul class="remarks">
    ${remarks.map((remark) => html`<li>${remark}</li>`)}
  </ul>`
}

function renderTiming({ timing }: ExitMetadata): Html {
  const { avg, min, p50, p95, p99, max } = timing
  if (avg === null) return html`<p>No answer came, so there are no times.</p>`
  return html`<h3>Times of answers</h3>
    <table class="timing">
      <thead>
        <tr>
          ${['least', 'median', 'mean', '95 %', '99 %', 'most'].map((name) => html`<th scope="col" class="n">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        <tr>
          ${[min, p50, avg, p95, p99, max].map((ms) => html`<td class="n">${formatMs(ms)}</td>`)}
        </tr>
      </tbody>
    </table>`
}
