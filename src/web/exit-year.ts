/**
 * One exit over a year, a mark a day: a dot for a day without a failure, a square for one with, a ring for one on which it
 * was not reached, nothing where no run knew it.
 *
 * Invariant: a day without a DNS verdict looks like no other day.
 */
import { html } from 'hono/html'
import { assertNever } from '../core/assert.ts'
import { formatIsoTime, parseTime } from '../core/clock.ts'
import type { ExitRelayDay } from '../model/exit-archive.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import { formatCounted } from './format-quantity.ts'
import type { Html } from './html-value.ts'

const DAY_MS = 86_400_000
const CELL = 12
const WEEKS = 53
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const FAILURES: readonly ExitStatus[] = ['wrong_ip', 'dns_fail', 'timeout']

type DayKind = 'sound' | 'mixed' | 'failing' | 'not_reached'

interface Day {
  readonly startMs: number
  readonly kind: DayKind
  /** The most frequent failure of the day. */
  readonly worst: ExitStatus | undefined
}

/** Renders the year that ends at `nowMs`, Unix milliseconds. */
export function renderYear(relayDays: readonly ExitRelayDay[], nowMs: number): Html {
  const days = relayDays.map(readDay)
  const sentence = formatYearSentence(days)
  const monday = nowMs - (nowMs % DAY_MS) - ((Math.floor(nowMs / DAY_MS) + 3) % 7) * DAY_MS
  const firstMs = monday - (WEEKS - 1) * 7 * DAY_MS
  const width = WEEKS * CELL
  const firsts = Array.from({ length: WEEKS }, (_, week) => firstMs + week * 7 * DAY_MS)
  return html`<section class="card" id="year" aria-labelledby="year-title">
    <h2 id="year-title">A year of days</h2>
    <figure class="year">
      <figcaption>${sentence}</figcaption>
      <svg width="100%" height="14" aria-hidden="true">
        ${firsts.flatMap((ms, week) => (isMonthBegin(ms) && week < WEEKS - 2 ? [html`<text x="${((100 * week) / WEEKS).toFixed(1)}%" y="11">${MONTHS[Number(formatIsoTime(ms).slice(5, 7)) - 1] ?? ''}</text>`] : []))}
      </svg>
      <svg viewBox="0 0 ${width} ${7 * CELL}" width="100%" role="img" aria-label="${sentence}">
        ${days.flatMap((day) => {
          const at = Math.floor((day.startMs - firstMs) / DAY_MS)
          return at < 0 ? [] : [renderDay(day, Math.floor(at / 7) * CELL, (at % 7) * CELL)]
        })}
      </svg>
      <ul class="legend">
        ${renderLegend('sound', 'no failure')}${renderLegend('mixed', 'sound and failing')}${renderLegend('failing', 'failing only')}${renderLegend('not_reached', 'not reached')}
        <li>blank: in no run</li>
      </ul>
      <details class="behind">
        <summary>Table behind this chart</summary>
        ${renderMonths(days)}
      </details>
    </figure>
  </section>`
}

function readDay({ day, counts }: ExitRelayDay): Day {
  const failures = FAILURES.filter((status) => (counts[status] ?? 0) > 0)
  const worst = failures.toSorted((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0))[0]
  const isSound = (counts.success ?? 0) > 0
  const kind = worst === undefined ? (isSound ? 'sound' : 'not_reached') : isSound ? 'mixed' : 'failing'
  return { startMs: parseTime(`${day}T00:00:00.000Z`), kind, worst }
}

function isMonthBegin(mondayMs: number): boolean {
  return Number(formatIsoTime(mondayMs).slice(8, 10)) <= 7
}

function formatYearSentence(days: readonly Day[]): string {
  const count = (kind: DayKind): number => days.filter((day) => day.kind === kind).length
  const measured = days.length - count('not_reached')
  if (measured === 0) return 'On no day of the last year was DNS measured at this exit.'
  const bad = count('mixed') + count('failing')
  return `DNS was measured at it on ${formatCounted(measured, 'day', 'days')} of the last year: ${count('sound')} without a failure, ${bad} with at least one.`
}

function renderDay({ kind, worst }: Day, x: number, y: number): Html {
  const [cx, cy] = [x + CELL / 2, y + CELL / 2]
  switch (kind) {
    case 'sound':
      return html`<circle class="f-success" cx="${cx}" cy="${cy}" r="2.4"></circle>`
    case 'not_reached':
      return html`<circle class="ring" cx="${cx}" cy="${cy}" r="3"></circle>`
    case 'mixed':
      return html`<path class="f-${worst ?? 'error'}" d="M${x + 1} ${y + 11}h10v-10z"></path>`
    case 'failing':
      return html`<rect class="f-${worst ?? 'error'}" x="${x + 1}" y="${y + 1}" width="10" height="10" rx="1.5"></rect>`
    default:
      return assertNever(kind)
  }
}

function renderLegend(kind: DayKind, label: string): Html {
  return html`<li>
    <svg width="12" height="12" aria-hidden="true">${renderDay({ kind, worst: 'dns_fail', startMs: 0 }, 0, 0)}</svg
    >${label}
  </li>`
}

function renderMonths(days: readonly Day[]): Html {
  const months = Map.groupBy(days, ({ startMs }) => formatIsoTime(startMs).slice(0, 7))
  const count = (list: readonly Day[], kind: DayKind): number => list.filter((day) => day.kind === kind).length
  return html`<div class="scroll" role="region" aria-label="A year of days, table" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">month</th>
          <th scope="col" class="n">days without a failure</th>
          <th scope="col" class="n">sound and failing</th>
          <th scope="col" class="n">failing only</th>
          <th scope="col" class="n">not reached</th>
        </tr>
      </thead>
      <tbody>
        ${[...months].toReversed().map(
          ([month, list]) =>
            html`<tr>
              <th scope="row">${month}</th>
              <td class="n">${count(list, 'sound')}</td>
              <td class="n">${count(list, 'mixed')}</td>
              <td class="n">${count(list, 'failing')}</td>
              <td class="n">${count(list, 'not_reached')}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
