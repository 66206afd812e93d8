/** The list of exits: filters and order are links, their state is in the URL. */
import { html, raw } from 'hono/html'
import { DEFAULT_EXIT_QUERY, EXIT_FLAGS, formatExitQuery, type ExitQuery, type ExitSortKey } from '../api/exit-query.ts'
import { createTruthLookup, pageExits, selectExits, type ExitPage } from '../api/select-exits.ts'
import { compareWithTruth, type RunSummary } from '../api/run-summary.ts'
import type { ExitResult } from '../model/exit-result.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { renderAgreement, renderFlags, renderStatusBadge } from './badges.ts'
import { formatCount, formatCounted, formatMs, shortenFingerprint } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { FLAG_MEANINGS, formatHowUrl, STATUS_WORDS, STATUSES_IN_ORDER } from './verdict-words.ts'

/** Renders filters, table and pages. `ignored` names the parameters that were not understood. */
export function renderExits(
  view: ExitRunView,
  summary: RunSummary,
  query: ExitQuery,
  ignored: readonly string[],
): Html {
  const page = pageExits(selectExits(view.results, query, createTruthLookup(view)), query)
  const { rows, total, from, isCursorLost } = page
  const leftOut = isCursorLost ? [...ignored, 'cursor'] : ignored
  return html`<section id="exits" aria-labelledby="exits-title">
    <h2 id="exits-title">Exits</h2>
    ${renderFilters(view, summary, query)}
    ${leftOut.length === 0 ? '' : html`<p class="alert">Not understood and left out: ${leftOut.join(', ')}.</p>`}
    <p class="shown">
      ${formatCount(total)} of ${formatCounted(view.results.length, 'exit', 'exits')}
      shown${rows.length < total ? `, rows ${formatCount(from)} to ${formatCount(from + rows.length - 1)} on this page` : ''}
    </p>
    ${rows.length === 0 ? html`<p class="empty">${view.results.length === 0 ? 'No exit is finished yet.' : 'No exit matches.'}</p>` : renderTable(view, rows, query)}
    ${renderPages(page)}
  </section>`
}

function renderFilters(view: ExitRunView, summary: RunSummary, query: ExitQuery): Html {
  const chip = (label: string, count: number, change: Partial<ExitQuery>, isOn: boolean, title = ''): Html | string => {
    if (count === 0 && !isOn) return ''
    const target = formatExitQuery({ ...query, cursor: undefined, ...change })
    return html`<a class="chip" href="/${target}#exits" title="${title}" ${isOn ? raw(' aria-current="true"') : ''}
      >${label} <span>${formatCount(count)}</span></a
    >`
  }
  const flagCount = (flag: string): number =>
    view.results.filter(({ flags }) => flags.some((own) => own === flag)).length
  const marks = [
    ...EXIT_FLAGS.map((flag) =>
      chip(
        flag.replaceAll('_', ' '),
        flagCount(flag),
        { flag: query.flag === flag ? undefined : flag },
        query.flag === flag,
        FLAG_MEANINGS[flag],
      ),
    ),
    chip(
      'disagrees with the truth',
      summary.truth?.disagreeing ?? 0,
      { truth: query.truth === 'wrong' ? undefined : 'wrong' },
      query.truth === 'wrong',
    ),
    query.fault === undefined
      ? ''
      : html`<a
          class="chip"
          aria-current="true"
          href="/${formatExitQuery({ ...query, cursor: undefined, fault: undefined, truth: undefined })}#exits"
          >fault ${query.fault} <span aria-hidden="true">✕</span><span class="sr">, remove</span></a
        >`,
  ]
  return html`<div class="filters">
    <nav class="chips" aria-label="Filter by verdict">
      ${chip('all', summary.finished, { status: undefined, flag: undefined, fault: undefined, truth: undefined, search: undefined }, isUnfiltered(query))}
      ${chip('failing', summary.counts.wrong_ip + summary.counts.dns_fail + summary.counts.timeout, { status: 'failing' }, query.status === 'failing', 'wrong_ip, dns_fail and timeout')}
      ${STATUSES_IN_ORDER.map((status) => chip(STATUS_WORDS[status].label, summary.counts[status], { status: query.status === status ? undefined : status }, query.status === status, status))}
    </nav>
    ${marks.every((mark) => mark === '') ? '' : html`<nav class="chips" aria-label="Filter by mark">${marks}</nav>`}
    <form class="search" action="/#exits" method="get" role="search">
      ${Object.entries({ status: query.status, flag: query.flag, fault: query.fault, truth: query.truth, sort: query.sort === DEFAULT_EXIT_QUERY.sort ? undefined : query.sort, order: query.order === 'asc' ? undefined : query.order }).map(([name, value]) => (value === undefined ? '' : html`<input type="hidden" name="${name}" value="${value}" />`))}
      <label for="q" class="sr">Nickname, fingerprint, address, AS, country or operator</label>
      <input
        id="q"
        name="q"
        type="search"
        maxlength="100"
        value="${query.search ?? ''}"
        placeholder="nickname, address, AS …"
      />
      <button type="submit">Search</button>
    </form>
  </div>`
}

function isUnfiltered(query: ExitQuery): boolean {
  return (
    formatExitQuery({ ...query, cursor: undefined, sort: DEFAULT_EXIT_QUERY.sort, order: DEFAULT_EXIT_QUERY.order }) ===
    ''
  )
}

function renderTable(view: ExitRunView, rows: readonly ExitResult[], query: ExitQuery): Html {
  const head = (key: ExitSortKey, label: string, numeric = false): Html => {
    const isSorted = query.sort === key
    const order = isSorted && query.order === 'asc' ? 'desc' : 'asc'
    const sorted = query.order === 'asc' ? 'ascending' : 'descending'
    return html`<th scope="col" ${numeric ? raw(' class="n"') : ''}${isSorted ? raw(` aria-sort="${sorted}"`) : ''}>
      <a href="/${formatExitQuery({ ...query, sort: key, order, cursor: undefined })}#exits"
        >${label}${isSorted ? html` <span aria-hidden="true">${query.order === 'asc' ? '↑' : '↓'}</span>` : ''}</a
      >
    </th>`
  }
  const isLaboratory = view.truth.size > 0
  return html`<div class="scroll" role="region" aria-label="Exits, table" tabindex="0">
    <table class="exits">
      <thead>
        <tr>
          ${head('exit', 'exit')}${head('verdict', 'verdict')}${isLaboratory ? head('truth', 'truth') : ''}${head('address', 'address')}${head('network', 'network')}${head('latency', 'latency', true)}${head('resolver', 'resolver')}
        </tr>
      </thead>
      <tbody>
        ${rows.map((result) => renderRow(view, result, isLaboratory))}
      </tbody>
    </table>
  </div>`
}

function renderRow(view: ExitRunView, result: ExitResult, isLaboratory: boolean): Html {
  const truth = view.truth.get(result.exit_fingerprint)
  const resolvers = result.resolver?.addresses ?? []
  return html`<tr>
    <th scope="row">
      <a href="/exits/${result.exit_fingerprint}"><bdi>${result.exit_nickname}</bdi></a>
      <span class="sub mono">${shortenFingerprint(result.exit_fingerprint)}</span>
    </th>
    <td>
      ${renderStatusBadge(result.status)}${renderFlags(result.flags)}${renderIpv6Mark(result)}
      ${result.error_code === null ? '' : html`<a class="sub mono" href="${formatHowUrl(result.error_code)}">${result.error_code}</a>`}
    </td>
    ${isLaboratory ? html`<td class="truth">${truth === undefined ? html`<span class="dim">not known</span>` : html`${renderAgreement(compareWithTruth(view, result, truth))} <span class="fault">${truth.fault.replaceAll(/[_-]/g, ' ')}</span><span class="sub">${truth.description}</span>`}</td>` : ''}
    <td class="mono">${result.exit_address}${result.bad_exit ? html` <span class="flag">BadExit</span>` : ''}</td>
    <td class="network">${renderNetwork(result)}</td>
    <td class="n">${formatMs(result.latency_ms)}</td>
    <td class="mono">
      ${resolvers.length === 0 ? html`<span class="dim">${result.resolver === null ? '–' : 'asked nobody'}</span>` : resolvers.slice(0, 2).map((address) => html`<span class="line">${address}</span>`)}${resolvers.length > 2 ? html`<span class="sub">and ${resolvers.length - 2} more</span>` : ''}
    </td>
  </tr>`
}

/** A failing IPv6 verdict stands beside the verdict about A, never in its place. */
function renderIpv6Mark({ status, status_ipv6: ipv6 }: ExitResult): Html | string {
  if (ipv6 === null || ipv6 === status) return ''
  return html` <span class="flag" title="the verdict about IPv6 addresses">IPv6: ${STATUS_WORDS[ipv6].label}</span>`
}

/** `AS64496 Example` as number and country, with the name below, which may be long. */
function renderNetwork({ as, country }: ExitResult): Html {
  const [, number, name = ''] = /^(AS\d+)\s*(.*)$/.exec(as ?? '') ?? ['', as ?? '–', '']
  return html`<bdi>${number}</bdi
    >${country === null ? '' : html` <span class="dim">${country}</span>`}${name === '' ? '' : html`<span class="sub" title="${name}"><bdi>${name}</bdi></span>`}`
}

function renderPages({ links, rows, total, from }: ExitPage<ExitResult>): Html | string {
  if (Object.values(links).every((link) => link === null)) return ''
  const link = (target: string | null, label: string): Html | string =>
    target === null ? '' : html`<a href="/${target}#exits">${label}</a>`
  return html`<nav class="pages" aria-label="Pages of the list">
    ${link(links.first, 'first')} ${link(links.previous, '← previous')}
    <span>rows ${formatCount(from)} to ${formatCount(from + rows.length - 1)} of ${formatCount(total)}</span>
    ${link(links.next, 'next →')} ${link(links.last, 'last')}
  </nav>`
}
