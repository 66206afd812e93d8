/** The numbers of a trend: the last valid run of each day, or of each week where there are many days. */
import { html } from 'hono/html'
import { formatIsoTime, parseTime } from '../core/clock.ts'
import type { ExitTrendPoint } from '../model/exit-archive.ts'
import { formatCount, formatRunTime, formatShare } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { TrendSpan } from './run-shelf.ts'

const DAY_MS = 86_400_000
/** More rows than this are taken together by week. */
const DAYS_MAX = 100

interface Period {
  readonly runs: number
  readonly invalid: number
  readonly last: ExitTrendPoint | undefined
}

/** Renders the table, newest first. */
export function renderTrendTable({ days, points }: TrendSpan): Html {
  const isWeekly = days > DAYS_MAX
  const width = isWeekly ? 7 * DAY_MS : DAY_MS
  const periods = new Map<number, Period>()
  for (const point of points) {
    const key = Math.floor(parseTime(point.timestamp) / width)
    const { runs, invalid, last } = periods.get(key) ?? { runs: 0, invalid: 0, last: undefined }
    const isValid = point.invalid === null
    periods.set(key, { runs: runs + 1, invalid: invalid + Number(!isValid), last: isValid ? point : last })
  }
  return html`<p class="small">
      Each row is the last valid run of a ${isWeekly ? 'week' : 'day'}: sums over runs would count an exit several
      times.
    </p>
    <div class="scroll" role="region" aria-label="Trend, table" tabindex="0">
      <table class="trend-table">
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col" class="n">measured</th>
            <th scope="col" class="n">failing or suspect</th>
            <th scope="col" class="n">share</th>
            <th scope="col" class="n">not reached</th>
            <th scope="col" class="n">runs, invalid</th>
          </tr>
        </thead>
        <tbody>
          ${[...periods].toReversed().map(([key, period]) => renderPeriod(key * width, period))}
        </tbody>
      </table>
    </div>`
}

function renderPeriod(startMs: number, { runs, invalid, last }: Period): Html {
  const counts = html`<td class="n">${formatCount(runs)}, ${formatCount(invalid)}</td>`
  if (last === undefined)
    return html`<tr>
      <th scope="row">${formatDayOf(startMs)}</th>
      <td colspan="4"><span class="dim">no valid run</span></td>
      ${counts}
    </tr>`
  const failing = last.counts.wrong_ip + last.counts.dns_fail + last.counts.timeout
  const measured = failing + last.counts.success
  return html`<tr>
    <th scope="row"><a href="/runs/${last.runId}">${formatRunTime(last.runId)}</a></th>
    <td class="n">${formatCount(measured)} of ${formatCount(last.candidates)}</td>
    <td class="n"><a href="/exits?run=${last.runId}&amp;status=failing">${formatCount(failing)}</a></td>
    <td class="n">${formatShare(failing, measured)}</td>
    <td class="n">${formatCount(Math.max(0, last.candidates - measured))}</td>
    ${counts}
  </tr>`
}

function formatDayOf(ms: number): string {
  return formatIsoTime(ms).slice(0, 10)
}
