/**
 * Domains by state over time: one chart of stacked areas, its sentence, and the table behind it.
 *
 * Invariant: every number of the drawing stands in the table too; where nothing was counted nothing is drawn.
 */
import { max } from 'd3-array'
import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveStepAfter } from 'd3-shape'
import { utcFormat } from 'd3-time-format'
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import { DOMAIN_STATES } from '../model/domain.ts'
import type { StateSample } from '../model/domain-view.ts'
import { STATE_WORDS } from './domain-words.ts'
import { formatCount, formatMinute, formatSpan } from './format-quantity.ts'
import type { Html } from './html-value.ts'

const WIDTH = 1_000
const HEIGHT = 140
const TOP = 8
const AXIS_HEIGHT = 22
const DAY_MS = 86_400_000
/** A longer pause between samples: nobody counted. */
const GAP_MS = 3 * 3_600_000
const ROWS_MAX = 400

interface Step {
  readonly atMs: number
  /** Stacked, worst lowest; `undefined` where nobody counted. */
  readonly stack: readonly number[] | undefined
}

/** Worst lowest, so that what needs attention stands on the axis. */
const LAYERS = DOMAIN_STATES.map((_, index) => index).toReversed()

/** Renders the figure; a sentence alone where there is no span yet. */
export function renderStateFigure(samples: readonly StateSample[], nowMs: number): Html {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || samples.length < 2)
    return html`<p class="empty">States are counted every ten minutes; there is no trend yet.</p>`
  const count = (sample: StateSample, state: number): number => sample.counts[state] ?? 0
  const held = (sample: StateSample): number => count(sample, 3) + count(sample, 4)
  const sentence = `${formatSpan(nowMs - first.atMs)} of states: ${formatCount(held(first))} in quarantine at the beginning, ${formatCount(held(last))} now.`
  return html`<figure class="trend">
    <figcaption>${sentence}</figcaption>
    ${renderDrawing(samples, nowMs, sentence)}
    <ul class="legend">
      ${DOMAIN_STATES.map(
        (state) =>
          html`<li>
            <svg width="12" height="12" aria-hidden="true">
              <rect class="f-${STATE_WORDS[state].look}" width="12" height="12" rx="2"></rect></svg
            >${STATE_WORDS[state].word}
          </li>`,
      )}
      <li>worst lowest; blank: not counted</li>
    </ul>
    <details class="behind">
      <summary>Table behind this chart</summary>
      <div class="scroll" role="region" aria-label="States over time, table" tabindex="0">
        <table>
          <thead>
            <tr>
              <th scope="col">time</th>
              ${DOMAIN_STATES.map((state) => html`<th scope="col" class="n">${STATE_WORDS[state].word}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${samples
              .slice(-ROWS_MAX)
              .toReversed()
              .map(
                (sample) =>
                  html`<tr>
                    <th scope="row">${formatMinute(formatIsoTime(sample.atMs))}</th>
                    ${DOMAIN_STATES.map((_, index) => html`<td class="n">${formatCount(count(sample, index))}</td>`)}
                  </tr>`,
              )}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`
}

function renderDrawing(samples: readonly StateSample[], nowMs: number, sentence: string): Html {
  const steps = createSteps(samples, nowMs)
  const fromMs = samples[0]?.atMs ?? nowMs
  const x = scaleUtc().domain([fromMs, nowMs]).range([0, WIDTH]).clamp(true)
  const top = Math.max(1, max(steps, ({ stack }) => stack?.at(-1) ?? 0) ?? 1)
  const y = scaleLinear().domain([0, top]).nice(3).range([HEIGHT, 0])
  const draw = (layer: number): string =>
    area<Step>()
      .digits(1)
      .defined(({ stack }) => stack !== undefined)
      .x(({ atMs }) => x(atMs))
      .y0(({ stack }) => y(layer === 0 ? 0 : (stack?.[layer - 1] ?? 0)))
      .y1(({ stack }) => y(stack?.[layer] ?? 0))
      .curve(curveStepAfter)(steps) ?? ''
  const lines = y.ticks(3).map((value) => ({ at: TOP + y(value), label: formatCount(value) }))
  const height = TOP + HEIGHT + AXIS_HEIGHT
  const days = (nowMs - fromMs) / DAY_MS
  const say = utcFormat(days > 200 ? '%b %Y' : days > 10 ? '%-d %b' : days > 2 ? '%a %-d' : '%H:%M')
  return html`<div class="chart">
    <svg class="chart-scale" width="52" height="${height}" aria-hidden="true">
      ${lines.map(({ at, label }) => html`<text x="46" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`)}
    </svg>
    <svg class="chart-plot" width="100%" height="${height}" role="img" aria-label="${sentence}">
      ${lines.map(({ at }) => html`<line class="grid" x1="0" x2="100%" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"></line>`)}
      <svg x="0" y="${TOP}" width="100%" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">
        ${LAYERS.map((state, layer) => html`<path class="f-${STATE_WORDS[DOMAIN_STATES[state] ?? 'HARD'].look}" d="${draw(layer)}"></path>`)}
      </svg>
      ${x.ticks(5).map((tick) => renderTick(x(tick), say(tick), TOP + HEIGHT))}
    </svg>
  </div>`
}

function createSteps(samples: readonly StateSample[], nowMs: number): readonly Step[] {
  const steps: Step[] = []
  for (const [index, { atMs, counts }] of samples.entries()) {
    let sum = 0
    const stack = LAYERS.map((state) => (sum += counts[state] ?? 0))
    steps.push({ atMs, stack })
    const nextMs = samples[index + 1]?.atMs ?? nowMs
    if (nextMs - atMs > GAP_MS && nextMs - atMs > 2 * (atMs - (samples[index - 1]?.atMs ?? atMs)))
      steps.push({ atMs: atMs + GAP_MS, stack }, { atMs: atMs + GAP_MS, stack: undefined })
    else if (index === samples.length - 1) steps.push({ atMs: nowMs, stack })
  }
  return steps
}

function renderTick(position: number, label: string, top: number): Html {
  const left = `${(position / (WIDTH / 100)).toFixed(2)}%`
  const anchor = position < 0.05 * WIDTH ? 'start' : position > 0.95 * WIDTH ? 'end' : 'middle'
  return html`<line class="tick-mark" x1="${left}" x2="${left}" y1="${top}" y2="${top + 4}"></line>
    <text x="${left}" y="${top + 17}" text-anchor="${anchor}">${label}</text>`
}
