/** The trend: the heads of many reports as a line, and as a table. */
import { byId, count, countsOf, make, makeSvg, momentOf, plural } from './elements.js'

/** Runs of the trend that are read at once. */
const AT_ONCE = 4
/** The head of a report is in its first kilobytes; more than this is no report of ours. */
const HEAD_OCTETS_MAX = 262_144
/** The metadata of a report, out of its first octets; the rest is not transferred. */
async function readMetadata(name) {
  const response = await fetch(`/${name}`)
  if (!response.ok || response.body === null) return null
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let head = ''
  try {
    for (let part = await reader.read(); !part.done && head.length < HEAD_OCTETS_MAX; part = await reader.read()) {
      head += decoder.decode(part.value, { stream: true })
      const end = /,\s*"results"\s*:/.exec(head)
      if (end !== null) return JSON.parse(`${head.slice(0, end.index)}}`).metadata ?? null
    }
    return JSON.parse(head).metadata ?? null
  } catch {
    // No report, or one of another form: the trend has a gap there.
    return null
  } finally {
    await reader.cancel()
  }
}

const known = new Map()
let trendRound = 0

/** Reads the newest runs and draws them; a later call takes the place of an earlier one. */
export async function showTrend(names, current) {
  const round = ++trendRound
  const wanted = names.slice(0, Number(byId('trend-runs').value)).reverse()
  const rest = wanted.filter((name) => !known.has(name)).values()
  const lane = async () => {
    for (const name of rest) {
      if (round !== trendRound) return
      known.set(name, await readMetadata(name))
    }
  }
  byId('trend-note').textContent = `Reading ${plural(wanted.length, 'run', 'runs')} …`
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  if (round !== trendRound) return
  const points = wanted.flatMap((name) => (known.get(name) ? [{ name, ...countsOf(known.get(name)) }] : []))
  const gaps = wanted.length - points.length
  byId('trend-note').textContent =
    `Failing exits of those that could be asked, in ${plural(points.length, 'run', 'runs')}, oldest first.` +
    (gaps > 0 ? ` ${plural(gaps, 'run', 'runs')} could not be read.` : '') +
    (points.some(({ invalid }) => invalid !== null) ? ' A ring marks a run that is invalid and accuses nobody.' : '')
  byId('trend-chart').replaceChildren(drawTrend(points, current))
  byId('trend-numbers').hidden = points.length === 0
  const head = ['Run (UTC)', 'Failing', 'Asked', 'Rate'].map((title, index) =>
    make('th', { scope: 'col', class: index > 0 ? 'number' : null }, title),
  )
  const rows = points
    .toReversed()
    .map(({ name, failing, tested, rate, invalid }) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row', class: 'keep' }, make('a', { href: `/?run=${name}` }, momentOf(name))),
        ...[
          count(failing),
          count(tested),
          invalid !== null ? 'invalid' : rate === null ? '–' : `${rate.toFixed(2)} %`,
        ].map((cell) => make('td', { class: 'number' }, cell)),
      ),
    )
  byId('trend-table').replaceChildren(
    make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  )
}

/** A line over the runs; the run that is shown has a ring of its own. */
function drawTrend(points, current) {
  const valid = points.filter(({ rate, invalid }) => rate !== null && invalid === null)
  if (valid.length === 0) return make('p', { class: 'empty' }, 'There is no run to draw.')
  // As wide as its place, so that letters keep their size.
  const width = Math.max(280, byId('trend-chart').clientWidth)
  const [height, left, right, top, bottom] = [220, 46, 12, 12, 30]
  const highest = Math.max(1, ...valid.map(({ rate }) => rate))
  const step = [0.25, 0.5, 1, 2, 5, 10, 20, 25, 50].find((size) => highest / size <= 5) ?? 50
  const most = Math.ceil(highest / step) * step
  const x = (index) => left + ((width - left - right) * index) / Math.max(1, points.length - 1)
  const y = (rate) => height - bottom - ((height - top - bottom) * rate) / most
  const last = valid.at(-1)
  const label = `Failure rate over ${plural(valid.length, 'run', 'runs')}: from ${valid[0].rate.toFixed(1)} % to ${last.rate.toFixed(1)} %, at most ${highest.toFixed(1)} %`
  const svg = makeSvg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'chart', role: 'img', 'aria-label': label })
  for (let tick = 0; tick <= most + step / 2; tick += step) {
    svg.append(makeSvg('line', { class: 'grid', x1: left, x2: width - right, y1: y(tick), y2: y(tick) }))
    svg.append(makeSvg('text', { x: left - 8, y: y(tick) + 4, 'text-anchor': 'end' }, `${Number(tick.toFixed(2))} %`))
  }
  const ends =
    points.length === 1
      ? [[0, 'start']]
      : [
          [0, 'start'],
          [points.length - 1, 'end'],
        ]
  for (const [index, anchor] of ends)
    svg.append(makeSvg('text', { x: x(index), y: height - 8, 'text-anchor': anchor }, momentOf(points[index].name)))
  let path = ''
  points.forEach(({ rate, invalid }, index) => {
    if (rate === null || invalid !== null) return
    path += `${path === '' ? 'M' : 'L'}${x(index).toFixed(1)} ${y(rate).toFixed(1)}`
  })
  svg.append(makeSvg('path', { class: 'rate', d: path }))
  points.forEach(({ name, rate, invalid, failing, tested }, index) => {
    const isOpen = invalid !== null || rate === null
    const style = isOpen ? 'invalid' : name === current ? 'point now' : 'point'
    const dot = makeSvg('circle', {
      class: style,
      cx: x(index).toFixed(1),
      cy: y(isOpen ? 0 : rate).toFixed(1),
      r: name === current ? 5 : 3,
    })
    dot.append(
      makeSvg(
        'title',
        {},
        `${momentOf(name)}: ${isOpen ? 'invalid' : `${failing} of ${tested}, ${rate.toFixed(2)} %`}`,
      ),
    )
    svg.append(dot)
  })
  return svg
}
