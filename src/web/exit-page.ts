/** One exit: the verdict in words, the truth where it is known, and every attempt that led to it. */
import { html } from 'hono/html'
import { exitStanding } from '../api/exit-standing.ts'
import { compareWithTruth, isRunning } from '../api/run-summary.ts'
import type { ExitPoint, ExitRelayDay, ExitRow } from '../model/exit-archive.ts'
import type { ExitMetadata, ExitResolver, ExitResult } from '../model/exit-result.ts'
import type { ExitRunView, ExitTruth } from '../model/run-view.ts'
import { renderCircuits } from './attempt-list.ts'
import { renderAgreement, renderFlags, renderStatusBadge } from './badges.ts'
import { renderStrip } from './exit-strip.ts'
import { renderYear } from './exit-year.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import { formatCounted, formatMinute, formatMs, formatRunTime } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import type { ShownRun } from './run-shelf.ts'
import { formatCodeMeaning, formatHowUrl, formatMetricsUrl, STANDING_WORDS, STATUS_WORDS } from './verdict-words.ts'
import { formatExitSentences } from './verdict-sentence.ts'

/** What the page shows. */
export interface ExitPageParts {
  readonly run: ShownRun
  readonly result: ExitResult
  /** Whether the attempts are still kept. */
  readonly hasEvidence: boolean
  /** What other runs said; `undefined` without an archive. */
  readonly history: ExitPageHistory | undefined
  /** Leaves out links about relays of the public network. */
  readonly isLaboratory: boolean
}

/** One relay over time. */
export interface ExitPageHistory {
  /** The last runs, newest first. */
  readonly points: readonly ExitPoint[]
  /** The last year. */
  readonly days: readonly ExitRelayDay[]
  readonly nowMs: number
  /** The newest run that has a record of the relay; the page says so when it shows an earlier one. */
  readonly newestRunId: string | null
}

/** Renders the page. */
export function renderExitPage(parts: ExitPageParts): Html {
  const { run, result, history } = parts
  const { view } = run
  const [finding = '', ...more] = formatExitSentences(result)
  const truth = view.truth.get(result.exit_fingerprint)
  const invalid = run.metadata?.invalid ?? null
  const isEarlier = history !== undefined && history.newestRunId !== null && history.newestRunId > result.run_id
  return renderLayout({
    title: `${result.exit_nickname}: ${STATUS_WORDS[result.status].label}`,
    section: 'exits',
    isLive: run.isCurrent && isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          <a href="/exits">Exits</a> · <bdi>${result.exit_nickname}</bdi> ·
          <span class="mono wrap">${result.exit_fingerprint}</span>
        </p>
        <h1>${finding}</h1>
        <p class="verdict-line">
          ${renderStatusBadge(result.status)}${result.error_code === null ? '' : html` <a class="mono" href="${formatHowUrl(result.error_code)}">${result.error_code}</a>`}${renderFlags(result.flags)}${renderDoubt(result)}
          <span class="dim"
            >run <a href="/runs/${run.isCurrent ? 'current' : result.run_id}">${formatRunTime(result.run_id)}</a></span
          >
        </p>
        ${invalid === null ? '' : html`<p class="alert" role="alert">The run is invalid and accuses nobody: ${invalid}</p>`}
        ${isEarlier ? html`<p class="notice">This is an earlier run. <a href="/exits/${result.exit_fingerprint}">The newest verdict about this exit</a></p>` : ''}
        ${more.map((sentence) => html`<p class="second">${sentence}</p>`)}
      </section>
      ${truth === undefined ? '' : renderTruth(view, result, truth)}
      ${history === undefined || history.points.length < 2 ? '' : renderStrip(history.points, result.exit_fingerprint, result.run_id)}
      ${renderEvidence(parts)}
      ${history === undefined || history.days.length < 2 ? '' : renderYear(history.days, history.nowMs)}
      <div class="pair even" id="facts">
        <div class="column">${renderResolver(result.resolver)}${renderHow(result)}</div>
        ${renderRelay(parts)}
      </div>`,
  })
}

/** Says on the badge's line that the evidence does not carry an accusation. */
function renderDoubt(result: ExitResult): Html | string {
  if (exitStanding(result) !== 'suspect') return ''
  return html` <a class="flag" href="/how#standings" title="${STANDING_WORDS.suspect.meaning}">suspect</a>`
}

function renderEvidence({ run, result, hasEvidence }: ExitPageParts): Html {
  const names = new Map(run.rows?.map((row) => [row.exit_fingerprint, row.exit_nickname]))
  return html`<section id="evidence" aria-labelledby="evidence-title">
    <h2 id="evidence-title">Evidence</h2>
    ${
      hasEvidence
        ? html`<p class="small">
              ${formatCounted(result.attempts.length, 'question was asked', 'questions were asked')} about this exit,
              each with a name that nobody had asked before. Times are from sending to
              answer.${renderBarLegend(run.metadata, result)}
            </p>
            ${renderCircuits({ result, resolveTimeoutMs: run.metadata?.exit_resolve_timeout_ms ?? null, nameOf: (fingerprint) => names.get(fingerprint) })}`
        : html`<p class="empty">
            The attempts behind this verdict are not kept any more: retention gave them up. The verdict stands as it was
            published, and nothing here can be checked again.
          </p>`
    }
  </section>`
}

/** Says how to read the bars, where there are any. */
function renderBarLegend(metadata: ExitMetadata | null, { attempts }: ExitResult): string {
  if (metadata === null || !attempts.some((attempt) => attempt.dns_rcode === 2)) return ''
  const waited = formatMs(metadata.exit_resolve_timeout_ms)
  return ` A bar shows how much of the ${waited} that an exit waits for its resolver was used up: its marks at 45 % and 90 % part failing at once, failing slowly, and timing out.`
}

/** Renders the page of a relay that the chosen run does not know, while other runs do. */
export function renderAbsentExitPage(newest: ExitRow, run: ShownRun, history: ExitPageHistory): Html {
  const when = formatRunTime(run.runId ?? '')
  return renderLayout({
    title: `${newest.exit_nickname}: no candidate`,
    section: 'exits',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          <a href="/exits">Exits</a> · <bdi>${newest.exit_nickname}</bdi> ·
          <span class="mono wrap">${newest.exit_fingerprint}</span>
        </p>
        <h1>Not measured: it was no candidate of the run ${when}.</h1>
        <p class="second">
          The consensus of that run did not have this relay as one that may be an exit, or the rows of the run were
          given up. This says nothing about its DNS.
        </p>
        <p class="links"><a href="/exits/${newest.exit_fingerprint}">The newest verdict about this exit</a></p>
      </section>
      ${renderStrip(history.points, newest.exit_fingerprint, run.runId ?? '')}`,
  })
}

/** Renders the page of a laboratory exit whose turn has not come. */
export function renderPendingExitPage(view: ExitRunView, fingerprint: string, truth: ExitTruth): Html {
  return renderLayout({
    title: 'Not measured yet',
    section: 'exits',
    isLive: isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/exits">Exits</a> · <span class="mono wrap">${fingerprint}</span></p>
        <h1>Not measured${isRunning(view) ? ' yet' : ''}.</h1>
        <p class="second">${view.message}</p>
      </section>
      <section class="card" id="truth">
        <h2>Truth</h2>
        <p><strong>${truth.fault}</strong>: ${truth.description}</p>
      </section>`,
  })
}

function renderTruth(view: ExitRunView, result: ExitResult, truth: ExitTruth): Html {
  return html`<section class="card truth-card" id="truth" aria-labelledby="truth-title">
    <h2 id="truth-title">Truth</h2>
    <p class="truth-line">
      ${renderAgreement(compareWithTruth(view, result, truth))}
      <span>Made by design: <strong>${truth.fault.replaceAll(/[_-]/g, ' ')}</strong>. ${truth.description}</span>
    </p>
    <p class="small">
      Right verdicts for it:
      ${truth.expected.map(({ status, errorCode }, index) => html`${index === 0 ? '' : ', '}<span class="mono">${status}${errorCode === null ? '' : ` / ${errorCode}`}</span>`)}.
    </p>
  </section>`
}

function renderResolver(resolver: ExitResolver | null): Html {
  if (resolver === null)
    return html`<section class="card" aria-labelledby="resolver-title">
      <h2 id="resolver-title">Its resolver</h2>
      <p>Not known: no log of our authoritative server was joined with this run.</p>
    </section>`
  const yes = (value: boolean): string => (value ? 'yes' : 'no')
  const facts: readonly Fact[] = [
    ['asked our authority', yes(resolver.asked)],
    [
      'from',
      resolver.addresses.length === 0
        ? '–'
        : resolver.addresses.map((address) => html`<span class="line mono">${address}</span>`),
    ],
    [
      'network',
      html`<bdi>${[resolver.as, resolver.country].filter((text) => text !== null).join(', ') || 'not known'}</bdi>`,
    ],
    ['over', resolver.transport.length === 0 ? '–' : resolver.transport.map((name) => name.toUpperCase()).join(', ')],
    ['EDNS', yes(resolver.edns)],
    ['asks for DNSSEC', yes(resolver.dnssec_ok)],
    ['mixes upper and lower case (0x20)', yes(resolver.mixed_case)],
    ['QNAME minimisation', yes(resolver.qname_minimisation)],
    [
      'leaks the client subnet',
      resolver.client_subnet === null ? 'no' : html`yes, <span class="mono">${resolver.client_subnet}</span>`,
    ],
  ]
  return html`<section class="card" aria-labelledby="resolver-title">
    <h2 id="resolver-title">Its resolver, as our authority saw it</h2>
    ${renderFacts(resolver.asked ? facts : facts.slice(0, 1))}
    ${resolver.asked ? '' : html`<p class="small">Nobody asked our authority for a name of this exit.</p>`}
  </section>`
}

function renderRelay({ run, result, isLaboratory }: ExitPageParts): Html {
  const facts: readonly Fact[] = [
    [
      'address',
      html`<span class="mono"
        >${[result.exit_address, ...result.or_addresses.filter((address) => address !== result.exit_address)].join(', ')}</span
      >`,
    ],
    [
      'network',
      html`<bdi>${[result.as, result.country].filter((text) => text !== null).join(', ') || 'not known'}</bdi>`,
    ],
    ['operator', html`<bdi>${result.operator ?? 'not known'}</bdi>`],
    ['contact', html`<bdi class="wrap">${result.contact ?? 'none given'}</bdi>`],
    ['exit policy', html`<span class="wrap">${result.policy_summary ?? 'not known'}</span>`],
    ['tested because', result.candidate_reason],
    [
      'marks',
      [result.exit_flag ? 'Exit' : 'no Exit flag', result.bad_exit ? 'BadExit' : ''].filter(Boolean).join(', '),
    ],
    [
      'IPv6 verdict',
      result.status_ipv6 === null
        ? 'not asked'
        : html`${renderStatusBadge(result.status_ipv6)}${result.resolved_ipv6 === null ? '' : html` <span class="mono">${result.resolved_ipv6}</span>`}`,
    ],
    ['family', renderFamily(result.family)],
    ['DNS failures in a row', `${result.consecutive_failures}, IPv6 ${result.consecutive_failures_ipv6}`],
    ['verdicts since', result.first_seen === null ? 'this run' : formatMinute(result.first_seen)],
    ['last verdict', result.last_seen === null ? 'this run' : formatMinute(result.last_seen)],
  ]
  return html`<section class="card" aria-labelledby="relay-title">
    <h2 id="relay-title">The relay</h2>
    ${renderFacts(facts)}
    <p class="links">
      <a href="/api/v1/exits/${result.exit_fingerprint}${run.isCurrent ? '' : `?run=${result.run_id}`}">raw JSON</a
      >${isLaboratory ? '' : html` <a href="${formatMetricsUrl(result.exit_fingerprint)}" rel="noreferrer">Tor Metrics</a>`}
    </p>
  </section>`
}

function renderFamily(family: readonly string[]): unknown {
  if (family.length === 0) return 'none declared'
  const [first = ''] = family
  const fingerprint = first.replace('$', '').slice(0, 40)
  const count = formatCounted(family.length, 'relay', 'relays')
  return /^[0-9A-Fa-f]{40}$/.test(fingerprint)
    ? html`${count}: <a href="/exits?family=${fingerprint.toUpperCase()}">exits of the family</a>`
    : count
}

function renderHow(result: ExitResult): Html {
  const code = result.error_code
  return html`<section class="card" id="how" aria-labelledby="how-title">
    <h2 id="how-title">How this verdict is decided</h2>
    <p>
      ${STATUS_WORDS[result.status].meaning}${code === null ? '' : html` <span class="mono">${code}</span>: ${formatCodeMeaning(code)}`}
    </p>
    <p class="links">
      <a href="${code === null ? '/how' : formatHowUrl(code)}"
        >${code === null ? 'All verdicts and their rules' : 'The rule, its false positives and its blind spots'}</a
      >
    </p>
  </section>`
}
