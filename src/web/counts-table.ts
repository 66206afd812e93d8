/** How many relays have which verdict: each count with its share, its denominator, and a link to the rows. */
import { html } from 'hono/html'
import { DEFAULT_EXIT_QUERY, formatExitQuery, type ExitStatusFilter } from '../api/exit-query.ts'
import { renderStatusBadge } from './badges.ts'
import { formatCount, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { ShownRun } from './run-shelf.ts'
import { STATUS_WORDS, STATUSES_IN_ORDER } from './verdict-words.ts'

/** Renders the table. Statuses that did not occur and say nothing about DNS are left out. */
export function renderCounts(run: ShownRun): Html {
  const { summary } = run
  const rows = STATUSES_IN_ORDER.filter(
    (status) => summary.counts[status] > 0 || STATUS_WORDS[status].denominator === 'measured',
  )
  return html`<section class="card" id="counts" aria-labelledby="counts-title">
    <h2 id="counts-title">Verdicts</h2>
    <table class="counts">
      <thead>
        <tr>
          <th scope="col">verdict</th>
          <th scope="col" class="n">exits</th>
          <th scope="col" class="n">share</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((status) => {
          const count = summary.counts[status]
          const { denominator } = STATUS_WORDS[status]
          const whole = denominator === 'measured' ? summary.measured : summary.candidates
          return html`<tr>
            <th scope="row">${renderStatusBadge(status)}</th>
            <td class="n">${renderCountLink(run, count, status)}</td>
            <td class="n">
              ${formatShare(count, whole)}
              <span class="of">of ${formatCount(whole)} ${denominator === 'measured' ? 'measured' : 'exits'}</span>
            </td>
          </tr>`
        })}
      </tbody>
    </table>
    <p class="small">
      Shares of DNS verdicts are shares of the exits that were measured. An exit that was not reached counts neither for
      nor against.
    </p>
  </section>`
}

function renderCountLink({ rows, isCurrent, runId }: ShownRun, count: number, status: ExitStatusFilter): Html | string {
  if (count === 0 || rows === undefined) return formatCount(count)
  const run = isCurrent ? 'current' : (runId ?? undefined)
  return html`<a href="/exits${formatExitQuery({ ...DEFAULT_EXIT_QUERY, run, status })}">${formatCount(count)}</a>`
}
