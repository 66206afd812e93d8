/**
 * The values of a name over time: a lane for each value, in it a line for each resolver, where that resolver gave it.
 *
 * Invariant: the drawing scales with the page while its text does not, and says nothing by colour alone: each lane is
 * named, and says in words whether its value is known.
 */
import { scaleUtc } from 'd3-scale'
import { utcFormat } from 'd3-time-format'
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { AnswerOutcome } from '../model/monitor-round.ts'
import type { MonitorClass } from '../model/monitor-state.ts'
import type { NameView, SeenHour, SeenRound } from '../model/monitor-view.ts'
import { formatCount, formatCounted, formatMinute } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { CLASS_LABELS } from './monitor-words.ts'

/** The drawing's own unit of width; the browser stretches it to the page. */
const WIDTH = 1_000
const LINE_HEIGHT = 5
const LINE_GAP = 2
const STEP = LINE_HEIGHT + LINE_GAP
/** Values that have a lane; a rotating name has hundreds. */
const LANES_MAX = 16
/** Pauses that are narrower than this are no pauses in a drawing of this width. */
const NARROW = WIDTH / 3
const TICKS = 4
const HOUR_MS = 3_600_000
const NOTHING: Readonly<Record<Exclude<AnswerOutcome, 'answer'>, string>> = {
  nxdomain: 'NXDOMAIN',
  nodata: 'no such record',
  servfail: 'SERVFAIL',
  failure: 'no answer',
}

/** What is drawn. */
export interface LaneParts {
  readonly view: NameView
  /** Newest first. */
  readonly rounds: readonly SeenRound[]
  readonly hours: readonly SeenHour[]
  readonly fromMs: number
  readonly toMs: number
}

interface Segment {
  readonly fromMs: number
  toMs: number
}

interface Lane {
  readonly value: string
  /** Whether it is a value, and not a kind of nothing. */
  readonly isValue: boolean
  rounds: number
  lastMs: number
  class: MonitorClass
  /** Resolver → when it gave it. '' for hours, of which nobody knows who gave what. */
  readonly lines: Map<string, Segment[]>
}

/** Renders the lanes; a sentence where nothing was seen. */
export function renderLanes(parts: LaneParts): Html {
  const lanes = collectLanes(parts)
  if (lanes.length === 0) return html`<p class="empty">No round of this time is kept.</p>`
  const shown = lanes.slice(0, LANES_MAX)
  const resolvers = parts.view.monitored.resolvers
  const more = lanes.length - shown.length
  return html`<div class="lanes">
      ${shown.map((lane) => renderLane(lane, parts))}
      <div class="lane axis" aria-hidden="true">
        <span></span>
        <svg width="100%" height="18">${renderTicks(parts)}</svg>
      </div>
    </div>
    <p class="small">
      In each lane a line for each resolver, from above: ${resolvers.join(', ')}.
      ${more === 0 ? '' : `${formatCounted(more, 'further value is', 'further values are')} in the table below.`}
    </p>`
}

function collectLanes({ view, rounds, hours, fromMs, toMs }: LaneParts): readonly Lane[] {
  const lanes = new Map<string, Lane>()
  const narrowMs = Math.max(1.5 * view.monitored.intervalMs, (toMs - fromMs) / NARROW)
  const add = (value: string, isValue: boolean, resolver: string, segment: Segment, seen: SeenIn): void => {
    const lane = lanes.get(value) ?? {
      value,
      isValue,
      rounds: 0,
      lastMs: 0,
      class: seen.class,
      lines: new Map<string, Segment[]>(),
    }
    lanes.set(value, lane)
    if (segment.toMs >= lane.lastMs) lane.class = seen.class
    lane.lastMs = Math.max(lane.lastMs, segment.toMs)
    lane.rounds += seen.rounds
    const line = lane.lines.get(resolver) ?? []
    lane.lines.set(resolver, line)
    const last = line.at(-1)
    if (last !== undefined && segment.fromMs - last.toMs <= narrowMs) last.toMs = Math.max(last.toMs, segment.toMs)
    else line.push({ ...segment })
  }
  for (const { fromMs: startMs, hours: count, values, class: worst, rounds: made } of hours.toReversed()) {
    const segment = { fromMs: Math.max(fromMs, startMs), toMs: startMs + count * HOUR_MS }
    for (const value of values) add(value, true, '', segment, { class: worst, rounds: made })
  }
  for (const { atMs, untilMs, answers, count } of rounds.toReversed()) {
    const segment = { fromMs: Math.max(fromMs, atMs), toMs: Math.min(toMs, untilMs + view.monitored.intervalMs) }
    const told = new Set<string>()
    for (const answer of answers) {
      const { outcome } = answer
      const isAnswer = outcome === 'answer'
      const values = outcome === 'answer' ? answer.values : [NOTHING[outcome]]
      for (const value of values) {
        add(value, isAnswer, answer.resolver, segment, { class: answer.class, rounds: told.has(value) ? 0 : count })
        told.add(value)
      }
    }
  }
  // Kinds of nothing last: they are no values.
  return [...lanes.values()].toSorted(
    (a, b) => Number(b.isValue) - Number(a.isValue) || b.lastMs - a.lastMs || b.rounds - a.rounds,
  )
}

interface SeenIn {
  readonly class: MonitorClass
  readonly rounds: number
}

function renderLane(lane: Lane, parts: LaneParts): Html {
  const { view } = parts
  const { resolvers } = view.monitored
  const { value, isValue, rounds, lines, lastMs } = lane
  const known = view.profile?.units[value]
  const style = !isValue ? 'f-off' : known !== undefined ? 'f-success' : 'f-wrong_ip'
  const word = known !== undefined ? 'known' : isValue ? CLASS_LABELS[lane.class === 'K0' ? 'K3' : lane.class] : ''
  const place = known === undefined ? [] : [known.asn === null ? '' : `AS${known.asn}`, known.country ?? '']
  const by = resolvers.filter((name) => lines.has(name))
  const facts = [word, ...place].filter((text) => text !== '').join(' · ')
  const height = resolvers.length * STEP
  const said = `${value}: ${facts === '' ? '' : `${facts}, `}${formatCounted(rounds, 'round', 'rounds')}, last ${formatMinute(formatIsoTime(lastMs))}${by.length === 0 ? '' : `, given by ${by.join(', ')}`}`
  return html`<div class="lane">
    <p class="lane-name">
      <span class="mono wrap">${formatValue(value)}</span>
      <span class="sub"
        >${facts}${facts === '' ? '' : ' · '}${formatCount(rounds)} ${rounds === 1 ? 'round' : 'rounds'}</span
      >
    </p>
    <svg
      viewBox="0 0 ${WIDTH} ${height}"
      preserveAspectRatio="none"
      width="100%"
      height="${height}"
      role="img"
      aria-label="${said}"
    >
      ${resolvers.map((_name, index) => renderGround(index * STEP))}
      ${resolvers.map((name, index) => renderSegments(lines.get(name), { y: index * STEP, height: LINE_HEIGHT, style }, parts))}
      ${renderSegments(lines.get(''), { y: 0, height: height - LINE_GAP, style: `${style} faint` }, parts)}
    </svg>
  </div>`
}

/** The ground of a line, so that one that nobody gave is seen to be empty. */
function renderGround(y: number): Html {
  return html`<rect class="f-track" x="0" y="${y + 2}" width="${WIDTH}" height="1" />`
}

function renderSegments(
  segments: readonly Segment[] | undefined,
  { y, height, style }: { readonly y: number; readonly height: number; readonly style: string },
  { fromMs, toMs }: LaneParts,
): readonly Html[] {
  const x = (ms: number): number => (WIDTH * (ms - fromMs)) / (toMs - fromMs)
  return (segments ?? []).map((segment) => {
    const width = Math.max(2, x(segment.toMs) - x(segment.fromMs))
    return html`<rect
      class="${style}"
      x="${x(segment.fromMs).toFixed(1)}"
      y="${y}"
      width="${width.toFixed(1)}"
      height="${height}"
    />`
  })
}

function renderTicks({ fromMs, toMs }: LaneParts): readonly Html[] {
  const format = utcFormat(toMs - fromMs > 3 * 24 * HOUR_MS ? '%d %b' : '%H:%M')
  const x = scaleUtc().domain([fromMs, toMs]).range([0, 100])
  return x.ticks(TICKS).map((tick) => {
    const place = x(tick)
    const anchor = place < 5 ? 'start' : place > 95 ? 'end' : 'middle'
    return html`<text x="${place.toFixed(1)}%" y="13" text-anchor="${anchor}">${format(tick)}</text>`
  })
}

/** A record set is long; its beginning says which it is. */
export function formatValue(value: string): string {
  const line = value.replaceAll('\n', ' | ')
  return line.length > 120 ? `${line.slice(0, 117)}…` : line
}
