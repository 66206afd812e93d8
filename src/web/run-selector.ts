/** Which run is shown: a plain form over the newest runs, for pages that show one run at a time. */
import { html, raw } from 'hono/html'
import { isRunning } from '../api/run-summary.ts'
import { formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { RunShelf, ShownRun } from './run-shelf.ts'

/** Runs offered: half a month at four a day. Older ones are reached from the list of runs. */
const RUNS_OFFERED_MAX = 60

/**
 * Renders the form.
 *
 * @param path - The page that shows the run.
 * @param chosen - The `run` parameter of the page; `undefined` when none was given.
 * @param keep - Other parameters of the page that the choice leaves as they are.
 */
export async function renderRunSelector(
  shelf: RunShelf,
  run: ShownRun,
  path: string,
  chosen: string | undefined,
  keep: URLSearchParams,
): Promise<Html | string> {
  if (!shelf.hasArchive) return ''
  const runs = await shelf.list(null, RUNS_OFFERED_MAX)
  const view = shelf.current()
  const option = (value: string, label: string): Html =>
    html`<option value="${value}" ${value === (chosen ?? '') ? raw('selected') : ''}>${label}</option>`
  const isOffered = chosen === undefined || chosen === 'current' || runs.some(({ runId }) => runId === chosen)
  return html`<form class="run-selector" action="${path}" method="get">
    ${[...keep].map(([name, value]) => (name === 'run' || name === 'cursor' ? '' : html`<input type="hidden" name="${name}" value="${value}" />`))}
    <label for="run">Run</label>
    <select id="run" name="run">
      ${option('', 'newest valid run')}
      ${view.runId === null ? '' : option('current', isRunning(view) ? 'the run that goes on' : 'the run at hand')}
      ${isOffered ? '' : option(chosen, formatRunTime(run.runId ?? ''))}
      ${runs.map(({ runId, metadata }) => option(runId, `${formatRunTime(runId)}${metadata.invalid === null ? '' : ', invalid'}`))}
    </select>
    <button type="submit">Show</button>
    <a href="/runs">all runs</a>
  </form>`
}
