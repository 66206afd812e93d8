/** Where a run stands: its steps, a bar, rate and time left, and what happens just now. */
import { html, raw } from 'hono/html'
import { isRunning, type RunSummary } from '../api/run-summary.ts'
import type { ExitRunView, RunPhase } from '../model/run-view.ts'
import { formatCount, formatCounted, formatSeconds } from './format-quantity.ts'
import type { Html } from './html-value.ts'

const STEPS: readonly { readonly phase: RunPhase; readonly label: string }[] = [
  { phase: 'building_laboratory', label: 'Laboratory' },
  { phase: 'starting_tor', label: 'Tor' },
  { phase: 'preflight', label: 'Pre-flight' },
  { phase: 'scanning', label: 'Scan' },
  { phase: 'writing', label: 'Report' },
]

/** Renders the section. `isLaboratory` adds the step that builds it. */
export function renderProgress(view: ExitRunView, summary: RunSummary, isLaboratory: boolean): Html {
  const steps = STEPS.filter(({ phase }) => isLaboratory || phase !== 'building_laboratory')
  return html`<section class="progress" id="progress" aria-labelledby="progress-title">
    <h2 id="progress-title" class="sr">Progress</h2>
    ${
      view.phase === 'failed'
        ? ''
        : html`<ol class="steps">
            ${steps.map(({ phase, label }) => renderStep(phase, label, view, steps))}
          </ol>`
    }
    ${view.candidates > 0 ? renderBar(view, summary) : ''}
    <p class="now ${view.phase === 'failed' ? 'alert' : ''}" role="status">${view.message}</p>
  </section>`
}

function renderStep(phase: RunPhase, label: string, view: ExitRunView, steps: typeof STEPS): Html {
  const at = steps.findIndex((step) => step.phase === view.phase)
  const own = steps.findIndex((step) => step.phase === phase)
  const isDone = view.phase === 'done' || own < at
  if (isDone)
    return html`<li class="done"><span aria-hidden="true">✓</span> ${label}<span class="sr">, done</span></li>`
  if (own === at)
    return html`<li class="at" ${raw(' aria-current="step"')}>
      <span aria-hidden="true">●</span> ${label}<span class="sr">, now</span>
    </li>`
  return html`<li><span aria-hidden="true">○</span> ${label}<span class="sr">, to come</span></li>`
}

/** The bar shows the verdicts themselves, in the order good, bad, not counted. */
function renderBar(view: ExitRunView, summary: RunSummary): Html {
  const whole = Math.max(1, summary.candidates)
  const parts: readonly (readonly [string, number])[] = [
    ['success', summary.sound],
    ['wrong_ip', summary.counts.wrong_ip],
    ['dns_fail', summary.counts.dns_fail],
    ['timeout', summary.counts.timeout],
    ['circuit_fail', summary.unreachable],
    ['error', summary.notJudged],
    ['not_tested', summary.notTested],
  ]
  let x = 0
  const rectangles = parts.map(([name, count]) => {
    const width = (100 * count) / whole
    const rectangle = html`<rect
      class="f-${name}"
      x="${x.toFixed(3)}%"
      y="0"
      width="${width.toFixed(3)}%"
      height="100%"
    ></rect>`
    x += width
    return count === 0 ? '' : rectangle
  })
  const facts = [`${formatCount(summary.finished)} of ${formatCounted(summary.candidates, 'exit', 'exits')} done`]
  if (isRunning(view)) {
    if (view.inFlight > 0) facts.push(`${formatCount(view.inFlight)} in flight`)
    if (view.secondsLeft !== null) facts.push(`about ${formatSeconds(view.secondsLeft)} left`)
  }
  if (view.relaysPerSecond > 0) facts.push(`${view.relaysPerSecond.toFixed(1)} relays a second`)
  return html`<svg class="verdict-bar" width="100%" height="14" role="img" aria-label="${facts[0]}">
      <rect class="f-track" width="100%" height="100%"></rect>
      ${rectangles}
    </svg>
    <p class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</p>`
}
