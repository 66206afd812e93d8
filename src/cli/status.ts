/** `candor status`: how a daemon is, on one screen. */
import type { Command } from 'commander'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS } from '../config/general-settings.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'
import { findDaemon, readAnswer, type DaemonClient } from './daemon-client.ts'
import { STATUS_INCOMPLETE } from './exit-status.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'
import { formatDuration } from './progress.ts'

const FLAGS = [{ ...GENERAL_SETTING_GROUP, settings: [GENERAL_SETTINGS.dataDir] }]

const OCTETS_PER_MIB = 1_048_576

/** What the API says, as far as it is shown. */
interface DaemonFacts {
  readonly version: string
  readonly started_at: string
  readonly configuration: {
    readonly loaded_at: string
    readonly refused: { readonly place: string; readonly message: string; readonly hint: string } | null
    readonly restart_needed: readonly string[]
  }
  readonly pending_steps: readonly {
    readonly run_id: string
    readonly step: string
    readonly attempts: number
    readonly message: string | null
  }[]
  readonly stores: readonly {
    readonly name: string
    readonly synced_at: string | null
    readonly failure: string | null
  }[]
  readonly archive: {
    readonly used_octets: number
    readonly budget_octets: number
    readonly retained_at: string | null
  }
  readonly problems: readonly string[]
}

interface CampaignFacts {
  readonly schedule: string | null
  readonly next_run_at: string | null
  readonly running_id: string | null
  readonly last: { readonly run_id: string; readonly outcome: string; readonly message: string | null } | null
}

interface RunFacts {
  readonly message: string
  readonly candidates: number
  readonly finished: number
  readonly relays_per_second: number
  readonly seconds_left: number | null
}

interface MonitorFacts {
  readonly names: number
  readonly standings: Readonly<Record<string, number>>
  readonly last_round_at: string | null
  readonly vantage_down_since: string | null
}

/** All of it. */
interface StatusFacts {
  readonly daemon: DaemonFacts
  readonly exits: CampaignFacts
  readonly run: RunFacts
  /** `null` while no name is watched. */
  readonly monitor: MonitorFacts | null
}

/** Adds `candor status`. */
export function registerStatus(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description('how the daemon of a data directory is; status 3 where something is wrong')
    .option('--json', 'as JSON, for programs')
  addSettingOptions(command, FLAGS)
  command.action(async ({ json }: { readonly json?: boolean }) => {
    const facts = await readFacts(await openDaemon(command, context))
    await context.stdout.write(json === true ? `${JSON.stringify(facts)}\n` : formatFacts(facts))
    const { problems, configuration, pending_steps: steps } = facts.daemon
    const isWell = problems.length === 0 && configuration.refused === null && steps.every((step) => step.attempts === 0)
    if (!isWell) context.finish(STATUS_INCOMPLETE)
  })
}

/** @throws {ConfigError} Without a data directory. @throws {RunError} Without a daemon. */
async function openDaemon(command: Command, context: CliContext): Promise<DaemonClient> {
  const loaded = await loadSettings(command, context, [GENERAL_SETTING_GROUP])
  const dataDir = loaded.get('')?.get('data-dir')?.value
  if (typeof dataDir !== 'string')
    throw new ConfigError('--data-dir', 'it says which daemon is meant', 'candor status --data-dir DIRECTORY')
  const client = await findDaemon(context.files, dataDir)
  if (client !== undefined) return client
  throw new RunError(`no daemon answers in ${dataDir}`, `candor serve --data-dir ${dataDir} starts one`)
}

async function readFacts(client: DaemonClient): Promise<StatusFacts> {
  const [daemon, exits, run, monitors] = await Promise.all(
    ['/api/v1/daemon', '/api/v1/campaigns/exits', '/api/v1/runs/current', '/api/v1/monitors?limit=1'].map(
      async (path) => readAnswer(await client.get(path)),
    ),
  )
  const { summary } = monitors as { readonly summary: MonitorFacts }
  return {
    daemon: daemon as DaemonFacts,
    exits: exits as CampaignFacts,
    run: run as RunFacts,
    monitor: summary.names === 0 ? null : summary,
  }
}

function formatFacts({ daemon, exits, run, monitor }: StatusFacts): string {
  const { configuration } = daemon
  const steps = daemon.pending_steps.map(({ run_id: runId, step, attempts, message }) => {
    const trouble = message === null ? 'waits' : `failed ${attempts} times: ${message}`
    return line('to do', `${step} of run ${runId} ${trouble}`)
  })
  return [
    line('daemon', `${daemon.version}, since ${daemon.started_at}`),
    line('configuration', `read ${configuration.loaded_at}`),
    ...(configuration.refused === null ? [] : formatRefused(configuration.refused)),
    ...(configuration.restart_needed.length === 0
      ? []
      : [line('', `waits for a restart: ${configuration.restart_needed.join(', ')}`)]),
    line('next run', exits.next_run_at === null ? 'when asked for' : `${exits.next_run_at} (${exits.schedule ?? ''})`),
    line('running', exits.running_id === null ? 'nothing' : `${exits.running_id}: ${formatRun(run)}`),
    line('last run', exits.last === null ? 'none' : formatLast(exits.last)),
    ...(monitor === null ? [] : [line('monitor', formatMonitor(monitor))]),
    line('archive', formatArchive(daemon.archive)),
    ...daemon.stores.map(({ name, synced_at: syncedAt, failure }) =>
      line(
        'store',
        `${name}: ${failure ?? (syncedAt === null ? 'not synced since the start' : `complete ${syncedAt}`)}`,
      ),
    ),
    ...steps,
    ...daemon.problems.map((problem) => line('problem', problem)),
    '',
  ].join('\n')
}

function formatMonitor({
  names,
  standings,
  last_round_at: lastRoundAt,
  vantage_down_since: downSince,
}: MonitorFacts): string {
  const parts = Object.entries(standings).flatMap(([standing, count]) => (count === 0 ? [] : [`${count} ${standing}`]))
  const down = downSince === null ? '' : `; nobody is reached since ${downSince}`
  return `${names} names: ${parts.join(', ')}; last round ${lastRoundAt ?? 'not yet'}${down}`
}

function formatArchive({ used_octets: used, budget_octets: budget }: DaemonFacts['archive']): string {
  const percent = ((100 * used) / Math.max(1, budget)).toFixed(1)
  return `${(used / OCTETS_PER_MIB).toFixed(1)} of ${(budget / OCTETS_PER_MIB).toFixed(0)} MiB (${percent} %)`
}

function line(name: string, text: string): string {
  return `${name.padEnd(14)} ${text}`
}

function formatRefused(refused: NonNullable<DaemonFacts['configuration']['refused']>): readonly string[] {
  return [
    line('problem', `the newest configuration is not in force: ${refused.place}: ${refused.message}`),
    line('', `right would be: ${refused.hint}`),
  ]
}

function formatRun({ message, candidates, finished, relays_per_second: rate, seconds_left: left }: RunFacts): string {
  if (candidates === 0) return message
  const time = left === null ? '' : `, ${formatDuration(left)} left`
  return `${finished} of ${candidates} relays, ${rate.toFixed(1)}/s${time}`
}

function formatLast({ run_id: runId, outcome, message }: NonNullable<CampaignFacts['last']>): string {
  return `${runId} ${outcome}${message === null ? '' : `: ${message}`}`
}
