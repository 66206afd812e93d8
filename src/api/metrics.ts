/**
 * Metrics for Prometheus.
 *
 * Invariant: every label has a closed list of values, or those of the configuration.
 *
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4),
 * https://prometheus.io/docs/practices/naming/
 */
import { parseTime, type Clock } from '../core/clock.ts'
import type { DaemonControl, StoreState } from '../model/daemon-control.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import type { Machine } from '../model/machine.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { DomainSource } from '../model/domain-view.ts'
import type { MonitorSource } from '../model/monitor-view.ts'
import type { PublishedSource } from '../model/published-source.ts'
import type { RunViewSource } from '../model/run-view.ts'
import type { OutboxSource } from './alerts-resource.ts'
import type { EventStreams } from './event-stream.ts'
import type { IncidentSource } from './incidents-resource.ts'
import { checkReadiness } from './readiness.ts'
import type { RequestCounter } from './request-counter.ts'
import { EXIT_STATUSES, isRunning, summarizeRun } from './run-summary.ts'

/** What is measured; what is absent has no metrics. */
export interface MetricsSources {
  readonly runs: RunViewSource
  readonly published: PublishedSource
  readonly events: EventStreams
  readonly requests: RequestCounter
  readonly clock: Clock
  readonly version: string
  readonly archive?: ExitArchive | undefined
  readonly control?: DaemonControl | undefined
  readonly incidents?: IncidentSource | undefined
  readonly outbox?: OutboxSource | undefined
  readonly machine?: Machine | undefined
  readonly monitor?: MonitorSource | undefined
  readonly domains?: Pick<DomainSource, 'metrics'> | undefined
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [Labels, number | null]

/** Makes the text of one scrape. */
export async function formatMetrics(sources: MetricsSources): Promise<string> {
  const parts = [
    metric('candor_build_info', 'gauge', 'The version that runs.', [[{ version: sources.version }, 1]]),
    ...(await describeRuns(sources)),
    ...describeDaemon(sources),
    ...(await describeAlerts(sources)),
    ...describeMonitor(sources),
    sources.domains?.metrics() ?? '',
    ...(await describePublication(sources)),
    ...describeServer(sources),
  ]
  for (const { name, ok } of await checkReadiness(sources)) {
    parts.push(
      metric(`candor_ready_${name}`, 'gauge', `Whether the check ${name} of /readyz is right.`, [[{}, Number(ok)]]),
    )
  }
  return parts.join('')
}

async function describeRuns({ runs, archive, clock }: MetricsSources): Promise<readonly string[]> {
  const view = runs.view()
  const summary = summarizeRun(view)
  const live = [
    metric('candor_exits_live', 'gauge', 'Whether a run over exits goes on.', [
      [{}, Number(isRunning(view) && view.runId !== null)],
    ]),
    metric(
      'candor_exits_live_relays',
      'gauge',
      'Relays that are finished in the run at hand, by status.',
      EXIT_STATUSES.map((status) => [{ status }, summary.counts[status]] as const),
    ),
    metric('candor_exits_live_candidates', 'gauge', 'Relays to be tested in the run at hand.', [
      [{}, summary.candidates],
    ]),
  ]
  const metadata = (await archive?.latest())?.metadata ?? (archive === undefined ? view.metadata : null)
  return metadata === null ? live : [...live, ...describeLatest(metadata, clock)]
}

function describeLatest(metadata: ExitMetadata, clock: Clock): readonly string[] {
  const finishedAtMs = parseTime(metadata.finished_at)
  const gauge = (name: string, help: string, value: number | null): string => metric(name, 'gauge', help, [[{}, value]])
  return [
    metric(
      'candor_exits_relays',
      'gauge',
      'Relays of the newest valid run, by status.',
      EXIT_STATUSES.map((status) => [{ status }, metadata[status]] as const),
    ),
    gauge('candor_exits_candidates', 'Relays to be tested in the newest valid run.', metadata.candidates),
    gauge('candor_exits_dns_tested', 'Relays with a verdict about DNS.', metadata.dns_tested),
    gauge('candor_exits_run_finished_timestamp_seconds', 'When the newest valid run ended.', finishedAtMs / 1000),
    gauge(
      'candor_exits_run_age_seconds',
      'Time since the newest valid run ended.',
      Math.max(0, (clock.wallNowMs() - finishedAtMs) / 1000),
    ),
    gauge('candor_exits_run_duration_seconds', 'How long it took.', metadata.duration_ms / 1000),
    gauge('candor_exits_run_queries', 'Questions that it asked.', metadata.queries),
    gauge('candor_exits_run_circuits_built', 'Circuits that it built.', metadata.circuits_built),
    gauge('candor_exits_run_circuits_failed', 'Circuits that failed.', metadata.circuits_failed),
    gauge(
      'candor_exits_run_answer_p95_seconds',
      'The 95th percentile of its times to an answer.',
      metadata.timing.p95 === null ? null : metadata.timing.p95 / 1000,
    ),
  ]
}

function describeDaemon({ control }: MetricsSources): readonly string[] {
  if (control === undefined) return []
  const campaigns = control.campaigns()
  const { pendingSteps, stores, archive, problems, startedAt, configuration } = control.status()
  const steps = Map.groupBy(pendingSteps, ({ step }) => step)
  return [
    metric(
      'candor_campaign_running',
      'gauge',
      'Whether a run of the campaign goes on.',
      campaigns.map(({ campaign, runningId }) => [{ campaign }, Number(runningId !== null)] as const),
    ),
    metric(
      'candor_campaign_next_run_timestamp_seconds',
      'gauge',
      'When the next run is planned.',
      campaigns.map(({ campaign, nextRunAt }) => [
        { campaign },
        nextRunAt === null ? null : parseTime(nextRunAt) / 1000,
      ]),
    ),
    metric(
      'candor_campaign_last_run_outcome',
      'gauge',
      'How the last run ended.',
      campaigns.flatMap(({ campaign, last }) =>
        last === null ? [] : [[{ campaign, outcome: last.outcome }, 1] as const],
      ),
    ),
    metric(
      'candor_daemon_pending_steps',
      'gauge',
      'Runs for which a step is still to be done.',
      [...steps].map(([step, pending]) => [{ step }, pending.length] as const),
    ),
    metric('candor_daemon_problems', 'gauge', 'What is wrong just now; /api/v1/daemon says it in words.', [
      [{}, problems.length],
    ]),
    metric('candor_daemon_configuration_refused', 'gauge', 'Whether the newest configuration is not in force.', [
      [{}, Number(configuration.refused !== null)],
    ]),
    metric('candor_archive_octets', 'gauge', 'What the archive takes on the disk.', [[{}, archive.usedOctets]]),
    metric('candor_archive_budget_octets', 'gauge', 'What it may take.', [[{}, archive.budgetOctets]]),
    metric(
      'candor_store_complete',
      'gauge',
      'Whether an object store had everything after the newest sync.',
      stores.filter(isKnown).map(({ name, failure }) => [{ store: name }, Number(failure === null)] as const),
    ),
    metric('process_start_time_seconds', 'gauge', 'When the process began.', [[{}, parseTime(startedAt) / 1000]]),
  ]
}

/** Whether there was a sync since the daemon began. */
function isKnown({ syncedAt, failure }: StoreState): boolean {
  return syncedAt !== null || failure !== null
}

async function describeAlerts({ incidents, outbox, clock, monitor }: MetricsSources): Promise<readonly string[]> {
  const parts: string[] = []
  if (incidents !== undefined) {
    const open = await incidents.list({ status: 'open', limit: 10_000 })
    parts.push(
      metric('candor_incidents_open', 'gauge', 'Incidents that are open.', [
        [{ campaign: 'exits' }, open.length],
        ...(monitor === undefined
          ? []
          : [[{ campaign: 'monitor' }, (await monitor.incidents({ status: 'open', limit: 10_000 })).length] as const]),
      ]),
    )
  }
  if (outbox !== undefined) {
    const channels = await outbox.status()
    const states = ['waiting', 'sent', 'dead'] as const
    parts.push(
      metric(
        'candor_alerts_deliveries',
        'gauge',
        'Deliveries in the outbox, by state.',
        channels.flatMap((one) => states.map((state) => [{ channel: one.channel, state }, one[state]] as const)),
      ),
      metric(
        'candor_alerts_oldest_waiting_seconds',
        'gauge',
        'How long the oldest delivery has been waiting.',
        channels.map(({ channel, oldestWaitingAtMs: at }) => [
          { channel },
          at === null ? 0 : Math.max(0, (clock.wallNowMs() - at) / 1000),
        ]),
      ),
    )
  }
  return parts
}

function describeMonitor({ monitor, clock }: MetricsSources): readonly string[] {
  const summary = monitor?.summary()
  if (summary === undefined || summary.names === 0) return []
  const { standings, lastRoundMs, downSinceMs, rounds, usedOctets } = summary
  const ageSeconds = lastRoundMs === null ? null : Math.max(0, (clock.wallNowMs() - lastRoundMs) / 1000)
  return [
    metric(
      'candor_monitor_names',
      'gauge',
      'Names and types that are watched, by how they stand.',
      Object.entries(standings).map(([standing, count]) => [{ standing }, count] as const),
    ),
    metric('candor_monitor_rounds_total', 'counter', 'Rounds that were judged.', [[{}, rounds]]),
    metric('candor_monitor_round_age_seconds', 'gauge', 'Time since the last round.', [[{}, ageSeconds]]),
    metric('candor_monitor_vantage_down', 'gauge', 'Whether this vantage reaches nobody.', [
      [{}, Number(downSinceMs !== null)],
    ]),
    metric('candor_monitor_octets', 'gauge', 'What the monitor takes on the disk.', [[{}, usedOctets]]),
  ]
}

async function describePublication({ published }: MetricsSources): Promise<readonly string[]> {
  const names = await published.names()
  const reports = names.filter((name) => parsePublishedName(name)?.form === 'data')
  return [
    metric('candor_published_reports', 'gauge', 'Reports that are published, at most 1,000 are counted.', [
      [{}, reports.length],
    ]),
  ]
}

function describeServer({ requests, events, machine }: MetricsSources): readonly string[] {
  const parts = [
    metric(
      'candor_http_requests_total',
      'counter',
      'Requests that were answered, by part of the site and class of status.',
      requests.list().map(({ door, statusClass, count }) => [{ door, class: statusClass }, count] as const),
    ),
    metric('candor_event_streams', 'gauge', 'Event streams that are open.', [[{}, events.count()]]),
  ]
  if (machine === undefined) return parts
  return [
    ...parts,
    metric('process_resident_memory_bytes', 'gauge', 'Memory of the process.', [[{}, machine.residentOctets()]]),
  ]
}

/** One metric; values that are not known have no line. */
function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.flatMap(([labels, value]) => {
    if (value === null || Number.isNaN(value)) return []
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    return [`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`]
  })
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
