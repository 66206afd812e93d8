/** The pairs behind a cell, and one pair explained: what came, what the control said, what each rule saw. */
import { html } from 'hono/html'
import type { SatelliteControlView, SatellitePair, SatelliteRunSummary } from '../model/satellite-archive.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import { OUTCOME_TEXT } from '../model/satellite-outcome-text.ts'
import { renderFacts } from './fact-list.ts'
import { formatCount, formatCounted } from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderLayout } from './layout.ts'
import { linkGroup, renderRunLine, renderSatelliteViews } from './satellite-page.ts'
import { nameCountry, renderJudgement, RULE_PAGES } from './satellite-words.ts'

/** Pairs on a page. */
export const PAIRS_MAX = 200

/** What the list shows. */
export interface PairsPageParts {
  readonly run: SatelliteRunSummary
  readonly chosen: string | undefined
  readonly country: string
  readonly domain: string
  /** At most one more than {@link PAIRS_MAX}. */
  readonly pairs: readonly SatellitePair[]
}

/** Renders the pairs of a country and a name. */
export function renderPairsPage({ run, chosen, country, domain, pairs }: PairsPageParts): Html {
  const shown = pairs.slice(0, PAIRS_MAX)
  const interfered = shown.filter(({ judgement }) => judgement === 'interference').length
  const place = nameCountry(country)
  return renderLayout({
    title: `${domain} in ${place}`,
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
        ${renderRunLine(run)}
        <h1>
          <bdi>${domain}</bdi> in <a href="${linkGroup('country', country, chosen)}">${place}</a>:
          ${formatCount(interfered)} of ${formatCounted(shown.length, 'resolver', 'resolvers')} with evidence of
          interference.
        </h1>
        <p class="second">Each line is one resolver; one of them alone is no verdict about the country.</p>
      </section>
      <div class="section-bar" id="views">${renderSatelliteViews('none', chosen)}</div>
      <section id="pairs" aria-label="Resolvers">
        <div class="scroll framed" role="region" aria-label="Resolvers, table" tabindex="0">
          <table>
            <thead>
              <tr>
                <th scope="col">resolver</th>
                <th scope="col">judgement</th>
                <th scope="col">what came</th>
                <th scope="col">answers</th>
                <th scope="col">rules</th>
              </tr>
            </thead>
            <tbody>
              ${shown.map((pair) => renderRow(pair, chosen))}
            </tbody>
          </table>
        </div>
        ${pairs.length > PAIRS_MAX ? html`<p class="shown">The first ${formatCount(PAIRS_MAX)}; all of them: <a href="/api/v1/satellite/pairs?${new URLSearchParams({ run: run.runId, country, domain }).toString()}">JSON</a>.</p>` : ''}
      </section>`,
  })
}

function renderRow(pair: SatellitePair, chosen: string | undefined): Html {
  return html`<tr>
    <th scope="row">
      <a class="mono" href="${linkPair(pair, chosen)}">${pair.resolver}</a>
      ${pair.asnum === null ? '' : html`<span class="sub">AS${pair.asnum}</span>`}
    </th>
    <td>${renderJudgement(pair.judgement)}</td>
    <td>${OUTCOME_TEXT[pair.outcome]}</td>
    <td class="mono wrap">
      ${pair.answers.length === 0 ? `rcode ${pair.rcodes.join(', ')}` : pair.answers.map(({ address }) => address).join(', ')}
    </td>
    <td>
      ${pair.findings.length === 0 ? html`<span class="dim">none</span>` : pair.findings.map(({ rule }) => rule).join(', ')}
    </td>
  </tr>`
}

function linkPair({ resolver, domain }: SatellitePair, chosen: string | undefined): string {
  const parameters = new URLSearchParams({ vp: resolver, domain, ...(chosen === undefined ? {} : { run: chosen }) })
  return `/satellite/pair?${parameters.toString()}`
}

/** What the page of one pair shows. */
export interface PairPageParts {
  readonly run: SatelliteRunSummary
  readonly chosen: string | undefined
  readonly pair: SatellitePair
  /** `undefined` where the run does not say. */
  readonly control: SatelliteControlView | undefined
}

/** Renders one pair with its evidence. */
export function renderPairPage({ run, chosen, pair, control }: PairPageParts): Html {
  const { resolver, domain, country, asnum, outcome, judgement, isAnomaly } = pair
  const place = country === '' ? 'a country that is not known' : nameCountry(country)
  const api = `/api/v1/satellite/pair?${new URLSearchParams({ run: run.runId, vp: resolver, domain }).toString()}`
  return renderLayout({
    title: `${domain} through ${resolver}`,
    section: 'satellite',
    isLive: false,
    content: html`<section class="lead" id="lead">
        ${renderRunLine(run)}
        <h1><bdi>${domain}</bdi> through ${resolver}: ${OUTCOME_TEXT[outcome]}.</h1>
        <p class="verdict-line">
          ${renderJudgement(judgement)}
          <span class="dim"
            >${place}${asnum === null ? '' : ` · AS${asnum}`} ·
            <a href="/how/satellite-judgement">how it is decided</a></span
          >
        </p>
      </section>
      <div class="section-bar" id="views">${renderSatelliteViews('none', chosen)}</div>
      <div class="pair even">
        <section class="card" aria-labelledby="came-title">
          <h2 id="came-title">What came</h2>
          ${renderCame(pair)}
        </section>
        <section class="card" aria-labelledby="control-title">
          <h2 id="control-title">What the control says</h2>
          ${control === undefined ? html`<p class="empty">The run does not say.</p>` : renderControl(control)}
        </section>
      </div>
      <section class="card" id="evidence" aria-labelledby="findings-title">
        <h2 id="findings-title">
          ${pair.findings.length === 0 ? 'No rule saw anything' : `What ${formatCounted(pair.findings.length, 'rule', 'rules')} saw`}
        </h2>
        ${
          pair.findings.length === 0
            ? html`<p class="second">Without evidence a pair is unconfirmed: neither genuine nor interfered with.</p>`
            : html`<ul class="findings-list">
                ${pair.findings.map((finding) => renderFinding(finding))}
              </ul>`
        }
        <p class="small">
          The published rule calls this pair
          ${isAnomaly === null ? 'neither' : isAnomaly ? 'an anomaly' : 'no anomaly'}; it takes no part in the
          judgement.
          <a href="/how/satellite-detect">That rule</a> · <a href="${api}">JSON</a> · packets, if there was more than
          one: <code>candor satellite explain ${run.name} --vp ${resolver} --domain ${domain}</code>
        </p>
      </section>`,
  })
}

function renderCame({ answers, rcodes }: SatellitePair): Html {
  const codes =
    rcodes.length === 0
      ? 'no query was made'
      : rcodes.map((code) => (code === -1 ? 'no response' : String(code))).join(', ')
  if (answers.length === 0)
    return renderFacts([
      ['response codes', codes],
      ['addresses', 'none'],
    ])
  return html`${renderFacts([['response codes', codes]])}
    <div class="scroll" role="region" aria-label="Addresses, table" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">address</th>
            <th scope="col">network</th>
            <th scope="col">shared with the control</th>
          </tr>
        </thead>
        <tbody>
          ${answers.map(
            ({ address, asnum, asname, matched }) =>
              html`<tr>
                <th scope="row" class="mono">${address}</th>
                <td>${asnum === null ? html`<span class="dim">not known</span>` : `AS${asnum} ${asname ?? ''}`}</td>
                <td>${formatMatched(matched)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

const MATCH_WORDS: Readonly<Record<string, string>> = {
  ip: 'the address',
  http: 'the page',
  cert: 'the certificate',
  asnum: 'the network’s number',
  asname: 'the network’s name',
  no_tags: 'nothing is known of the address',
}

function formatMatched(matched: readonly string[]): string {
  return matched.length === 0 ? 'nothing' : matched.map((item) => MATCH_WORDS[item] ?? item).join(', ')
}

function renderControl({ asked, answered, addresses, asnum, asname, pages, certificates }: SatelliteControlView): Html {
  const list = (values: readonly (string | number)[]): string => (values.length === 0 ? 'none' : values.join(', '))
  return renderFacts([
    ['resolvers that answered', `${formatCount(answered)} of ${formatCount(asked)}`],
    ['addresses', html`<span class="mono">${list(addresses)}</span>`],
    ['networks', `${list(asnum.map((number) => `AS${number}`))}; ${list(asname)}`],
    [
      'known of the addresses',
      `${formatCounted(pages, 'page', 'pages')}, ${formatCounted(certificates, 'certificate', 'certificates')}`,
    ],
  ])
}

function renderFinding({ rule, version, evidence, weights }: SatelliteFinding): Html {
  const facts = Object.entries(evidence)
  return html`<li>
    <h3><a href="/how/${RULE_PAGES[rule]}">${rule}</a> <span class="dim small">version ${version}</span></h3>
    <p class="weights">
      <span>interference ${formatWeight(weights.interference)}</span
      ><span>out of order ${formatWeight(weights.down)}</span><span>genuine ${formatWeight(weights.ok)}</span>
    </p>
    ${facts.length === 0 ? '' : renderFacts(facts.map(([name, value]) => [name.replaceAll('_', ' '), formatEvidence(value)]))}
  </li>`
}

function formatWeight(weight: number): string {
  return String(Math.round(weight * 100) / 100)
}

function formatEvidence(value: string | number | readonly (string | number)[]): string {
  if (typeof value === 'number') return String(Math.round(value * 10_000) / 10_000)
  return typeof value === 'string' ? value : value.length === 0 ? 'none' : value.join(', ')
}
