/**
 * Detector `exit-authority`: what the authoritative log adds to an answer.
 *
 * The client's Tor hides internal addresses (`ClientDNSRejectInternalAddresses`): a resolver that lies with 10.0.0.1
 * looks like one that fails. If our authority gave the right answer to this very name and the exit still reported a
 * failure or nothing, the answer was changed or dropped after we gave it. Who dropped it the end of the stream tells:
 * `TORPROTOCOL` when our own Tor refused an internal address, `DONE` when the exit itself reported a failure. Likewise a
 * wrong address is poisoned when we were asked, and rewritten when we never were.
 *
 * **Invariant**: pure. Only names that were issued count, and only their first arrival, within the attempt's window: a
 * name seen in a log can be asked again by anybody.
 *
 * Specification: docs/detectors/exit-authority.md
 */
import { parseTime } from '../core/clock.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { ExitAttempt } from '../model/exit-result.ts'

/** How the moments of two machines are compared. */
export interface AuthorityWindow {
  /** How far the clocks of authority and scanner may be apart, in milliseconds. */
  readonly skewMs: number
  /** How long after the question a query still belongs to it when no answer came, in milliseconds. */
  readonly queryTimeoutMs: number
}

/**
 * Finds the query that an attempt caused.
 *
 * @param queries - Any queries of the log; names are compared without case.
 * @returns The first arrival of the name with the attempt's type; `undefined` when there is none, or when it came
 *   outside the attempt's window (then nothing later counts either).
 */
export function findAuthorityQuery(
  attempt: ExitAttempt,
  queries: readonly AuthorityQuery[],
  window: AuthorityWindow,
): AuthorityQuery | undefined {
  const name = attempt.query_domain?.toLowerCase()
  if (name === undefined) return undefined
  let first: AuthorityQuery | undefined
  for (const query of queries) {
    if (query.query_type !== attempt.query_type || query.query_name.toLowerCase() !== name) continue
    if (first === undefined || parseTime(query.timestamp) < parseTime(first.timestamp)) first = query
  }
  if (first === undefined) return undefined
  const arrivedMs = parseTime(first.timestamp)
  const sentMs = attempt.timestamp * 1000
  const untilMs = sentMs + (attempt.latency_ms ?? window.queryTimeoutMs) + window.skewMs
  return arrivedMs >= sentMs - window.skewMs && arrivedMs <= untilMs ? first : undefined
}

/**
 * Judges an attempt again with the log at hand.
 *
 * @param query - What {@link findAuthorityQuery} found for this attempt.
 * @returns The attempt as `wrong_ip` / `INTERNAL_ADDRESS_SUSPECTED` where a right answer of ours became a failure that
 *   our own Tor made, a quick one of unknown making, or an answer without an address; else the attempt itself.
 */
export function refineWithAuthority(attempt: ExitAttempt, query: AuthorityQuery | undefined): ExitAttempt {
  if (query === undefined || query.outcome !== 'answered' || query.rcode !== 0) return attempt
  if (!isSuspect(attempt)) return attempt
  return {
    ...attempt,
    status: 'wrong_ip',
    error_code: 'INTERNAL_ADDRESS_SUSPECTED',
    error:
      'Our authority gave the right address to this name, the exit reported none: an internal address, which Tor hides, or an answer that was dropped',
  }
}

/** @returns Whether an internal address explains the attempt, once a right answer was given. */
function isSuspect(attempt: ExitAttempt): boolean {
  if (attempt.error_code === 'NO_A_ANSWER') return true
  if (attempt.dns_rcode !== 2) return false
  if (attempt.stream_reason !== null) return attempt.stream_reason === 'TORPROTOCOL'
  // How the stream ended is not known: then only a failure at once speaks for it.
  return attempt.error_code === 'SERVFAIL_CLASS' && !attempt.unsure
}

/** @returns What a wrong answer was, for the record of the resolver; `null` when the attempt is no wrong answer. */
export function judgeWrongAnswer(
  attempt: ExitAttempt,
  query: AuthorityQuery | undefined,
): 'poisoned' | 'rewritten' | null {
  if (attempt.status !== 'wrong_ip') return null
  return query === undefined ? 'rewritten' : 'poisoned'
}
