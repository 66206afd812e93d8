/** The confusion matrix of a laboratory: what is true, by what was said. Every count links to its exits. */
import { html, raw } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery } from '../api/exit-query.ts'
import { agreesWithTruth } from '../api/run-summary.ts'
import type { ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView, ExitTruth } from '../model/run-view.ts'
import { formatCount } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { STATUS_WORDS, STATUSES_IN_ORDER } from './verdict-words.ts'

interface FaultRow {
  readonly truth: ExitTruth
  /** Laboratory exits with this fault. */
  exits: number
  readonly results: ExitResult[]
}

/** Renders the matrix; nothing outside a laboratory. */
export function renderTruthMatrix(view: ExitRunView): Html | string {
  if (view.truth.size === 0) return ''
  const rows = collectRows(view)
  const seen = new Set(view.results.map(({ status }) => status))
  const columns = STATUSES_IN_ORDER.filter((status) => seen.has(status))
  const hasMore = view.results.length < view.truth.size
  return html`<section class="card" id="matrix" aria-labelledby="matrix-title">
    <h2 id="matrix-title">Truth beside verdict</h2>
    <div class="scroll" role="region" aria-label="Truth beside verdict, table" tabindex="0">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">what is true</th>
            ${columns.map((status) => html`<th scope="col" class="n">${STATUS_WORDS[status].label}</th>`)}
            ${hasMore ? html`<th scope="col" class="n">to come</th>` : ''}
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => renderRow(row, columns, hasMore))}
        </tbody>
      </table>
    </div>
    <p class="small">
      <span class="agree">✓</span> a verdict that is right for the fault, <span class="disagree">✕</span> one that is
      not. The scanner cannot read this table.
    </p>
  </section>`
}

function collectRows(view: ExitRunView): readonly FaultRow[] {
  const rows = new Map<string, FaultRow>()
  const finished = new Map(view.results.map((result) => [result.exit_fingerprint, result]))
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

function renderRow({ truth, exits, results }: FaultRow, columns: readonly ExitStatus[], hasMore: boolean): Html {
  return html`<tr>
    <th scope="row" title="${truth.description}">${truth.fault.replaceAll(/[_-]/g, ' ')}</th>
    ${columns.map((status) =>
      renderCell(
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

function renderCell(truth: ExitTruth, status: ExitStatus, results: readonly ExitResult[]): Html {
  if (results.length === 0) return html`<td class="n"><span class="dim">·</span></td>`
  const right = results.filter((result) => agreesWithTruth(result, truth)).length
  const wrong = results.length - right
  const link = (count: number, isRight: boolean): Html => {
    const url = formatExitQuery({
      ...DEFAULT_EXIT_QUERY,
      fault: truth.fault,
      status,
      truth: isRight ? 'right' : 'wrong',
    })
    return html`<a class="${isRight ? 'agree' : 'disagree'}" href="/${url}#exits"
      >${formatCount(count)} <span aria-hidden="true">${isRight ? '✓' : '✕'}</span
      ><span class="sr"> ${isRight ? 'right' : 'wrong'}</span></a
    >`
  }
  return html`<td class="n">${right > 0 ? link(right, true) : ''} ${wrong > 0 ? link(wrong, false) : ''}</td>`
}
