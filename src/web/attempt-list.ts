/** The attempts of one exit, circuit by circuit: which way each question went and what came back, and when. */
import { html } from 'hono/html'
import { formatIsoTime } from '../core/clock.ts'
import type { ExitAttempt, ExitResult } from '../model/exit-result.ts'
import { renderStatusBadge } from './badges.ts'
import { formatMs, formatTimeText, shortenFingerprint } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { formatHowUrl, formatRcodeName } from './verdict-words.ts'

/** Circuits of one result that a page shows; more would be a bug elsewhere and no reason to fall over. */
const CIRCUITS_MAX = 16
const ATTEMPTS_MAX = 64

/** Whose circuits, and what is known around them. */
export interface CircuitParts {
  readonly result: ExitResult
  /** How long an exit waits for its resolver, in milliseconds; `null` when not known. */
  readonly resolveTimeoutMs: number | null
  /** Nickname of another relay of the run. */
  readonly nameOf: (fingerprint: string) => string | undefined
}

/** Renders each circuit with its attempts. */
export function renderCircuits({ result, resolveTimeoutMs, nameOf }: CircuitParts): Html {
  const circuits = new Map<number, ExitAttempt[]>()
  for (const attempt of result.attempts.slice(0, ATTEMPTS_MAX)) {
    const list = circuits.get(attempt.circuit) ?? []
    circuits.set(attempt.circuit, [...list, attempt])
  }
  if (circuits.size === 0) return html`<p class="empty">No question was asked.</p>`
  return html`${[...circuits].slice(0, CIRCUITS_MAX).map(([number, attempts]) => renderCircuit(number, attempts, { result, resolveTimeoutMs, nameOf }))}`
}

function renderCircuit(
  number: number,
  attempts: readonly ExitAttempt[],
  { result, resolveTimeoutMs, nameOf }: CircuitParts,
): Html {
  const path = attempts[0]?.path ?? []
  const rtt = attempts.find((attempt) => attempt.circuit_rtt_ms !== null)?.circuit_rtt_ms ?? null
  const title = number === 1 ? 'Circuit 1' : `Circuit ${number}, to confirm`
  return html`<article class="card circuit" aria-labelledby="circuit-${number}">
    <header>
      <h3 id="circuit-${number}">${title}</h3>
      <p class="path">
        ${html`<span>this machine</span>`}${path.map((hop) => html`<span aria-hidden="true">→</span>${renderHop(hop, result, nameOf)}`)}
        <span class="rtt">${rtt === null ? 'not built' : `round trip ${formatMs(rtt)}`}</span>
      </p>
    </header>
    <div class="scroll" role="region" aria-label="${title}, attempts" tabindex="0">
      <table class="attempts">
        <thead>
          <tr>
            <th scope="col" class="n">#</th>
            <th scope="col">question</th>
            <th scope="col">what came back</th>
            <th scope="col" class="n">after</th>
            <th scope="col" class="n">own delay</th>
            <th scope="col">judged</th>
          </tr>
        </thead>
        <tbody>
          ${attempts.map((attempt) => renderAttempt(attempt, resolveTimeoutMs))}
        </tbody>
      </table>
    </div>
  </article>`
}

function renderHop(fingerprint: string, result: ExitResult, nameOf: CircuitParts['nameOf']): Html {
  const known = nameOf(fingerprint)
  const name = known ?? shortenFingerprint(fingerprint)
  if (fingerprint === result.exit_fingerprint) return html`<strong><bdi>${name}</bdi></strong>`
  return known !== undefined
    ? html`<a href="/exits/${fingerprint}"><bdi>${name}</bdi></a>`
    : html`<span class="mono" title="${fingerprint}">${name}</span>`
}

function renderAttempt(attempt: ExitAttempt, resolveTimeoutMs: number | null): Html {
  return html`<tr>
    <td class="n">${attempt.attempt}</td>
    <td>
      ${attempt.query_domain === null ? html`<span class="dim">none: the circuit did not get that far</span>` : html`<span class="mono name"><b>${attempt.query_type}</b> ${attempt.query_domain}</span>`}
      <span class="sub">${formatTimeText(formatIsoTime(attempt.timestamp * 1_000))}</span>
    </td>
    <td>${renderAnswer(attempt)}</td>
    <td class="n">${formatMs(attempt.latency_ms)}${renderWait(attempt, resolveTimeoutMs)}</td>
    <td class="n">${formatMs(attempt.own_delay_ms)}</td>
    <td>
      ${renderStatusBadge(attempt.status)}${attempt.unsure ? html` <span class="flag">unsure</span>` : ''}
      ${attempt.error_code === null ? '' : html`<a class="sub mono" href="${formatHowUrl(attempt.error_code)}">${attempt.error_code}</a>`}
    </td>
  </tr>`
}

/**
 * Draws how much of an exit's patience a failure took: the marks at 45 % and 90 % are where failing at once, failing
 * slowly and timing out part. The time of the circuit itself is taken off first, as the rule does.
 */
function renderWait(attempt: ExitAttempt, resolveTimeoutMs: number | null): Html | string {
  if (attempt.dns_rcode !== 2 || attempt.latency_ms === null || resolveTimeoutMs === null || resolveTimeoutMs <= 0)
    return ''
  const waitedMs = Math.max(0, attempt.latency_ms - (attempt.circuit_rtt_ms ?? 0))
  const share = Math.min(1, waitedMs / resolveTimeoutMs)
  const text = `${Math.round(100 * share)} % of the ${formatMs(resolveTimeoutMs)} that an exit waits`
  return html`<svg class="patience" width="110" height="12" role="img" aria-label="${text}">
    <title>${text}</title>
    <rect class="f-track" y="4" width="100%" height="5"></rect>
    <rect class="f-timeout" y="4" width="${(100 * share).toFixed(1)}%" height="5"></rect>
    <path class="tick" d="M49.5 1v11M99 1v11"></path>
  </svg>`
}

function renderAnswer(attempt: ExitAttempt): Html {
  const parts: Html[] = []
  if (attempt.dns_rcode !== null)
    parts.push(html`<span class="mono line">${formatRcodeName(attempt.dns_rcode)} (${attempt.dns_rcode})</span>`)
  if (attempt.socks_reply !== null) parts.push(html`<span class="mono line">SOCKS reply ${attempt.socks_reply}</span>`)
  for (const address of attempt.addresses.slice(0, 8))
    parts.push(html`<span class="mono line strong">${address}</span>`)
  if (attempt.ttl_seconds !== null) parts.push(html`<span class="sub">TTL ${attempt.ttl_seconds} s</span>`)
  if (attempt.error !== null) parts.push(html`<span class="sub">${attempt.error}</span>`)
  return parts.length === 0 ? html`<span class="dim">nothing</span>` : html`${parts}`
}
