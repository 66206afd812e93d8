/** Exits taken together by what they share: which addresses, networks and operators have most failures. */
import { html, raw } from 'hono/html'
import { EXIT_GROUP_KEYS, groupExits, type ExitGroup, type ExitGroupKey } from '../api/exit-groups.ts'
import { DEFAULT_EXIT_QUERY, formatExitQuery, NOT_KNOWN } from '../api/exit-query.ts'
import { renderEyebrow, renderExitViews, renderGivenUp } from './exits-page.ts'
import { formatCount, formatCounted, formatShare, shortenFingerprint } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { renderRunSelector } from './run-selector.ts'
import type { RunShelf, ShownRun } from './run-shelf.ts'

const GROUPS_MAX = 100
/** Below this many measured exits the interval is so wide that a share says little. */
const SHARE_MEASURED_MIN = 5

const KEY_WORDS: Readonly<Record<ExitGroupKey, { readonly one: string; readonly many: string }>> = {
  address: { one: 'exit address', many: 'exit addresses' },
  as: { one: 'network', many: 'networks' },
  operator: { one: 'operator', many: 'operators' },
  family: { one: 'family', many: 'families' },
  country: { one: 'country', many: 'countries' },
  first_hop: { one: 'first hop', many: 'first hops' },
}

/** Reads the parameter `by`. @returns `undefined` when it is no key. */
export function parseGroupKey(text: string | null): ExitGroupKey | undefined {
  if (text === null || text === '') return 'as'
  return EXIT_GROUP_KEYS.find((key) => key === text)
}

/** Renders the page. `chosen` is the `run` parameter. */
export async function renderGroupsPage(
  shelf: RunShelf,
  run: ShownRun,
  by: ExitGroupKey,
  chosen: string | undefined,
): Promise<Html> {
  const groups = groupExits(run.rows ?? [], by)
  const { one, many } = KEY_WORDS[by]
  const suffix = chosen === undefined ? '' : `&run=${chosen}`
  return renderLayout({
    title: `Exits by ${one}`,
    section: 'exits',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">${renderEyebrow(run)}</p>
        <h1>${formatGroupsSentence(groups, by)}</h1>
      </section>
      <div class="section-bar" id="views">
        ${renderExitViews('groups', chosen)}
        ${await renderRunSelector(shelf, run, '/exits/groups', chosen, new URLSearchParams({ by }))}
      </div>
      <section id="groups" aria-label="Groups">
        <nav class="chips" aria-label="Group by">
          ${EXIT_GROUP_KEYS.map((key) => html`<a class="chip" href="/exits/groups?by=${key}${suffix}" ${key === by ? raw('aria-current="true"') : ''}>${KEY_WORDS[key].one}</a>`)}
        </nav>
        ${run.rows === undefined ? renderGivenUp(run) : groups.length === 0 ? html`<p class="empty">No exit is finished yet.</p>` : renderTable(groups, by, run, chosen)}
        ${groups.length > GROUPS_MAX ? html`<p class="shown">The first ${formatCount(GROUPS_MAX)} of ${formatCount(groups.length)} ${many}, most failures first.</p>` : ''}
      </section>`,
  })
}

function formatGroupsSentence(all: readonly ExitGroup[], by: ExitGroupKey): string {
  const groups = all.filter(({ value }) => value !== NOT_KNOWN)
  const { one, many } = KEY_WORDS[by]
  const failing = groups.filter((group) => group.failing > 0)
  if (groups.length === 0) return `Exits by ${one}.`
  if (failing.length === 0) return `None of ${formatCounted(groups.length, one, many)} has a failing exit.`
  const most = failing[0]
  const worst =
    most === undefined || most.failing < 2
      ? ''
      : `; most, ${formatCount(most.failing)} of ${formatCount(most.measured)} measured, at ${formatLabel(by, most)}`
  return `${formatCount(failing.length)} of ${formatCounted(groups.length, one, many)} ${failing.length === 1 ? 'has' : 'have'} failing exits${worst}.`
}

function renderTable(groups: readonly ExitGroup[], by: ExitGroupKey, run: ShownRun, chosen: string | undefined): Html {
  const { one } = KEY_WORDS[by]
  return html`<div class="scroll framed" role="region" aria-label="Groups, table" tabindex="0">
      <table class="groups">
        <thead>
          <tr>
            <th scope="col">${one}</th>
            <th scope="col" class="n">exits</th>
            <th scope="col" class="n wide">measured</th>
            <th scope="col" class="n">failing</th>
            <th scope="col" class="n wide">suspect</th>
            <th scope="col">share that fails, with its 95 % interval</th>
            <th scope="col" class="n wide">not reached</th>
          </tr>
        </thead>
        <tbody>
          ${groups.slice(0, GROUPS_MAX).map((group) => renderGroup(group, by, run, chosen))}
        </tbody>
      </table>
    </div>
    <p class="small">
      A share of a few exits says little: the interval says how little. Exits that were not reached count neither for
      nor against.
    </p>`
}

function renderGroup(group: ExitGroup, by: ExitGroupKey, run: ShownRun, chosen: string | undefined): Html {
  const base = {
    ...DEFAULT_EXIT_QUERY,
    run: chosen ?? (run.isCurrent ? 'current' : undefined),
    [by === 'first_hop' ? 'firstHop' : by]: group.value,
  }
  const link = (count: number, standing: 'failing' | 'suspect' | 'unreachable' | undefined): Html | string =>
    count === 0 ? '0' : html`<a href="/exits${formatExitQuery({ ...base, standing })}">${formatCount(count)}</a>`
  return html`<tr>
    <th scope="row"><bdi>${formatLabel(by, group)}</bdi></th>
    <td class="n">${link(group.relays, undefined)}</td>
    <td class="n wide">${formatCount(group.measured)}</td>
    <td class="n">${link(group.failing, 'failing')}</td>
    <td class="n wide">${link(group.suspect, 'suspect')}</td>
    <td>${renderShare(group)}</td>
    <td class="n wide">${link(group.unreachable, 'unreachable')}</td>
  </tr>`
}

/** The share as text, and its interval as a bar from 0 to 100 %. */
function renderShare({ share, interval, failing, measured }: ExitGroup): Html {
  if (share === null || interval === null) return html`<span class="dim">none measured</span>`
  const [low, high] = interval.map((value) => 100 * value)
  const range = `${(low ?? 0).toFixed(0)} to ${(high ?? 0).toFixed(0)} %`
  const width = Math.max(1, (high ?? 0) - (low ?? 0))
  return html`<span class="interval">
    <svg width="110" height="12" aria-hidden="true">
      <rect class="f-track" y="5" width="100%" height="2"></rect>
      <rect class="f-range" x="${(low ?? 0).toFixed(1)}%" y="3" width="${width.toFixed(1)}%" height="6" rx="2"></rect>
      <circle class="f-point" cx="${(100 * share).toFixed(1)}%" cy="6" r="3"></circle>
    </svg>
    <span class="${measured < SHARE_MEASURED_MIN ? 'dim' : ''}">${formatShare(failing, measured)}</span>
    <span class="dim">${range}</span>
  </span>`
}

function formatLabel(by: ExitGroupKey, { value, label }: ExitGroup): string {
  if (value === NOT_KNOWN) return by === 'family' ? 'no family' : 'not known'
  return by === 'family' || by === 'first_hop' ? shortenFingerprint(label) : label
}
