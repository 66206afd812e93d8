/** What is different between two runs, in short: who fails anew, who recovered, how many came and went. */
import { html } from 'hono/html'
import type { ExitChanges, ExitRow } from '../model/exit-archive.ts'
import { renderStatusBadge } from './badges.ts'
import { formatCount, formatCounted, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { STATUS_WORDS } from './verdict-words.ts'

/** Exits named in each list; the rest is a number that leads to them. */
const NAMED_MAX = 8

/**
 * Renders the lists with their sentence.
 *
 * @param target - The page that has all of them.
 */
export function renderChangesList(changes: ExitChanges, target: string): Html {
  const { since, newlyFailing, recovered, appeared, gone } = changes
  if (since === null) return html`<p>There is no earlier valid run to compare with.</p>`
  const link = (count: number, words: string, anchor: string): Html | string =>
    count === 0 ? `no ${words}` : html`<a href="${target}#${anchor}">${formatCount(count)} ${words}</a>`
  return html`<p>
      Since the run of <a href="/runs/${since}">${formatRunTime(since)}</a>:
      ${link(newlyFailing.length, newlyFailing.length === 1 ? 'exit fails that did not' : 'exits fail that did not', 'newly-failing')},
      ${link(recovered.length, recovered.length === 1 ? 'exit recovered' : 'exits recovered', 'recovered')};
      ${link(appeared, appeared === 1 ? 'candidate appeared' : 'candidates appeared', 'appeared')},
      ${link(gone, gone === 1 ? 'candidate left' : 'candidates left', 'left')}.
    </p>
    ${renderExits('Newly failing', newlyFailing, `${target}#newly-failing`)}
    ${renderExits('Recovered', recovered, `${target}#recovered`)}`
}

function renderExits(title: string, rows: readonly ExitRow[], target: string): Html | string {
  if (rows.length === 0) return ''
  const more = rows.length - NAMED_MAX
  return html`<h3>${title}</h3>
    <ul class="changed">
      ${rows.slice(0, NAMED_MAX).map(
        (row) =>
          html`<li>
            <a href="/exits/${row.exit_fingerprint}?run=${row.run_id}"><bdi>${row.exit_nickname}</bdi></a>
            ${renderVerdicts(row)}
          </li>`,
      )}
      ${more > 0 ? html`<li><a href="${target}">and ${formatCounted(more, 'more', 'more')}</a></li>` : ''}
    </ul>`
}

/** The verdict about A, and the one about AAAA where it is another one. */
export function renderVerdicts({ status, status_ipv6: ipv6 }: Pick<ExitRow, 'status' | 'status_ipv6'>): Html {
  return html`${renderStatusBadge(status)}${ipv6 === null || ipv6 === status ? '' : html` <span class="flag">IPv6: ${STATUS_WORDS[ipv6].label}</span>`}`
}
