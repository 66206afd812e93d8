/** The last runs of one exit, a cell each: what each said, and the way to its record. */
import { html, raw } from 'hono/html'
import type { ExitPoint } from '../model/exit-archive.ts'
import { formatCounted, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { STATUS_WORDS } from './verdict-words.ts'

/**
 * Renders the strip, earliest first.
 *
 * @param points - Newest first.
 * @param shownRunId - The run whose record the page shows.
 */
export function renderStrip(points: readonly ExitPoint[], fingerprint: string, shownRunId: string): Html {
  const cells = points.toReversed()
  return html`<section class="card" id="strip" aria-labelledby="strip-title">
    <h2 id="strip-title">The last ${formatCounted(points.length, 'run', 'runs')}</h2>
    <p>${formatStripSentence(points)}</p>
    <ol class="strip" aria-label="Runs, earliest first">
      ${cells.map((point) => renderCell(point, fingerprint, shownRunId))}
    </ol>
    <p class="small strip-ends">
      <span>${formatRunTime(cells[0]?.runId ?? '')}</span><span>${formatRunTime(cells.at(-1)?.runId ?? '')}</span>
    </p>
  </section>`
}

function formatStripSentence(points: readonly ExitPoint[]): string {
  const count = (test: (point: ExitPoint) => boolean): number => points.filter(test).length
  const sound = count(({ status }) => status === 'success')
  const failing = count(({ status }) => status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout')
  const absent = count(({ status }) => status === null)
  const other = points.length - sound - failing - absent
  const measured = sound + failing
  if (measured === 0) return 'None of them measured DNS at this exit, so they say nothing about it.'
  const parts = [`${formatCounted(measured, 'run', 'runs')} measured it: ${sound} sound, ${failing} failing`]
  if (other > 0) parts.push(`${other} did not get through and ${other === 1 ? 'says' : 'say'} nothing`)
  if (absent > 0) parts.push(`in ${absent} it was no candidate`)
  return `${parts.join('; ')}.`
}

function renderCell({ runId, status, errorCode }: ExitPoint, fingerprint: string, shownRunId: string): Html {
  const when = formatRunTime(runId)
  if (status === null) {
    return html`<li>
      <span class="cell s-absent" title="${when}: no candidate"
        ><span aria-hidden="true">·</span><span class="sr">${when}: no candidate</span></span
      >
    </li>`
  }
  const { label, mark } = STATUS_WORDS[status]
  const text = `${when}: ${label}${errorCode === null ? '' : `, ${errorCode}`}`
  return html`<li>
    <a
      class="cell s-${status}"
      href="/exits/${fingerprint}?run=${runId}"
      title="${text}"
      ${runId === shownRunId ? raw('aria-current="true"') : ''}
      ><span aria-hidden="true">${mark}</span><span class="sr">${text}</span></a
    >
  </li>`
}
