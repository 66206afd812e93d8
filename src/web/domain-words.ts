/** What states, outcomes, routes and reasons of domains are called on pages. */
import { html } from 'hono/html'
import type { AttemptOutcome, DomainOutcome, DomainState, ScoreReason } from '../model/domain.ts'
import type { DomainRoute, ResolverView } from '../model/domain-view.ts'
import type { Html } from './html-value.ts'

/** Class of a colour, word, and what it means. */
interface Word {
  readonly look: string
  readonly word: string
  readonly meaning: string
}

/** A state in a sentence: the domain is …. */
export const STATE_PHRASES: Readonly<Record<DomainState, string>> = {
  ACTIVE: 'active',
  STABLE: 'stable',
  SUSPECT: 'suspect',
  QUARANTINE: 'in quarantine',
  HARD: 'in hard quarantine',
}

/** Best first. */
export const STATE_WORDS: Readonly<Record<DomainState, Word>> = {
  ACTIVE: { look: 'success', word: 'active', meaning: 'answered again and again' },
  STABLE: { look: 'timeout', word: 'stable', meaning: 'answered lately' },
  SUSPECT: { look: 'dns_fail', word: 'suspect', meaning: 'new, or in doubt: checked every 6 h' },
  QUARANTINE: { look: 'wrong_ip', word: 'quarantine', meaning: 'denied: one probe a day' },
  HARD: {
    look: 'error',
    word: 'hard quarantine',
    meaning: 'denied for long: one probe a day for a week, then a review',
  },
}

/** How traffic to a domain is told apart. */
export const ROUTE_WORDS: Readonly<Record<DomainRoute, Word>> = {
  direct: { look: 'success', word: 'direct', meaning: 'by the addresses that resolvers gave' },
  wildcard: { look: 'success', word: 'wildcard', meaning: 'by what clients are answered through SmartDNS' },
  stale: { look: 'timeout', word: 'stale', meaning: 'by addresses that nobody confirms now' },
  quarantined: {
    look: 'wrong_ip',
    word: 'quarantined',
    meaning: 'by what was known before it went into quarantine, if anything was',
  },
  none: { look: 'not_tested', word: 'no addresses', meaning: 'by nothing: no address is known' },
}

const OUTCOMES: Readonly<Record<DomainOutcome | 'RELEASED', string>> = {
  OK: 'has addresses',
  RUNTIME: 'a client was answered',
  NX2: 'denied by two operators',
  NX1: 'denied by one resolver',
  TIMEOUT: 'nobody answered in time',
  TEMP: 'failed for now',
  NODATA: 'exists without addresses',
  FILTERED: 'filtered',
  REFUSED: 'refused',
  RELEASED: 'released by hand',
}

const REASONS: Readonly<Record<ScoreReason, string>> = {
  scored: 'moved the score',
  left_quarantine: 'ended the quarantine',
  too_soon: 'scored within 5 h already',
  confirming: 'a confirming check does not score',
  storm_guard: 'the storm guard holds: scores nothing',
  nx_guard: 'the denial guard holds: scores nothing',
  pool_down: 'no resolver answers: scores nothing',
}

const ATTEMPTS: Readonly<Record<AttemptOutcome, string>> = {
  ok: 'addresses',
  nxdomain: 'NXDOMAIN',
  nodata: 'NODATA',
  filtered: 'filtered',
  refused: 'REFUSED',
  temporary: 'failed for now',
  timeout: 'time-out',
  unsent: 'not sent',
}

const RESOLVER_STATES: Readonly<Record<ResolverView['state'], Word>> = {
  active: { look: 'success', word: 'answers', meaning: 'is asked' },
  cooldown: { look: 'wrong_ip', word: 'rests', meaning: 'failed too often, and is not asked' },
  half_open: { look: 'timeout', word: 'is probed', meaning: 'one question at a time until two are answered' },
}

/** The word for an outcome. */
export function formatOutcome(outcome: DomainOutcome | 'RELEASED' | null): string {
  return outcome === null ? 'not asked yet' : OUTCOMES[outcome]
}

/** Why a score moved, or did not. */
export function formatReason(reason: ScoreReason): string {
  return REASONS[reason]
}

/** What one attempt came to. */
export function formatAttempt(outcome: AttemptOutcome): string {
  return ATTEMPTS[outcome]
}

/** A badge for a state. */
export function renderStateBadge(state: DomainState): Html {
  return renderWord(STATE_WORDS[state])
}

/** A badge for a route. */
export function renderRouteBadge(route: DomainRoute): Html {
  return renderWord(ROUTE_WORDS[route])
}

/** A badge for a resolver. */
export function renderResolverBadge(state: ResolverView['state']): Html {
  return renderWord(RESOLVER_STATES[state])
}

function renderWord({ look, word, meaning }: Word): Html {
  return html`<span class="badge s-${look}" title="${meaning}">${word}</span>`
}
