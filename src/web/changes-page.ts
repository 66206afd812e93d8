/** What is different between a run and an earlier one, exit by exit. */
import { html } from 'hono/html'
import type { ExitChanges, ExitRow } from '../model/exit-archive.ts'
import { renderVerdicts } from './changes-list.ts'
import { formatCount, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'

/** Rows in one list of the page. */
const ROWS_MAX = 500

/** What the page shows. */
export interface ChangesPageParts {
  readonly runId: string
  readonly changes: ExitChanges
  /** Of the run. */
  readonly rows: readonly ExitRow[]
  /** Of the run compared with; `undefined` when they were given up. */
  readonly earlierRows: readonly ExitRow[] | undefined
}

/** One kind of difference. */
interface Difference {
  readonly id: string
  readonly title: string
  readonly rows: readonly ExitRow[]
}

/** Renders the page. */
export function renderChangesPage({ runId, changes, rows, earlierRows }: ChangesPageParts): Html {
  const { since, newlyFailing, recovered } = changes
  const now = new Set(rows.map((row) => row.exit_fingerprint))
  const before = new Map(earlierRows?.map((row) => [row.exit_fingerprint, row]))
  const differences: readonly Difference[] = [
    { id: 'newly-failing', title: 'Newly failing', rows: newlyFailing },
    { id: 'recovered', title: 'Recovered', rows: recovered },
    {
      id: 'appeared',
      title: 'Candidates that were none before',
      rows: earlierRows === undefined ? [] : rows.filter((row) => !before.has(row.exit_fingerprint)),
    },
    {
      id: 'left',
      title: 'Candidates that left',
      rows: earlierRows?.filter((row) => !now.has(row.exit_fingerprint)) ?? [],
    },
  ]
  return renderLayout({
    title: 'What changed',
    section: 'runs',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/runs">Runs</a> · <a href="/runs/${runId}">${formatRunTime(runId)}</a></p>
        <h1>${formatSentence(changes)}</h1>
        ${since === null ? '' : html`<p class="second">Compared with the run of <a href="/runs/${since}">${formatRunTime(since)}</a>. An exit that was not reached has neither failed nor recovered.</p>`}
      </section>
      ${differences.map((difference) => renderDifference(difference, before))}`,
  })
}

function formatSentence({ since, newlyFailing, recovered }: ExitChanges): string {
  if (since === null) return 'There is no earlier valid run to compare with.'
  const failing = newlyFailing.length === 1 ? 'exit fails' : 'exits fail'
  return `${formatCount(newlyFailing.length)} ${failing} that did not, and ${formatCount(recovered.length)} recovered.`
}

function renderDifference({ id, title, rows }: Difference, before: ReadonlyMap<string, ExitRow>): Html | string {
  if (rows.length === 0) return ''
  return html`<section id="${id}" class="difference" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}: ${formatCount(rows.length)}</h2>
    <div class="scroll framed" role="region" aria-label="${title}, table" tabindex="0">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">exit</th>
            <th scope="col">${id === 'left' ? 'last' : 'now'}</th>
            ${id === 'newly-failing' || id === 'recovered' ? html`<th scope="col">before</th>` : ''}
            <th scope="col" class="wide">network</th>
            <th scope="col" class="wide">operator</th>
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, ROWS_MAX).map((row) => renderRow(row, id, before.get(row.exit_fingerprint)))}
        </tbody>
      </table>
    </div>
    ${rows.length > ROWS_MAX ? html`<p class="shown">The first ${formatCount(ROWS_MAX)} are shown.</p>` : ''}
  </section>`
}

function renderRow(row: ExitRow, id: string, earlier: ExitRow | undefined): Html {
  const hasBefore = id === 'newly-failing' || id === 'recovered'
  return html`<tr>
    <th scope="row">
      <a href="/exits/${row.exit_fingerprint}?run=${row.run_id}"><bdi>${row.exit_nickname}</bdi></a>
    </th>
    <td>${renderVerdicts(row)}</td>
    ${hasBefore ? html`<td>${earlier === undefined ? html`<span class="dim">no candidate</span>` : renderVerdicts(earlier)}</td>` : ''}
    <td class="wide"><bdi>${row.as ?? 'not known'}</bdi></td>
    <td class="wide"><bdi>${row.operator ?? 'not known'}</bdi></td>
  </tr>`
}
