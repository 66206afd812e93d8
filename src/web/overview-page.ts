/** The overview: one sentence before any number, then what goes on, health over time, what changed, and what is open. */
import { html } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery } from '../api/exit-query.ts'
import { isRunning, summarizeRun } from '../api/run-summary.ts'
import { parseTime } from '../core/clock.ts'
import type { CampaignState } from '../model/daemon-control.ts'
import type { ExitChanges } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import type { ExitIncident } from '../model/incident.ts'
import type { DomainSummary } from '../model/domain-view.ts'
import type { NameView } from '../model/monitor-view.ts'
import { renderChangesList } from './changes-list.ts'
import { renderCounts } from './counts-table.ts'
import { formatCounted, formatRunTime, formatSpan } from './format-quantity.ts'
import { renderIncidentTable } from './incidents-page.ts'
import { formatNext } from './system-page.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { formatDomainSentence, listDomainAlerts } from './domains-page.ts'
import { formatMonitorSentence } from './monitor-page.ts'
import { renderProgress } from './progress-section.ts'
import { renderSentence } from './run-sentence.ts'
import type { RunShelf, ShownRun, TrendSpan } from './run-shelf.ts'
import { renderTrend, type TrendMark } from './trend-figure.ts'
import { renderSpans } from './trend-page.ts'
import { renderTruthMatrix } from './truth-matrix.ts'
import { formatTruthSentence } from './verdict-sentence.ts'

/** More than this many usual pauses without a run: the numbers are old. */
const STALE_PAUSES = 2.5
/** Incidents that stand on the overview itself. */
const INCIDENTS_NAMED_MAX = 5

/** What the page shows. */
export interface OverviewParts {
  readonly shelf: RunShelf
  /** The newest valid run, or the one at hand. */
  readonly run: ShownRun
  /** The run at hand. */
  readonly atHand: ShownRun
  /** Health over time; `undefined` without an archive. */
  readonly span: TrendSpan | undefined
  readonly marks: readonly TrendMark[]
  /** `undefined` where nobody follows exits from run to run. */
  readonly openIncidents: readonly ExitIncident[] | undefined
  /** Against the day before; `undefined` when it cannot be said. */
  readonly changes: ExitChanges | undefined
  /** The usual pause between runs, in milliseconds; `undefined` with too few runs. */
  readonly usualPauseMs: number | undefined
  /** Unix milliseconds. */
  readonly nowMs: number
  /** What is planned; `undefined` without a daemon. */
  readonly campaigns: readonly CampaignState[] | undefined
  readonly isLaboratory: boolean
  /** Names that are watched. */
  readonly names: readonly NameView[]
  /** `undefined` where there is no such campaign. */
  readonly domains: DomainSummary | undefined
  /** What the newest run over resolvers found, one sentence; `undefined` without one. */
  readonly satellite: string | undefined
}

/** Renders the page. */
export function renderOverview(parts: OverviewParts): Html {
  const isRunningNow = isRunning(parts.shelf.current())
  return renderLayout({
    title: 'Overview',
    section: 'overview',
    isLive: isRunningNow,
    content: isWithoutExits(parts) ? renderOthers(parts) : renderWithExits(parts),
  })
}

/** Whether this daemon does something, and nothing with exits. */
function isWithoutExits({ run, shelf, campaigns, ...parts }: OverviewParts): boolean {
  const hasOthers = listOthers(parts).length > 0
  const exits = campaigns?.find(({ campaign }) => campaign === 'exits')
  return hasOthers && run.runId === null && !isRunning(shelf.current()) && (exits?.nextRunAt ?? null) === null
}

/** The campaigns beside exits of which something is known. */
function listOthers({
  satellite,
  names,
  domains,
}: Pick<OverviewParts, 'satellite' | 'names' | 'domains'>): readonly Html[] {
  return [
    ...(satellite === undefined ? [] : [renderSatellite(satellite)]),
    ...(names.length === 0 ? [] : [renderNames(names)]),
    ...(domains === undefined || domains.domains === 0 ? [] : [renderDomains(domains)]),
  ]
}

function renderOthers(parts: OverviewParts): Html {
  const others = listOthers(parts)
  return html`<section class="lead" id="lead">
      <p class="eyebrow">Candor</p>
      <h1>${others.length === 1 ? 'One campaign goes on here.' : `${others.length} campaigns go on here.`}</h1>
      <p class="second">
        Tor exits are not measured by this daemon, and no run is planned. <a href="/system">What is planned</a>
      </p>
    </section>
    ${others} ${parts.openIncidents === undefined ? '' : renderOpenIncidents(parts.openIncidents)}`
}

function renderWithExits(parts: OverviewParts): Html {
  const { shelf, run, span, marks, changes, isLaboratory } = parts
  const current = shelf.current()
  const truth = formatTruthSentence(run.summary)
  const hasResults = run.summary.finished > 0
  const invalid = run.metadata?.invalid ?? null
  const matrix = run.rows === undefined ? '' : renderTruthMatrix(run.view, run.rows)
  return html`<section class="lead" id="lead">
      <p class="eyebrow">
        ${isLaboratory ? html`<span class="tag">Laboratory</span>` : ''}DNS at Tor exits${renderWhen(parts)}
      </p>
      <h1>${renderSentence(run)}</h1>
      ${truth === undefined || !hasResults ? '' : renderTruthLine(truth, (run.summary.truth?.disagreeing ?? 0) > 0)}
      ${renderAge(parts)}
      ${invalid === null ? '' : html`<p class="alert" role="alert">This run is invalid and accuses nobody: ${invalid}</p>`}
    </section>
    ${isRunning(current) || (run.isCurrent && (run.runId !== null || current.phase === 'failed')) ? renderProgressOf(parts, renderProgress(current, summarizeRun(current), isLaboratory)) : ''}
    ${span === undefined || (isLaboratory && span.points.length < 2) ? '' : renderHealth(span, marks)}
    ${parts.openIncidents === undefined ? '' : renderOpenIncidents(parts.openIncidents)} ${listOthers(parts)}
    ${hasResults ? html`<div class="pair" id="verdicts">${renderCounts(run)}${matrix === '' && changes !== undefined ? renderChanges(run, changes) : matrix}</div>` : ''}
    ${matrix === '' || changes === undefined || changes.since === null ? '' : renderChanges(run, changes)}
    ${hasResults || !isRunning(current) ? '' : renderWhatIsBuilt(isLaboratory)}`
}

function renderWhen({ run, nowMs }: OverviewParts): Html | string {
  if (run.runId === null) return ''
  const ageMs = run.metadata === null ? null : ageOf(run.metadata, nowMs)
  const target = run.isCurrent ? 'current' : run.runId
  return html` · run
    <a href="/runs/${target}">${formatRunTime(run.runId)}</a>${ageMs === null ? '' : ` · ${formatSpan(ageMs)} ago`}`
}

function ageOf({ timestamp }: ExitMetadata, nowMs: number): number {
  return Math.max(0, nowMs - parseTime(timestamp))
}

/** Says that the sentence above is old, and when there is to be a newer one. */
function renderAge({ run, shelf, usualPauseMs, nowMs, campaigns, isLaboratory }: OverviewParts): Html | string {
  const current = shelf.current()
  const next = campaigns === undefined ? '' : formatNext(campaigns, nowMs)
  if (isLaboratory && !isRunning(current)) return html`<p class="second">${current.message}</p>`
  const ageMs = run.metadata === null ? 0 : ageOf(run.metadata, nowMs)
  if (usualPauseMs !== undefined && ageMs > STALE_PAUSES * usualPauseMs)
    return html`<p class="alert" role="alert">
      ${`These numbers are ${formatSpan(ageMs)} old, although there used to be a run every ${formatSpan(usualPauseMs)}. They say nothing about now. ${next}`.trim()}
    </p>`
  return next === '' ? '' : html`<p class="second">${next}</p>`
}

/** Open incidents with their evidence; the first of them, and the way to all. */
function renderOpenIncidents(incidents: readonly ExitIncident[]): Html {
  const count = formatCounted(incidents.length, 'incident is', 'incidents are')
  const more = incidents.length - INCIDENTS_NAMED_MAX
  return html`<section id="incidents" aria-labelledby="incidents-title">
    <div class="card-head">
      <h2 id="incidents-title">${incidents.length === 0 ? 'No incident is open' : `${count} open`}</h2>
      <a href="/incidents">All incidents</a>
    </div>
    ${incidents.length === 0 ? html`<p class="second">One begins when an exit has failed several runs in a row.</p>` : renderIncidentTable(incidents.slice(0, INCIDENTS_NAMED_MAX))}
    ${more > 0 ? html`<p class="shown"><a href="/incidents">and ${formatCounted(more, 'more', 'more')}</a></p>` : ''}
  </section>`
}

function renderDomains(summary: DomainSummary): Html {
  return html`<section class="card" id="domains" aria-labelledby="domains-title">
    <div class="card-head">
      <h2 id="domains-title">Domains</h2>
      <a href="/domains">All domains</a>
    </div>
    <p>${formatDomainSentence(summary)}</p>
    ${listDomainAlerts(summary).map((alert) => html`<p class="alert">${alert}</p>`)}
  </section>`
}

function renderSatellite(sentence: string): Html {
  return html`<section class="card" id="satellite" aria-labelledby="satellite-title">
    <div class="card-head">
      <h2 id="satellite-title">Resolvers in many countries</h2>
      <a href="/satellite">Countries and names</a>
    </div>
    <p>${sentence}</p>
  </section>`
}

function renderNames(names: readonly NameView[]): Html {
  return html`<section class="card" id="monitor" aria-labelledby="monitor-title">
    <div class="card-head">
      <h2 id="monitor-title">Watched names</h2>
      <a href="/monitor">All names</a>
    </div>
    <p>${formatMonitorSentence(names)}</p>
  </section>`
}

/** Beside an older run the one that goes on is a link of its own; where it is the only one, it needs no title. */
function renderProgressOf({ run, atHand }: OverviewParts, progress: Html): Html {
  if (run.isCurrent) return progress
  return html`<div class="current" id="current">
    <h2><a href="/runs/current">The run that goes on</a></h2>
    <p>${renderSentence(atHand)}</p>
    ${progress}
  </div>`
}

function renderHealth(span: TrendSpan, marks: readonly TrendMark[]): Html {
  return html`<section class="card" id="health" aria-labelledby="health-title">
    <div class="card-head">
      <h2 id="health-title">
        ${span.youngMs === undefined ? `Health over ${span.days} days` : 'Health since the first run'}
      </h2>
      ${renderSpans(span.days, '/')}
    </div>
    ${renderTrend(span, marks, 'health')}
  </section>`
}

function renderChanges({ runId }: ShownRun, changes: ExitChanges): Html {
  const target = `/runs/${runId ?? ''}/changes?span=day`
  return html`<section class="card" id="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">What changed</h2>
    ${renderChangesList(changes, target)}
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
