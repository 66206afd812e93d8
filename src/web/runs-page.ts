/** Every run that was kept, newest first: what it measured, whether it is valid, and what is left of its evidence. */
import { html } from 'hono/html'
import { isRunning, summarizeRun } from '../api/run-summary.ts'
import type { ExitRunSummary, KeptEvidence } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import { formatCount, formatCounted, formatRunTime, formatShare, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderProgress } from './progress-section.ts'
import type { RunShelf } from './run-shelf.ts'

const RUNS_PER_PAGE = 50

const EVIDENCE_WORDS: Readonly<Record<KeptEvidence, string>> = {
  all: 'every attempt',
  failures: 'attempts of exits that failed',
  none: 'none any more',
}

/** Renders the page. `before` is a run id of 14 digits; runs earlier than it are shown. */
export async function renderRunsPage(shelf: RunShelf, before: string | null, isLaboratory: boolean): Promise<Html> {
  const view = shelf.current()
  const runs = await shelf.list(before, RUNS_PER_PAGE + 1)
  const shown = runs.slice(0, RUNS_PER_PAGE)
  const hasMore = runs.length > RUNS_PER_PAGE
  return renderLayout({
    title: 'Runs',
    section: 'runs',
    isLive: isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">DNS at Tor exits</p>
        <h1>${formatRunsSentence(shelf, shown, before)}</h1>
      </section>
      ${before === null && (isRunning(view) || !shelf.hasArchive) ? renderCurrent(shelf, isLaboratory) : ''}
      ${shown.length === 0 ? '' : renderTable(shown)}
      ${
        before === null && !hasMore
          ? ''
          : html`<nav class="pages" id="pages" aria-label="Pages of the list">
              ${before === null ? '' : html`<a href="/runs">newest</a>`}
              ${hasMore ? html`<a href="/runs?before=${shown.at(-1)?.runId ?? ''}">earlier →</a>` : ''}
            </nav>`
      }`,
  })
}

function formatRunsSentence(shelf: RunShelf, shown: readonly ExitRunSummary[], before: string | null): string {
  if (!shelf.hasArchive) return 'Only the run at hand is shown: no archive keeps earlier ones here.'
  if (shown.length === 0) {
    return before === null ? 'No run is kept yet.' : `No run is kept from before ${formatRunTime(before)}.`
  }
  const invalid = shown.filter(({ metadata }) => metadata.invalid !== null).length
  const newest = formatRunTime(shown[0]?.runId ?? '')
  const oldest = formatRunTime(shown.at(-1)?.runId ?? '')
  if (shown.length === 1) return `One run, ${newest}${invalid === 1 ? ', is invalid' : ''}.`
  const validity =
    invalid === 0
      ? 'all of them valid'
      : `${formatCount(invalid)} of them invalid, which ${invalid === 1 ? 'accuses' : 'accuse'} nobody`
  return `${formatCounted(shown.length, 'run', 'runs')} from ${oldest} to ${newest}, ${validity}.`
}

function renderCurrent(shelf: RunShelf, isLaboratory: boolean): Html {
  const view = shelf.current()
  return html`<div class="current" id="current">
    <h2><a href="/runs/current">${isRunning(view) ? 'The run that goes on' : 'The run at hand'}</a></h2>
    ${renderProgress(view, summarizeRun(view), isLaboratory)}
  </div>`
}

function renderTable(runs: readonly ExitRunSummary[]): Html {
  return html`<div class="scroll framed" role="region" aria-label="Runs, table" tabindex="0" id="runs">
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">run</th>
          <th scope="col">validity</th>
          <th scope="col" class="n">measured</th>
          <th scope="col" class="n">failing or suspect</th>
          <th scope="col" class="n">share</th>
          <th scope="col" class="n wide">not reached</th>
          <th scope="col" class="n wide">took</th>
          <th scope="col" class="wide">evidence kept</th>
        </tr>
      </thead>
      <tbody>
        ${runs.map(renderRow)}
      </tbody>
    </table>
  </div>`
}

function renderRow({ runId, metadata, evidence, hasRows }: ExitRunSummary): Html {
  const failing = metadata.wrong_ip + metadata.dns_fail + metadata.timeout
  const notReached = Math.max(0, metadata.candidates - metadata.dns_tested)
  const link = (count: number, filter: string): Html | string =>
    hasRows && count > 0 ? html`<a href="/exits?run=${runId}${filter}">${formatCount(count)}</a>` : formatCount(count)
  return html`<tr>
    <th scope="row"><a href="/runs/${runId}">${formatRunTime(runId)}</a></th>
    <td>${renderValidity(metadata)}</td>
    <td class="n">${link(metadata.dns_tested, '')} <span class="dim">of ${formatCount(metadata.candidates)}</span></td>
    <td class="n">${link(failing, '&status=failing')}</td>
    <td class="n">${formatShare(failing, metadata.dns_tested)}</td>
    <td class="n wide">${formatCount(notReached)}</td>
    <td class="n wide">${formatSpan(metadata.duration_ms)}</td>
    <td class="wide">${hasRows ? EVIDENCE_WORDS[evidence] : 'counts only'}</td>
  </tr>`
}

/** The validity of a run as a badge: an invalid run never looks like a good one. */
export function renderValidity({ invalid, interrupted }: ExitMetadata): Html {
  if (invalid !== null)
    return html`<span class="badge s-invalid" title="${invalid}"><span aria-hidden="true">⊘</span> invalid</span>`
  if (interrupted)
    return html`<span class="badge s-not_tested"><span aria-hidden="true">◐</span> valid, not whole</span>`
  return html`<span class="badge s-plain"><span aria-hidden="true">✓</span> valid</span>`
}
