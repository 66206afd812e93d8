/** The confusion matrix of a laboratory: what is true, by what was said. Every count links to its exits. */
import { html, raw } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery } from '../api/exit-query.ts'
import { compareWithTruth, isRunning } from '../api/run-summary.ts'
import type { ListedExit } from '../api/select-exits.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView, ExitTruth } from '../model/run-view.ts'
import { formatCount } from './format-quantity.ts'
import { AGREEMENT_WORDS } from './badges.ts'
import type { Html } from './html-value.ts'
import { STATUS_WORDS, STATUSES_IN_ORDER } from './verdict-words.ts'

interface FaultRow {
  readonly truth: ExitTruth
  /** Laboratory exits with this fault. */
  exits: number
  readonly results: ListedExit[]
}

/** Renders the matrix; nothing outside a laboratory. */
export function renderTruthMatrix(view: ExitRunView, results: readonly ListedExit[]): Html | string {
  if (view.truth.size === 0) return ''
  const rows = collectRows(view, results)
  const seen = new Set(results.map(({ status }) => status))
  const columns = STATUSES_IN_ORDER.filter((status) => seen.has(status))
  const hasMore = results.length < view.truth.size
  return html`<section class="card" id="matrix" aria-labelledby="matrix-title">
    <h2 id="matrix-title">Truth beside verdict</h2>
    <div class="scroll" role="region" aria-label="Truth beside verdict, table" tabindex="0">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">what is true</th>
            ${columns.map((status) => html`<th scope="col" class="n">${STATUS_WORDS[status].label}</th>`)}
            ${hasMore ? html`<th scope="col" class="n">${isRunning(view) ? 'to come' : 'not in the run'}</th>` : ''}
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => renderRow(view, row, columns, hasMore))}
        </tbody>
      </table>
    </div>
    <p class="small">
      <span class="agree">✓</span> a verdict that is right for the fault, <span class="disagree">✕</span> one that is
      not${isRunning(view) ? html`, <span class="open">…</span> one that is open until what our authority saw is joined` : ''}.
      The scanner cannot read this table.
    </p>
  </section>`
}

function collectRows(view: ExitRunView, results: readonly ListedExit[]): readonly FaultRow[] {
  const rows = new Map<string, FaultRow>()
  const finished = new Map(results.map((result) => [result.exit_fingerprint, result]))
  for (const [fingerprint, truth] of view.truth) {
    const row = rows.get(truth.fault) ?? { truth, exits: 0, results: [] }
    rows.set(truth.fault, row)
    row.exits += 1
    const result = finished.get(fingerprint)
    if (result !== undefined) row.results.push(result)
  }
  // `right` first, as in a table of which the first line is the healthy one.
  return [...rows.values()].sort((a, b) => {
    const rank = Number(b.truth.fault.startsWith('right')) - Number(a.truth.fault.startsWith('right'))
    return rank === 0 ? Number(a.truth.fault > b.truth.fault) - Number(a.truth.fault < b.truth.fault) : rank
  })
}

function renderRow(
  view: ExitRunView,
  { truth, exits, results }: FaultRow,
  columns: readonly ExitStatus[],
  hasMore: boolean,
): Html {
  return html`<tr>
    <th scope="row" title="${truth.description}">${truth.fault.replaceAll(/[_-]/g, ' ')}</th>
    ${columns.map((status) =>
      renderCell(
        view,
        truth,
        status,
        results.filter((result) => result.status === status),
      ),
    )}
    ${
      hasMore
        ? html`<td class="n">
            ${exits - results.length === 0 ? raw('<span class="dim">·</span>') : formatCount(exits - results.length)}
          </td>`
        : ''
    }
  </tr>`
}

function renderCell(view: ExitRunView, truth: ExitTruth, status: ExitStatus, results: readonly ListedExit[]): Html {
  if (results.length === 0) return html`<td class="n"><span class="dim">·</span></td>`
  const groups = Map.groupBy(results, (result) => compareWithTruth(view, result, truth))
  const links = [...groups].map(([agreement, { length }]) => {
    const { mark, label, name } = AGREEMENT_WORDS[agreement]
    const url = formatExitQuery({
      ...DEFAULT_EXIT_QUERY,
      run: isRunning(view) ? 'current' : undefined,
      fault: truth.fault,
      status,
      truth: agreement,
    })
    return html`<a class="${name}" href="/exits${url}"
      >${formatCount(length)} <span aria-hidden="true">${mark}</span><span class="sr"> ${label}</span></a
    > `
  })
  return html`<td class="n">${links}</td>`
}
