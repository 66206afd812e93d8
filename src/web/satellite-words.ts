/** How the campaign over resolvers is said and marked on pages. */
import { html } from 'hono/html'
import type { SatelliteAggregate } from '../model/satellite-aggregate.ts'
import type { SatelliteRunSummary } from '../model/satellite-archive.ts'
import type { SatelliteJudgement, SatelliteRule } from '../model/satellite-finding.ts'
import { formatCount, formatCounted } from './format-quantity.ts'
import type { Html } from './html-value.ts'

/** Codes that ISO leaves to their users: laboratories have such. */
const USER_ASSIGNED = /^(?:AA|Q[M-Z]|X[A-JL-Z]|ZZ)$/
const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' })

/** `Germany`; the code itself where it has no name. */
export function nameCountry(code: string): string {
  return /^[A-Z]{2}$/.test(code) && !USER_ASSIGNED.test(code) ? (names.of(code) ?? code) : code
}

/** How a group's verdict is said: mark, words, class. */
const VERDICTS: Readonly<Record<SatelliteAggregate['verdict'], readonly [string, string, string]>> = {
  interference: ['✕', 'interference shown', 's-wrong_ip'],
  not_shown: ['○', 'not shown', 's-circuit_fail'],
  too_few: ['–', 'too few resolvers', 's-not_tested'],
}

const JUDGEMENTS: Readonly<Record<SatelliteJudgement, readonly [string, string, string]>> = {
  interference: ['✕', 'interference', 's-wrong_ip'],
  down: ['▽', 'out of order', 's-timeout'],
  ok: ['✓', 'genuine', 's-success'],
  unconfirmed: ['?', 'unconfirmed', 's-not_tested'],
  no_vote: ['–', 'no vote', 's-circuit_fail'],
}

/** The badge of a group and a name. */
export function renderVerdict(verdict: SatelliteAggregate['verdict']): Html {
  return renderBadge(VERDICTS[verdict])
}

/** The badge of a pair. */
export function renderJudgement(judgement: SatelliteJudgement): Html {
  return renderBadge(JUDGEMENTS[judgement])
}

function renderBadge([mark, label, style]: readonly [string, string, string]): Html {
  return html`<span class="badge ${style}"><span aria-hidden="true">${mark}</span> ${label}</span>`
}

/** The page of a rule below `/how/`. */
export const RULE_PAGES: Readonly<Record<SatelliteRule, string>> = {
  'answer-in-control': 'satellite-overlap',
  'certificate-in-control': 'satellite-overlap',
  'page-in-control': 'satellite-overlap',
  'answer-as-in-control': 'satellite-overlap',
  'tls-valid-for-domain': 'satellite-valid-tls',
  'injected-response': 'satellite-injected',
  'answer-from-non-resolver': 'satellite-non-resolver',
  'bogon-answer': 'satellite-bogon',
  'nxdomain-against-control': 'satellite-failure',
  'failure-against-control': 'satellite-failure',
  'known-block-address': 'satellite-known-block',
  blockpage: 'satellite-blockpage',
  'as-of-many': 'satellite-as-of-many',
  'cdn-by-as-number': 'satellite-cdn',
  'cdn-by-certificate': 'satellite-cdn',
  'resolver-unreliable': 'satellite-unreliable',
}

/** What a run found, one sentence; its denominator is what was tested. */
export function formatSatelliteSentence(run: SatelliteRunSummary, countries: number): string {
  const asked = `${formatCounted(run.resolvers, 'resolver', 'resolvers')} in ${formatCounted(countries, 'country', 'countries')} were asked for ${formatCounted(run.domains, 'name', 'names')}`
  if (run.tested === 0) return `${asked}; no country has the five resolvers that a verdict needs.`
  const untested = run.cells - run.tested
  return (
    `${asked}: interference is shown in ${formatCount(run.interfered)} of ${formatCount(run.tested)} pairs of a country and a name` +
    `${untested === 0 ? '' : `; ${formatCount(untested)} more had too few resolvers`}.`
  )
}

/** `0.004`, `< 0.001`. */
export function formatProbability(value: number | null): string {
  if (value === null) return '–'
  return value < 0.001 ? '< 0.001' : value.toFixed(3)
}
