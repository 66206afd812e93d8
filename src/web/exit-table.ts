/** The table of exits: sorted by links, paged by cursors. */
import { html, raw } from 'hono/html'
import { formatExitQuery, type ExitQuery, type ExitSortKey } from '../api/exit-query.ts'
import { compareWithTruth } from '../api/run-summary.ts'
import type { ExitPage, ListedExit } from '../api/select-exits.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { renderAgreement, renderFlags, renderStatusBadge } from './badges.ts'
import { formatCount, formatMinute, formatMs, shortenFingerprint } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { formatHowUrl, formatMetricsUrl, STATUS_WORDS } from './verdict-words.ts'

/** What decides how rows look. */
export interface ExitTableParts {
  readonly view: ExitRunView
  readonly query: ExitQuery
  /** Address of the list without its query. */
  readonly path: string
  readonly isLaboratory: boolean
}

/** Renders the table; a sentence where there is no row. */
export function renderExitTable(page: ExitPage<ListedExit>, parts: ExitTableParts): Html {
  if (page.rows.length === 0) return html`<p class="empty">No exit matches.</p>`
  const { view, query, path } = parts
  const head = (key: ExitSortKey, label: string, classes = ''): Html => {
    const isSorted = query.sort === key
    const order = isSorted && query.order === 'asc' ? 'desc' : isSorted ? 'asc' : firstOrder(key)
    const sorted = query.order === 'asc' ? 'ascending' : 'descending'
    const target = formatExitQuery({ ...query, sort: key, order, cursor: undefined })
    return html`<th scope="col" class="${classes}" ${isSorted ? raw(` aria-sort="${sorted}"`) : ''}>
      <a href="${path}${target}"
        >${label}${isSorted ? html` <span aria-hidden="true">${query.order === 'asc' ? '↑' : '↓'}</span>` : ''}</a
      >
    </th>`
  }
  const hasTruth = view.truth.size > 0
  return html`<div class="scroll framed" role="region" aria-label="Exits, table" tabindex="0">
      <table class="exits">
        <thead>
          <tr>
            ${head('exit', 'exit')}${head('verdict', 'verdict')}${hasTruth ? head('truth', 'truth', 'wide') : ''}${head('address', 'exit address', 'wide')}${head('network', 'network', 'wide')}${head('failing', 'failing in a row', 'n')}${hasTruth ? '' : head('last_seen', 'last verdict', 'wide')}${head('latency', 'latency', 'n wide')}
          </tr>
        </thead>
        <tbody>
          ${page.rows.map((row) => renderRow(row, parts, hasTruth))}
        </tbody>
      </table>
    </div>
    ${renderPages(page, path)}`
}

/** The order that a reader most likely wants first: most failures, newest, slowest. */
function firstOrder(key: ExitSortKey): 'asc' | 'desc' {
  return key === 'failing' || key === 'last_seen' || key === 'latency' ? 'desc' : 'asc'
}

function renderRow(row: ListedExit, { view, query, isLaboratory }: ExitTableParts, hasTruth: boolean): Html {
  const truth = view.truth.get(row.exit_fingerprint)
  const own = `/exits/${row.exit_fingerprint}${query.run === undefined ? '' : `?run=${query.run}`}`
  const short = shortenFingerprint(row.exit_fingerprint)
  return html`<tr>
    <th scope="row">
      <a href="${own}"><bdi>${row.exit_nickname}</bdi></a>
      ${isLaboratory ? html`<span class="sub mono">${short}</span>` : html`<a class="sub mono" href="${formatMetricsUrl(row.exit_fingerprint)}" rel="noreferrer" title="${row.exit_fingerprint}, at Tor Metrics">${short}<span class="sr"> at Tor Metrics</span></a>`}
    </th>
    <td>
      ${renderStatusBadge(row.status)}${renderFlags(row.flags)}${renderIpv6Mark(row)}
      ${row.error_code === null ? '' : html`<a class="sub mono" href="${formatHowUrl(row.error_code)}">${row.error_code}</a>`}
    </td>
    ${hasTruth ? html`<td class="truth wide">${truth === undefined ? html`<span class="dim">not known</span>` : html`${renderAgreement(compareWithTruth(view, row, truth))} <span class="fault">${truth.fault.replaceAll(/[_-]/g, ' ')}</span><span class="sub">${truth.description}</span>`}</td>` : ''}
    <td class="mono wide">${row.exit_address}</td>
    <td class="network wide">${renderNetwork(row)}</td>
    <td class="n">
      ${row.consecutive_failures === 0 ? html`<span class="dim">–</span>` : formatCount(row.consecutive_failures)}
    </td>
    ${
      hasTruth
        ? ''
        : html`<td class="wide moment">
            ${row.last_seen === null ? html`<span class="dim">none before</span>` : formatMinute(row.last_seen)}
          </td>`
    }
    <td class="n wide">${formatMs(row.latency_ms)}</td>
  </tr>`
}

/** A failing IPv6 verdict stands beside the verdict about A, never in its place. */
function renderIpv6Mark({ status, status_ipv6: ipv6 }: ListedExit): Html | string {
  if (ipv6 === null || ipv6 === status) return ''
  return html` <span class="flag" title="the verdict about IPv6 addresses">IPv6: ${STATUS_WORDS[ipv6].label}</span>`
}

/** `AS64496 Example` as number and country, with the name below, which may be long. */
function renderNetwork({ as, country, operator }: ListedExit): Html {
  const [, number, name = ''] = /^(AS\d+)\s*(.*)$/.exec(as ?? '') ?? ['', as ?? '–', '']
  const below = [name, operator].filter((text) => text !== null && text !== '').join(' · ')
  return html`<bdi>${number}</bdi
    >${country === null ? '' : html` <span class="dim">${country}</span>`}${below === '' ? '' : html`<span class="sub" title="${below}"><bdi>${below}</bdi></span>`}`
}

function renderPages({ links, rows, total, from }: ExitPage<ListedExit>, path: string): Html | string {
  if (Object.values(links).every((link) => link === null)) return ''
  const link = (target: string | null, label: string): Html | string =>
    target === null ? '' : html`<a href="${path}${target}">${label}</a>`
  return html`<nav class="pages" aria-label="Pages of the list">
    ${link(links.first, 'first')} ${link(links.previous, '← previous')}
    <span>rows ${formatCount(from)} to ${formatCount(from + rows.length - 1)} of ${formatCount(total)}</span>
    ${link(links.next, 'next →')} ${link(links.last, 'last')}
  </nav>`
}
