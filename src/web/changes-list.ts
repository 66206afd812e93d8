/** What is different between two runs: who fails anew, who recovered, who came and went. */
import { html } from 'hono/html'
import type { ExitChanges, ExitRow } from '../model/exit-archive.ts'
import { renderStatusBadge } from './badges.ts'
import { formatCount, formatCounted, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'

/** Exits named in each list; the rest is a number. */
const NAMED_MAX = 8

/** Renders the lists with their sentence. */
export function renderChangesList(changes: ExitChanges): Html {
  const { since, newlyFailing, recovered, appeared, gone } = changes
  if (since === null) return html`<p>There is no earlier valid run to compare with.</p>`
  return html`<p>
      Since the run of <a href="/runs/${since}">${formatRunTime(since)}</a>:
      ${formatCounted(newlyFailing.length, 'exit fails', 'exits fail')} that did not, ${formatCount(recovered.length)}
      recovered; ${formatCounted(appeared, 'candidate', 'candidates')} appeared and ${formatCount(gone)} left.
    </p>
    ${renderExits('Newly failing', newlyFailing)} ${renderExits('Recovered', recovered)}`
}

function renderExits(title: string, rows: readonly ExitRow[]): Html | string {
  if (rows.length === 0) return ''
  return html`<h3>${title}</h3>
    <ul class="changed">
      ${rows.slice(0, NAMED_MAX).map(
        (row) =>
          html`<li>
            <a href="/exits/${row.exit_fingerprint}?run=${row.run_id}"><bdi>${row.exit_nickname}</bdi></a>
            ${renderStatusBadge(row.status)}
          </li>`,
      )}
      ${rows.length > NAMED_MAX ? html`<li class="dim">and ${formatCount(rows.length - NAMED_MAX)} more</li>` : ''}
    </ul>`
}
