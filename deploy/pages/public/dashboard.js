/**
 * The page: reads latest.json, files.json and the reports that it names, and shows them.
 *
 * Invariant: whatever comes out of a file gets onto the page as text only. Names and contacts are chosen by strangers.
 */
import { byId, count, countsOf, make, momentOf, plural } from './elements.js'
import { showTrend } from './trend.js'

/** What fails DNS, worst first. */
const FAILURES = {
  wrong_ip: 'Wrong address',
  dns_fail: 'Fails',
  timeout: 'Times out',
}
/** Every status, with what it means. */
const STATUSES = {
  success: 'Sound',
  ...FAILURES,
  circuit_fail: 'Unreachable',
  error: 'Not judged: an error on the way',
  exception: 'Not judged: an exception',
  not_tested: 'Not tested',
}
/** A name that may be asked for. */
const REPORT = /^(?:dnshealth_\d{8}_\d{6}|dns_health_[\d-]{8,10}_[\d-]{6,8})\.json$/
function listen(id, event, callback) {
  byId(id).addEventListener(event, callback)
}

async function readJson(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${path} answers ${response.status}`)
  return response.json()
}

/** The sentence before any number, and the one after it. */
function describe({ failing, tested, all, rate, invalid }) {
  if (invalid !== null) {
    return [
      'This run is invalid and accuses nobody.',
      typeof invalid === 'string' ? invalid : 'The fault was on the side of the one who measured.',
    ]
  }
  if (rate === null) return ['No exit could be asked.', `${plural(all, 'exit was', 'exits were')} tried.`]
  const shown = rate > 0 && rate < 0.05 ? 'less than 0.1' : rate.toFixed(1)
  return [
    `${count(failing)} of ${plural(tested, 'exit', 'exits')} that could be asked ${failing === 1 ? 'fails' : 'fail'} DNS: ${shown} %.`,
    all > tested
      ? `${plural(all - tested, 'exit', 'exits')} of ${count(all)} could not be judged and ${all - tested === 1 ? 'is' : 'are'} not counted.`
      : `All ${count(all)} exits could be asked.`,
  ]
}

function showCounts(results, metadata) {
  const found = new Map(Object.keys(STATUSES).map((status) => [status, 0]))
  for (const { status } of results) found.set(status, (found.get(status) ?? 0) + 1)
  const items = [...found]
    .filter(([status, number]) => number > 0 || status === 'success' || status in FAILURES)
    .map(([status, number]) => make('li', {}, makeBadge(status), make('span', {}, count(number))))
  const notes = [
    metadata.mode === undefined ? '' : `Mode ${metadata.mode}.`,
    metadata.consensus_valid_after === undefined
      ? ''
      : `Consensus of ${shortTime(metadata.consensus_valid_after)} UTC.`,
  ]
  byId('counts').replaceChildren(
    make('ul', { class: 'counts' }, ...items),
    make('p', { class: 'small' }, notes.join(' ').trim()),
  )
}

function makeBadge(status) {
  const style = status in FAILURES || status === 'success' ? status : 'other'
  return make('span', { class: `badge ${style}` }, STATUSES[status] ?? String(status))
}

/** The columns of the failing exits: title, what to sort by, and the cell. */
const COLUMNS = [
  ['Exit', (result) => String(result.exit_nickname ?? '').toLowerCase(), makeExitCell],
  ['Exit address', (result) => String(result.exit_address ?? ''), (result) => text(result.exit_address)],
  ['AS', (result) => String(result.as ?? '').toLowerCase(), (result) => text(result.as)],
  ['Failure', (result) => Object.keys(FAILURES).indexOf(result.status), makeFailureCell],
  ['In a row', (result) => -Number(result.consecutive_failures ?? 0), (result) => text(result.consecutive_failures)],
  ['Last seen', (result) => String(result.last_seen ?? ''), (result) => text(shortTime(result.last_seen))],
]
const sorting = { column: 4, isUp: true }

function text(value) {
  return document.createTextNode(value === null || value === undefined || value === '' ? '–' : String(value))
}

function shortTime(value) {
  return typeof value === 'string' ? value.replace('T', ' ').slice(0, 16) : value
}

function makeExitCell(result) {
  const fingerprint = String(result.exit_fingerprint ?? '')
  const name = make('span', { class: 'name' }, make('bdi', {}, String(result.exit_nickname ?? 'unnamed')))
  if (!/^[\dA-F]{40}$/i.test(fingerprint)) return name
  const link = make(
    'a',
    { class: 'mono', href: `https://metrics.torproject.org/rs.html#details/${fingerprint}`, rel: 'noreferrer' },
    fingerprint,
  )
  const cell = document.createDocumentFragment()
  cell.append(name, link)
  return cell
}

function makeFailureCell(result) {
  const cell = document.createDocumentFragment()
  cell.append(makeBadge(result.status))
  if (typeof result.error_code === 'string') cell.append(make('span', { class: 'mono' }, result.error_code))
  return cell
}

function showFailing(results, invalid) {
  const failing = invalid === null ? results.filter(({ status }) => status in FAILURES) : []
  const type = byId('type').value
  const wanted = byId('search').value.trim().toLowerCase()
  const shown = failing.filter((result) => {
    const words = [
      result.exit_nickname,
      result.exit_fingerprint,
      result.exit_address,
      result.as,
      result.operator,
      result.country,
    ]
    return (
      (type === '' || result.status === type) &&
      (wanted === '' ||
        words.some((word) =>
          String(word ?? '')
            .toLowerCase()
            .includes(wanted),
        ))
    )
  })
  const [, keyOf] = COLUMNS[sorting.column]
  const order = sorting.isUp ? 1 : -1
  shown.sort((a, b) => (keyOf(a) < keyOf(b) ? -order : keyOf(a) > keyOf(b) ? order : 0))
  byId('failing-note').textContent =
    shown.length === failing.length ? '' : `${count(shown.length)} of ${count(failing.length)} are shown.`
  if (shown.length === 0) {
    byId('failing-table').replaceChildren(
      make('p', { class: 'empty' }, failing.length === 0 ? 'None.' : 'None of these.'),
    )
    return
  }
  const head = COLUMNS.map(([title], index) => {
    const button = make('button', { type: 'button' }, title)
    button.addEventListener('click', () => {
      sorting.isUp = sorting.column === index ? !sorting.isUp : true
      sorting.column = index
      showFailing(results, invalid)
      byId('failing-table').querySelectorAll('th button')[index]?.focus()
    })
    const sorted = sorting.column === index ? (sorting.isUp ? 'ascending' : 'descending') : null
    return make('th', { scope: 'col', 'aria-sort': sorted }, button)
  })
  const rows = shown.map((result) =>
    make(
      'tr',
      {},
      ...COLUMNS.map(([title, , cell], index) =>
        index === 0
          ? make('th', { scope: 'row' }, cell(result))
          : make('td', { 'data-label': title, class: index === 2 ? 'wrap' : null }, cell(result)),
      ),
    ),
  )
  byId('failing-table').replaceChildren(
    make('table', { class: 'stack' }, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  )
}

/** How a result is grouped; `null` for one that belongs to no group. */
const GROUPS = {
  address: (result) => result.exit_address ?? null,
  as: (result) => result.as ?? null,
  operator: (result) => result.operator ?? null,
}

function showGroups(results, invalid) {
  const keyOf = GROUPS[byId('group').value] ?? GROUPS.address
  const groups = new Map()
  for (const result of invalid === null ? results : []) {
    const key = keyOf(result)
    if (key === null || !(result.status in FAILURES || result.status === 'success')) continue
    const group = groups.get(key) ?? { failing: [], tested: 0 }
    group.tested += 1
    if (result.status in FAILURES) group.failing.push(result)
    groups.set(key, group)
  }
  const alone = [...groups.values()].filter(({ failing }) => failing.length === 1).length
  byId('groups-note').textContent =
    alone === 0
      ? ''
      : `${plural(alone, 'exit fails', 'exits fail')} alone in ${alone === 1 ? 'its group and is' : 'their groups and are'} not shown.`
  const rows = [...groups]
    .filter(([, { failing }]) => failing.length > 1)
    .sort(([a, left], [b, right]) => right.failing.length - left.failing.length || (a < b ? -1 : 1))
    .map(([key, { failing, tested }]) => {
      const names = failing.slice(0, 12).map(({ exit_nickname: name }) => String(name ?? 'unnamed'))
      const more = failing.length > names.length ? ` and ${count(failing.length - names.length)} more` : ''
      return make(
        'tr',
        {},
        make('th', { scope: 'row', class: 'wrap' }, make('bdi', {}, String(key))),
        make(
          'td',
          { 'data-label': 'Failing of those asked', class: 'keep' },
          `${count(failing.length)} of ${count(tested)}`,
        ),
        make('td', { 'data-label': 'Exits', class: 'wrap' }, make('bdi', {}, names.join(', ') + more)),
      )
    })
  const head = ['Group', 'Failing of those asked', 'Exits'].map((title) => make('th', { scope: 'col' }, title))
  byId('groups-table').replaceChildren(
    rows.length === 0
      ? make('p', { class: 'empty' }, 'No group has more than one failing exit.')
      : make('table', { class: 'stack' }, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  )
}

function showRun(report, name, names) {
  const metadata = report?.metadata ?? {}
  const results = Array.isArray(report?.results)
    ? report.results.filter((result) => typeof result === 'object' && result !== null)
    : []
  const counts = countsOf(metadata)
  const [sentence, second] = describe(counts)
  byId('eyebrow').textContent = name === null ? 'The newest run' : `Run of ${momentOf(name)} UTC`
  const started = shortTime(metadata.started_at ?? metadata.timestamp)
  if (name === null && started !== undefined) byId('eyebrow').textContent = `The newest run, of ${started} UTC`
  byId('sentence').textContent = sentence
  byId('second').textContent = second
  byId('raw').setAttribute('href', `/${name ?? 'latest.json'}`)
  const id = String(metadata.run_id ?? '').replace(/\D/g, '')
  byId('report').hidden = id.length !== 14
  byId('report').setAttribute('href', `/report_${id.slice(0, 8)}_${id.slice(8)}.md`)
  byId('run-parts').hidden = false
  byId('sections').hidden = false
  byId('links').hidden = true
  showCounts(results, metadata)
  const update = () => showFailing(results, counts.invalid)
  byId('type').replaceChildren(
    make('option', { value: '' }, 'every kind'),
    ...Object.entries(FAILURES).map(([status, title]) => make('option', { value: status }, title)),
  )
  listen('type', 'change', update)
  listen('search', 'input', update)
  listen('group', 'change', () => showGroups(results, counts.invalid))
  listen('trend-runs', 'change', () => void showTrend(names, name ?? names[0] ?? null))
  update()
  showGroups(results, counts.invalid)
}

async function start() {
  const asked = new URLSearchParams(location.search).get('run')
  const name = asked !== null && REPORT.test(asked) ? asked : null
  const [listed, report] = await Promise.allSettled([readJson('/files.json'), readJson(`/${name ?? 'latest.json'}`)])
  const list = listed.status === 'fulfilled' && Array.isArray(listed.value) ? listed.value : []
  const names = list.filter((entry) => typeof entry === 'string' && REPORT.test(entry))
  const options = [
    make('option', { value: '' }, 'the newest'),
    ...names.map((entry) => make('option', { value: entry }, momentOf(entry))),
  ]
  if (name !== null && !names.includes(name)) options.push(make('option', { value: name }, momentOf(name)))
  byId('run').replaceChildren(...options)
  byId('run').value = name ?? ''
  listen('run', 'change', () => {
    const { value } = byId('run')
    location.assign(value === '' ? '/' : `/?run=${value}`)
  })
  byId('run-form').hidden = false
  if (report.status === 'rejected') {
    byId('sentence').textContent = name === null ? 'Nothing is published yet.' : `There is no run of ${momentOf(name)}.`
    byId('second').textContent = 'The lists below say what there is.'
    return
  }
  showRun(report.value, name, names)
  await showTrend(names, name ?? names[0] ?? null)
}

await start()
