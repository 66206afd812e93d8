/** Where incidents began, for a trend: one mark a day with their number, so that many do not hide each other. */
import { formatIsoTime, parseTime } from '../core/clock.ts'
import { formatCounted } from './format-quantity.ts'
import type { IncidentReader } from './incidents-page.ts'
import type { TrendSpan } from './run-shelf.ts'
import type { TrendMark } from './trend-figure.ts'

const DAY_MS = 86_400_000
/** Marks that fit beside each other into a narrow chart. */
const MARKS_MAX = 12
/** More incidents than this within a span are not counted, and a mark says so by being the newest ones only. */
const INCIDENTS_MAX = 2_000

/** Reads the marks of a span; none where incidents are not kept. */
export async function readIncidentMarks(
  incidents: IncidentReader | undefined,
  span: TrendSpan | undefined,
): Promise<readonly TrendMark[]> {
  if (incidents === undefined || span === undefined) return []
  const found = await incidents.list({ since: formatIsoTime(span.fromMs), limit: INCIDENTS_MAX })
  const begun = found.map(({ openedAt }) => parseTime(openedAt)).filter((ms) => ms >= span.fromMs && ms <= span.toMs)
  const days = Math.max(1, Math.ceil(span.days / MARKS_MAX))
  const groups = Map.groupBy(begun, (ms) => Math.floor(ms / (days * DAY_MS)))
  return [...groups].map(([key, { length }]) => {
    const startMs = key * days * DAY_MS
    const day = formatIsoTime(startMs).slice(0, 10)
    const until = days === 1 ? '' : ` or in the ${days - 1} days after it`
    return {
      atMs: Math.min(span.toMs, Math.max(span.fromMs, startMs + (days * DAY_MS) / 2)),
      count: length,
      label: `${formatCounted(length, 'incident', 'incidents')} began on ${day}${until}`,
      href: `/incidents?day=${day}${days === 1 ? '' : `&days=${days}`}`,
    }
  })
}
