/**
 * DNS failures and reachability over time: one chart, its sentence, and the table behind it.
 *
 * A run is a step that lasts until the next one. Invalid runs are hatched, and where there was no run there is nothing: a
 * gap never looks like a quiet day.
 *
 * Invariant: the drawing scales with the page while its text does not; every number in it stands in the table too.
 */
import { max, median } from 'd3-array'
import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveStepAfter } from 'd3-shape'
import { utcFormat } from 'd3-time-format'
import { html } from 'hono/html'
import { parseTime } from '../core/clock.ts'
import type { ExitTrendPoint } from '../model/exit-archive.ts'
import { formatCount, formatCounted, formatShare, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import type { TrendSpan } from './run-shelf.ts'
import { renderTrendTable } from './trend-table.ts'

/** Something that happened, drawn below the chart as its number. */
export interface TrendMark {
  /** Unix milliseconds. */
  readonly atMs: number
  readonly count: number
  readonly label: string
  readonly href: string
}

const UPPER_TOP = 18
const UPPER_HEIGHT = 112
const LOWER_TOP = UPPER_TOP + UPPER_HEIGHT + 28
const LOWER_HEIGHT = 40
const AXIS_TOP = LOWER_TOP + LOWER_HEIGHT + 4
const MARKS_HEIGHT = 24
const AXIS_HEIGHT = 22
/** The drawing's own unit of width; the browser stretches it to the page. */
const WIDTH = 1_000
/** A run stands for this many times the usual pause; after that there was no run. */
const GAP_FACTOR = 2.2
const DAY_MS = 86_400_000
const SERIES = ['wrong_ip', 'dns_fail', 'timeout'] as const

interface Step {
  readonly atMs: number
  /** Shares, stacked: wrong_ip, + dns_fail, + timeout; `undefined` where there is no valid run. */
  readonly stack: readonly [number, number, number] | undefined
  /** Share of candidates without a DNS verdict. */
  readonly notReached: number
}

/** Renders the figure; a sentence alone where two valid runs are not there yet. */
export function renderTrend(span: TrendSpan, marks: readonly TrendMark[], id: string): Html {
  const valid = span.points.filter(({ invalid, counts }) => invalid === null && countMeasured(counts) > 0)
  if (valid.length < 2)
    return html`<p class="empty">
      ${span.points.length === 0 ? `No run of the last ${span.days} days is kept, so there is no trend yet.` : `${formatCounted(span.points.length, 'run', 'runs')} of the last ${span.days} days, ${formatCount(valid.length)} valid: too few for a trend.`}
    </p>`
  const sentence = formatTrendSentence(span, valid)
  return html`<figure class="trend">
    <figcaption>${sentence}</figcaption>
    ${renderDrawing(span, marks, sentence, id)} ${renderLegend(span, marks, id)}
    <details class="behind">
      <summary>Table behind this chart</summary>
      ${renderTrendTable(span)}
    </details>
  </figure>`
}

/** @returns Relays with a verdict about DNS. */
function countMeasured(counts: ExitTrendPoint['counts']): number {
  return counts.success + countFailing(counts)
}

function countFailing(counts: ExitTrendPoint['counts']): number {
  return counts.wrong_ip + counts.dns_fail + counts.timeout
}

function formatTrendSentence({ days, points, youngMs }: TrendSpan, valid: readonly ExitTrendPoint[]): string {
  const when = youngMs === undefined ? `In the last ${days} days` : `Since the first run, ${formatSpan(youngMs)} ago`
  const ordered = valid.toSorted((a, b) => failingShare(a) - failingShare(b))
  const [low = valid[0], high = valid[0], last = valid[0]] = [ordered[0], ordered.at(-1), valid.at(-1)]
  const text = (point: ExitTrendPoint | undefined): string =>
    point === undefined ? '–' : formatShare(countFailing(point.counts), countMeasured(point.counts))
  const invalid = points.filter((point) => point.invalid !== null).length
  const left =
    invalid === 0
      ? ''
      : ` ${formatCounted(invalid, 'run was', 'runs were')} invalid and ${invalid === 1 ? 'is' : 'are'} left out.`
  return text(low) === text(high)
    ? `${when}, ${text(low)} of the measured exits failed in every valid run, suspects included.${left}`
    : `${when}, between ${text(low)} and ${text(high)} of the measured exits failed, suspects included; ${text(last)} in the newest valid run.${left}`
}

function failingShare({ counts }: ExitTrendPoint): number {
  return countFailing(counts) / Math.max(1, countMeasured(counts))
}

function createSteps(points: readonly ExitTrendPoint[], pauseMs: number): readonly Step[] {
  const steps: Step[] = []
  const nothing = (atMs: number): Step => ({ atMs, stack: undefined, notReached: 0 })
  points.forEach(({ timestamp, invalid, counts, candidates }, index) => {
    const atMs = parseTime(timestamp)
    const measured = countMeasured(counts)
    const next = points[index + 1]
    const endMs = next === undefined ? atMs + pauseMs : parseTime(next.timestamp)
    if (invalid !== null || measured === 0) {
      steps.push(nothing(atMs))
      return
    }
    const wrong = counts.wrong_ip / measured
    const failed = wrong + counts.dns_fail / measured
    const step: Step = {
      atMs,
      stack: [wrong, failed, failed + counts.timeout / measured],
      notReached: Math.max(0, candidates - measured) / Math.max(1, candidates),
    }
    steps.push(step)
    const isLast = next === undefined || endMs - atMs > GAP_FACTOR * pauseMs
    const isFollowed = !isLast && next.invalid === null && countMeasured(next.counts) > 0
    if (isFollowed) return
    const until = isLast ? atMs + pauseMs : endMs
    steps.push({ ...step, atMs: until }, nothing(until))
  })
  return steps
}

function renderDrawing(span: TrendSpan, marks: readonly TrendMark[], sentence: string, id: string): Html {
  const { points, fromMs, toMs } = span
  const days = (toMs - fromMs) / DAY_MS
  const times = points.map(({ timestamp }) => parseTime(timestamp))
  const pauseMs = median(times.slice(1).map((time, index) => time - (times[index] ?? time))) ?? toMs - fromMs
  const steps = createSteps(points, pauseMs)
  const x = scaleUtc().domain([fromMs, toMs]).range([0, WIDTH]).clamp(true)
  const upperMax = Math.max(0.01, 1.08 * (max(steps, ({ stack }) => stack?.[2] ?? 0) ?? 0))
  const lowerMax = Math.max(0.02, 1.08 * (max(steps, ({ notReached }) => notReached) ?? 0))
  const upper = scaleLinear().domain([0, upperMax]).nice(3).range([UPPER_HEIGHT, 0])
  const lower = scaleLinear().domain([0, lowerMax]).nice(2).range([LOWER_HEIGHT, 0])
  const draw = (height: number, value: (step: Step) => number): string =>
    area<Step>()
      .digits(1)
      .defined(({ stack }) => stack !== undefined)
      .x(({ atMs }) => x(atMs))
      .y0(height)
      .y1(value)
      .curve(curveStepAfter)(steps) ?? ''
  const percent = (ms: number): string => `${(x(ms) / (WIDTH / 100)).toFixed(2)}%`
  const lines = [
    ...upper.ticks(3).map((value) => ({ y: UPPER_TOP + upper(value), label: formatTick(value) })),
    ...lower.domain().map((value) => ({ y: LOWER_TOP + lower(value), label: formatTick(value) })),
  ]
  const ticks = x.ticks(days > 200 ? 6 : 5)
  const say = utcFormat(formatOf(days))
  const height = AXIS_TOP + AXIS_HEIGHT
  return html`<div class="chart">
    <svg class="chart-scale" width="44" height="${height}" aria-hidden="true">
      ${lines.map(({ y, label }) => html`<text x="38" y="${(y + 4).toFixed(1)}" text-anchor="end">${label}</text>`)}
    </svg>
    <svg class="chart-plot" width="100%" height="${height}" role="img" aria-label="${sentence}">
      <defs>
        <pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line class="hatch" x1="0" y1="0" x2="0" y2="6"></line>
        </pattern>
      </defs>
      ${lines.map(({ y }) => html`<line class="grid" x1="0" x2="100%" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"></line>`)}
      <text class="panel" x="0" y="11">failing or suspect, share of measured exits</text>
      <text class="panel" x="0" y="${LOWER_TOP - 7}">not reached, share of candidates</text>
      <svg
        x="0"
        y="${UPPER_TOP}"
        width="100%"
        height="${UPPER_HEIGHT}"
        viewBox="0 0 ${WIDTH} ${UPPER_HEIGHT}"
        preserveAspectRatio="none"
      >
        ${[2, 1, 0].map((series) => html`<path class="f-${SERIES[series] ?? ''}" d="${draw(UPPER_HEIGHT, ({ stack }) => upper(stack?.[series] ?? 0))}"></path>`)}
      </svg>
      <svg
        x="0"
        y="${LOWER_TOP}"
        width="100%"
        height="${LOWER_HEIGHT}"
        viewBox="0 0 ${WIDTH} ${LOWER_HEIGHT}"
        preserveAspectRatio="none"
      >
        <path class="f-circuit_fail" d="${draw(LOWER_HEIGHT, ({ notReached }) => lower(notReached))}"></path>
      </svg>
      ${renderInvalid(span, times, pauseMs, x, id)}
      ${ticks.map((tick) => renderTick(percent(tick.getTime()), x(tick), say(tick), AXIS_TOP))}
    </svg>
    ${renderMarks(marks, percent)}
  </div>`
}

/** Hatches the time of each invalid run. */
function renderInvalid(
  { points, fromMs, toMs }: TrendSpan,
  times: readonly number[],
  pauseMs: number,
  x: (ms: number) => number,
  id: string,
): readonly Html[] {
  return points.flatMap(({ invalid }, index) => {
    if (invalid === null) return []
    const at = times[index] ?? fromMs
    const left = x(at) / (WIDTH / 100)
    const width = Math.max(0.4, x(Math.min(times[index + 1] ?? toMs, at + pauseMs)) / (WIDTH / 100) - left)
    return [
      html`<rect
        x="${left.toFixed(2)}%"
        y="${UPPER_TOP}"
        width="${width.toFixed(2)}%"
        height="${LOWER_TOP + LOWER_HEIGHT - UPPER_TOP}"
        fill="url(#${id}-hatch)"
      ></rect>`,
    ]
  })
}

/** What ticks say over so many days. */
function formatOf(days: number): string {
  if (days > 200) return '%b %Y'
  if (days > 10) return '%-d %b'
  return days > 2 ? '%a %-d' : '%H:%M'
}

function renderTick(left: string, position: number, label: string, top: number): Html {
  const anchor = position < 0.05 * WIDTH ? 'start' : position > 0.95 * WIDTH ? 'end' : 'middle'
  return html`<line class="tick-mark" x1="${left}" x2="${left}" y1="${top}" y2="${top + 4}"></line>
    <text x="${left}" y="${top + 17}" text-anchor="${anchor}">${label}</text>`
}

function renderMarks(marks: readonly TrendMark[], percent: (ms: number) => string): Html | string {
  if (marks.length === 0) return ''
  return html`<span></span>
    <svg class="chart-plot" width="100%" height="${MARKS_HEIGHT}">
      ${marks.map((mark) => renderMark(mark, percent))}
    </svg>`
}

function renderMark({ atMs, count, label, href }: TrendMark, percent: (ms: number) => string): Html {
  const y = MARKS_HEIGHT / 2
  return html`<a href="${href}">
    <title>${label}</title>
    <circle class="mark" cx="${percent(atMs)}" cy="${y}" r="9"></circle>
    <text class="mark-count" aria-hidden="true" x="${percent(atMs)}" y="${y + 4}" text-anchor="middle"
      >${count > 99 ? '99+' : count}</text
    >
  </a>`
}

function formatTick(value: number): string {
  return `${Number((100 * value).toFixed(2))} %`
}

function renderLegend({ points }: TrendSpan, marks: readonly TrendMark[], id: string): Html {
  const hasInvalid = points.some(({ invalid }) => invalid !== null)
  const swatch = (name: string, label: string): Html =>
    html`<li>
      <svg width="12" height="12" aria-hidden="true"><rect class="f-${name}" width="12" height="12" rx="2"></rect></svg
      >${label}
    </li>`
  return html`<ul class="legend">
    ${swatch('wrong_ip', 'wrong address (lowest)')}${swatch('dns_fail', 'DNS fails (above it)')}${swatch('timeout', 'DNS times out (on top)')}
    ${
      hasInvalid
        ? html`<li>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" fill="url(#${id}-hatch)"></rect></svg
            >invalid run
          </li>`
        : ''
    }
    ${
      marks.length === 0
        ? ''
        : html`<li>
            <svg width="18" height="18" aria-hidden="true">
              <circle class="mark" cx="9" cy="9" r="8"></circle>
              <text class="mark-count" x="9" y="13" text-anchor="middle">n</text></svg
            >n incidents began
          </li>`
    }
    <li>blank: no run</li>
  </ul>`
}
