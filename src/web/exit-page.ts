/** One exit: the verdict in words, the truth where it is known, and every attempt that led to it. */
import { html } from 'hono/html'
import { compareWithTruth, isRunning } from '../api/run-summary.ts'
import type { ExitResolver, ExitResult } from '../model/exit-result.ts'
import type { ExitRunView, ExitTruth } from '../model/run-view.ts'
import { renderCircuits } from './attempt-list.ts'
import { renderAgreement, renderFlags, renderStatusBadge } from './badges.ts'
import { formatCounted, formatMs } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { formatCodeMeaning, formatHowUrl, STATUS_WORDS } from './verdict-words.ts'
import { formatExitSentences } from './verdict-sentence.ts'

/** Renders the page. `isLaboratory` leaves out links about relays of the public network. */
export function renderExitPage(view: ExitRunView, result: ExitResult, isLaboratory: boolean): Html {
  const [finding = '', ...more] = formatExitSentences(result)
  const truth = view.truth.get(result.exit_fingerprint)
  return renderLayout({
    title: `${result.exit_nickname}: ${STATUS_WORDS[result.status].label}`,
    section: 'overview',
    isLive: isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">
          <a href="/#exits">Exits</a> · <bdi>${result.exit_nickname}</bdi> ·
          <span class="mono wrap">${result.exit_fingerprint}</span>
        </p>
        <h1>${finding}</h1>
        <p class="verdict-line">
          ${renderStatusBadge(result.status)}${result.error_code === null ? '' : html` <a class="mono" href="${formatHowUrl(result.error_code)}">${result.error_code}</a>`}${renderFlags(result.flags)}
        </p>
        ${more.map((sentence) => html`<p class="second">${sentence}</p>`)}
      </section>
      ${truth === undefined ? '' : renderTruth(view, result, truth)}
      <section id="evidence" aria-labelledby="evidence-title">
        <h2 id="evidence-title">Evidence</h2>
        <p class="small">
          ${formatCounted(result.attempts.length, 'question was asked', 'questions were asked')} about this exit, each
          with a name that nobody had asked before. Times are from sending to answer.${renderBarLegend(view, result)}
        </p>
        ${renderCircuits(view, result)}
      </section>
      <div class="pair even" id="facts">${renderResolver(result.resolver)}${renderRelay(result, isLaboratory)}</div>
      ${renderHow(result)}`,
  })
}

/** Says how to read the bars, where there are any. */
function renderBarLegend({ metadata }: ExitRunView, { attempts }: ExitResult): string {
  if (metadata === null || !attempts.some((attempt) => attempt.dns_rcode === 2)) return ''
  const waited = formatMs(metadata.exit_resolve_timeout_ms)
  return ` A bar shows how much of the ${waited} that an exit waits for its resolver was used up: its marks at 45 % and 90 % part failing at once, failing slowly, and timing out.`
}

/** Renders the page of a laboratory exit whose turn has not come. */
export function renderPendingExitPage(view: ExitRunView, fingerprint: string, truth: ExitTruth): Html {
  return renderLayout({
    title: 'Not measured yet',
    section: 'overview',
    isLive: isRunning(view),
    content: html`<section class="lead" id="lead">
        <p class="eyebrow"><a href="/#exits">Exits</a> · <span class="mono wrap">${fingerprint}</span></p>
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
  const facts: readonly (readonly [string, unknown])[] = [
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

function renderRelay(result: ExitResult, isLaboratory: boolean): Html {
  const metrics = `https://metrics.torproject.org/rs.html#details/${result.exit_fingerprint}`
  const facts: readonly (readonly [string, unknown])[] = [
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
    ['DNS failures in a row', `${result.consecutive_failures}, IPv6 ${result.consecutive_failures_ipv6}`],
    ['verdicts since', result.first_seen ?? 'this run'],
  ]
  return html`<section class="card" aria-labelledby="relay-title">
    <h2 id="relay-title">The relay</h2>
    ${renderFacts(facts)}
    <p class="links">
      <a href="/api/v1/exits/${result.exit_fingerprint}">raw JSON</a
      >${isLaboratory ? '' : html` · <a href="${metrics}" rel="noreferrer">Tor Metrics</a>`}
    </p>
  </section>`
}

function renderFacts(facts: readonly (readonly [string, unknown])[]): Html {
  return html`<dl class="facts-list">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
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
