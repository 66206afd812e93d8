/** DNS at all exits over time, for a span that the reader chooses. */
import { html, raw } from 'hono/html'
import { renderExitViews } from './exits-page.ts'
import { formatCount } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import type { TrendSpan } from './run-shelf.ts'
import { renderTrend, type TrendMark } from './trend-figure.ts'

/** Spans that can be chosen, in days. */
const TREND_DAYS: readonly number[] = [7, 30, 90, 365]
const DEFAULT_DAYS = 30

/** Reads the parameter `days`. @returns `undefined` when it is none of the spans. */
export function parseTrendDays(text: string | null): number | undefined {
  if (text === null || text === '') return DEFAULT_DAYS
  return TREND_DAYS.find((days) => String(days) === text)
}

/** Renders the page. */
export function renderTrendPage(span: TrendSpan, marks: readonly TrendMark[], hasArchive: boolean): Html {
  const { days } = span
  return renderLayout({
    title: `Trend of ${days} days`,
    section: 'exits',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">DNS at Tor exits</p>
        <h1>${formatCount(days)} days of DNS at Tor exits.</h1>
      </section>
      <div class="section-bar" id="views">${renderExitViews('trend', undefined)}</div>
      <section class="card" id="trend" aria-label="Trend">
        ${renderSpans(days, '/exits/trend')}
        ${hasArchive ? renderTrend(span, marks, 'trend-plot') : html`<p class="empty">Only the run at hand is shown here: without an archive there is no trend.</p>`}
      </section>`,
  })
}

/** The spans as links to `path`. */
export function renderSpans(days: number, path: string): Html {
  return html`<nav class="chips" aria-label="Span of the trend">
    ${TREND_DAYS.map((span) => html`<a class="chip" href="${path}?days=${span}" ${span === days ? raw('aria-current="true"') : ''}>${span === 365 ? 'a year' : `${span} days`}</a>`)}
  </nav>`
}
