/** What the machine behind the pages does: what comes next, what waits, what went wrong, who is told. */
import { html } from 'hono/html'
import { formatIsoTime, parseTime } from '../core/clock.ts'
import type { ChannelOutboxStatus } from '../model/alert.ts'
import type { CampaignState, DaemonStatus, RunEnding, StoreState } from '../model/daemon-control.ts'
import type { ArchiveUsage, RetentionPolicy } from '../model/retention.ts'
import type { SidecarStatus } from '../model/sidecar.ts'
import { renderFacts, type Fact } from './fact-list.ts'
import {
  formatCount,
  formatCounted,
  formatMinute,
  formatOctets,
  formatRunTime,
  formatShare,
  formatSpan,
} from './format-quantity.ts'
import type { Html } from './html-value.ts'
import { renderDeliveryTable, type TitledDelivery } from './incident-page.ts'
import { renderLayout } from './layout.ts'

/** What the page shows; `undefined` parts are said to be absent. */
export interface SystemPageParts {
  readonly nowMs: number
  readonly version: string
  readonly status: DaemonStatus | undefined
  readonly campaigns: readonly CampaignState[] | undefined
  readonly channels: readonly ChannelOutboxStatus[] | undefined
  /** Deliveries that were given up, newest first. */
  readonly dead: readonly TitledDelivery[]
  /** Child processes. */
  readonly sidecars: readonly SidecarStatus[]
  /** Files that are published. */
  readonly published: number
  /** `undefined` without an archive that says so. */
  readonly kept: KeptState | undefined
}

/** What the archive holds, and for how long. */
export interface KeptState {
  readonly usage: ArchiveUsage
  readonly policy: RetentionPolicy
}

/** Says what the archive holds: what these pages need of it. */
export interface KeepingSource {
  usage(): Promise<ArchiveUsage>
  policy(): RetentionPolicy
}

/** Above this share of the disk budget the page says so. */
const BUDGET_WARNING = 0.8

const ENDING_WORDS: Readonly<Record<RunEnding, string>> = {
  complete: 'complete',
  interrupted: 'interrupted: some exits were not tested',
  invalid: 'invalid: accuses nobody',
  failed: 'failed',
}

/** Renders the page. */
export function renderSystemPage(parts: SystemPageParts): Html {
  const { status, campaigns, channels, dead } = parts
  const problems = status?.problems ?? []
  return renderLayout({
    title: 'System',
    section: 'system',
    isLive: false,
    content: html`<section class="lead" id="lead">
        <p class="eyebrow">Candor ${parts.version}</p>
        <h1>${formatSentence(parts)}</h1>
        ${problems.map((problem) => html`<p class="alert" role="alert">${problem}</p>`)} ${renderRefused(status)}
      </section>
      ${campaigns === undefined ? '' : renderCampaigns(campaigns, parts.nowMs)}
      ${parts.sidecars.length === 0 ? '' : renderSidecars(parts.sidecars)}
      <div class="pair even" id="facts">
        ${renderDaemon(parts)}
        <div class="column">${renderChannels(channels)}${renderStores(status?.stores ?? [])}</div>
      </div>
      ${status === undefined || status.pendingSteps.length === 0 ? '' : renderSteps(status)}
      ${
        dead.length === 0
          ? ''
          : html`<section class="card" id="dead" aria-labelledby="dead-title">
              <h2 id="dead-title">Messages that were given up</h2>
              ${renderDeliveryTable(dead)}
            </section>`
      }`,
  })
}

function formatSentence(parts: SystemPageParts): string {
  const { status, campaigns, nowMs } = parts
  if (status === undefined || campaigns === undefined)
    return 'No daemon runs behind these pages: nothing is planned, and nobody is told.'
  const wrong = countTrouble(parts)
  const since = formatSpan(nowMs - parseTime(status.startedAt))
  const state =
    wrong === 0 ? 'and nothing is wrong' : `and ${formatCounted(wrong, 'thing needs', 'things need')} a look`
  return `The daemon has been running for ${since}, ${state}. ${formatNext(campaigns, nowMs)}`
}

/** Says what runs and what comes next. */
export function formatNext(campaigns: readonly CampaignState[], nowMs: number): string {
  if (campaigns.some(({ runningId }) => runningId !== null)) return 'A run goes on.'
  const next = campaigns
    .flatMap(({ nextRunAt }) => nextRunAt ?? [])
    .toSorted()
    .at(0)
  if (next === undefined) return 'No run is planned.'
  const inMs = parseTime(next) - nowMs
  return `The next run is due at ${formatMinute(next)}${inMs > 0 ? `, in ${formatSpan(inMs)}` : ', just now'}.`
}

function renderRefused(status: DaemonStatus | undefined): Html | string {
  const refused = status?.configuration.refused ?? null
  if (refused === null) return ''
  const text = `The newest configuration is not in force, the one before is. ${refused.place}: ${refused.message}. ${refused.hint}`
  return html`<p class="alert" role="alert">${text}</p>`
}

/** @returns How many things a person should look at. */
function countTrouble({ status, channels }: SystemPageParts): number {
  const refused = (status?.configuration.refused ?? null) === null ? 0 : 1
  const steps = status?.pendingSteps.filter(({ message }) => message !== null).length ?? 0
  const silent = channels?.filter(({ lastError }) => lastError !== null).length ?? 0
  const stores = status?.stores.filter(({ failure }) => failure !== null).length ?? 0
  return (status?.problems.length ?? 0) + refused + steps + silent + stores
}

function renderSidecars(sidecars: readonly SidecarStatus[]): Html {
  return html`<section class="card" id="sidecars" aria-labelledby="sidecars-title">
    <h2 id="sidecars-title">Child processes</h2>
    ${renderFacts(
      sidecars.map(({ name, phase, crashes, problem }): Fact => [
        html`<a href="/sidecars/${name}">${name}</a>`,
        `${phase}${crashes === 0 ? '' : `, ended by itself ${formatCounted(crashes, 'time', 'times')}`}${problem === null ? '' : `: ${problem}`}`,
      ]),
    )}
  </section>`
}

function renderCampaigns(campaigns: readonly CampaignState[], nowMs: number): Html {
  return html`<div class="scroll framed" role="region" aria-label="Campaigns, table" tabindex="0" id="campaigns">
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">campaign</th>
          <th scope="col">now</th>
          <th scope="col">next run</th>
          <th scope="col" class="wide">schedule, UTC</th>
          <th scope="col">last run</th>
        </tr>
      </thead>
      <tbody>
        ${campaigns.map(
          ({ campaign, schedule, nextRunAt, runningId, last }) =>
            html`<tr>
              <th scope="row">${campaign}</th>
              <td>
                ${runningId === null ? 'rests' : campaign === 'exits' ? html`<a href="/runs/current">runs</a>` : 'runs'}
              </td>
              <td>
                ${nextRunAt === null ? html`<span class="dim">none planned</span>` : `${formatMinute(nextRunAt)}, in ${formatSpan(Math.max(0, parseTime(nextRunAt) - nowMs))}`}
              </td>
              <td class="mono wide">${schedule ?? 'only when asked'}</td>
              <td>
                ${last === null ? html`<span class="dim">none yet</span>` : html`<a href="${campaign === 'exits' ? `/runs/${last.runId}` : `/satellite?run=${last.runId}`}">${formatRunTime(last.runId)}</a> <span class="sub">${ENDING_WORDS[last.outcome]}${last.message === null ? '' : `. ${last.message}`}</span>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function renderDaemon({ status, kept, published, version }: SystemPageParts): Html {
  const restart = status?.configuration.restartNeeded ?? []
  const none = html`<span class="dim">no daemon</span>`
  return html`<section class="card" aria-labelledby="daemon-title">
    <h2 id="daemon-title">What is kept and in force</h2>
    ${renderFacts([
      ['version', version],
      ['running since', status === undefined ? none : formatMinute(status.startedAt)],
      ['configuration read', status === undefined ? none : formatMinute(status.configuration.loadedAt)],
      ['waits for a restart', restart.length === 0 ? 'nothing' : restart.join(', ')],
      ...(kept === undefined ? [] : listKept(kept)),
      ...(status === undefined ? [] : [['retention last ran', formatMoment(status.archive.retainedAt)] as const]),
      ['published files', published === 0 ? 'none' : html`<a href="/files.json">${formatCount(published)}</a>`],
    ])}
  </section>`
}

function listKept({ usage, policy }: KeptState): readonly Fact[] {
  const { runs, invalidRuns, oldestRun, newestRun, runsWithRows, runsWithEvidence, runsWithFailureEvidence } = usage
  const isFull = usage.usedOctets > BUDGET_WARNING * policy.budgetOctets
  const disk = `${formatOctets(usage.usedOctets)} of ${formatOctets(policy.budgetOctets)}, ${formatShare(usage.usedOctets, policy.budgetOctets)}`
  if (oldestRun === null || newestRun === null)
    return [
      ['runs', 'none yet'],
      ['archive on the disk', disk],
    ]
  return [
    ['runs', html`<a href="/runs">${formatCount(runs)}</a>, ${formatCount(invalidRuns)} of them invalid`],
    [
      'from, to',
      html`<a href="/runs/${oldestRun}">${formatRunTime(oldestRun)}</a>,
        <a href="/runs/${newestRun}">${formatRunTime(newestRun)}</a>`,
    ],
    ['every attempt', `of ${formatCounted(runsWithEvidence, 'run', 'runs')}, kept for ${policy.evidenceDays} days`],
    [
      'attempts of exits that failed',
      `of ${formatCounted(runsWithFailureEvidence, 'run', 'runs')}, kept for ${policy.failureEvidenceDays} days`,
    ],
    ['one row per exit', `of ${formatCounted(runsWithRows, 'run', 'runs')}, kept for ${policy.rowDays} days`],
    ['archive on the disk', isFull ? html`<strong>${disk}: nearly full</strong>` : disk],
  ]
}

function renderChannels(channels: readonly ChannelOutboxStatus[] | undefined): Html {
  return html`<section class="card" aria-labelledby="channels-title">
    <h2 id="channels-title">Who is told</h2>
    ${
      channels === undefined || channels.length === 0
        ? html`<p>No channel has carried a message yet, so nobody is told when an exit fails.</p>`
        : html`<div class="scroll" role="region" aria-label="Channels, table" tabindex="0">
            <table>
              <thead>
                <tr>
                  <th scope="col">channel</th>
                  <th scope="col" class="n">wait</th>
                  <th scope="col" class="n">sent</th>
                  <th scope="col" class="n">given up</th>
                  <th scope="col">last sent</th>
                </tr>
              </thead>
              <tbody>
                ${channels.map(
                  ({ channel, waiting, sent, dead, lastError, lastSentAtMs }) =>
                    html`<tr>
                      <th scope="row">
                        ${channel}${lastError === null ? '' : html`<span class="sub">${lastError}</span>`}
                      </th>
                      <td class="n">${formatCount(waiting)}</td>
                      <td class="n">${formatCount(sent)}</td>
                      <td class="n">${formatCount(dead)}</td>
                      <td class="moment">
                        ${lastSentAtMs === null ? 'never' : formatMinute(formatIsoTime(lastSentAtMs))}
                      </td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`
}

/** Where copies of the published files go, and whether they arrived. */
function renderStores(stores: readonly StoreState[]): Html | string {
  if (stores.length === 0) return ''
  return html`<section class="card" aria-labelledby="stores-title">
    <h2 id="stores-title">Where copies go</h2>
    <div class="scroll" role="region" aria-label="Stores, table" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">store</th>
            <th scope="col">last complete</th>
            <th scope="col">what failed</th>
          </tr>
        </thead>
        <tbody>
          ${stores.map(
            ({ name, syncedAt, failure }) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td class="moment">${formatMoment(syncedAt)}</td>
                <td>${failure ?? html`<span class="dim">nothing</span>`}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

function formatMoment(isoTime: string | null): string {
  return isoTime === null ? 'not since the daemon began' : formatMinute(isoTime)
}

function renderSteps({ pendingSteps }: DaemonStatus): Html {
  return html`<section class="card" id="steps" aria-labelledby="steps-title">
    <h2 id="steps-title">Still to be done</h2>
    <p>${formatCounted(pendingSteps.length, 'step waits', 'steps wait')} after runs that ended.</p>
    <div class="scroll" role="region" aria-label="Steps, table" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">step</th>
            <th scope="col" class="n">failed</th>
            <th scope="col">why</th>
          </tr>
        </thead>
        <tbody>
          ${pendingSteps.slice(0, 50).map(
            ({ runId, step, attempts, message }) =>
              html`<tr>
                <td><a href="/runs/${runId}">${formatRunTime(runId)}</a></td>
                <td>${step}</td>
                <td class="n">${formatCount(attempts)}</td>
                <td>${message ?? 'its turn has not come'}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}
