/** The group `candor alerts`: who is told, what waits, and what could not be delivered. */
import type { Command } from 'commander'
import { ALERT_SETTING_GROUP, ALERT_SETTINGS, type AlertSettings } from '../config/alert-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { collectSettings } from '../config/load-config.ts'
import { formatIsoTime } from '../core/clock.ts'
import { BusyError, ConfigError } from '../core/config-error.ts'
import { readExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { writeOperatorReports } from '../campaigns/exits/operator-reports.ts'
import type { ChannelOutboxStatus, DeliveryState } from '../model/alert.ts'
import { openAlertStores } from '../store/alert-stores.node.ts'
import { openAlertService, type AlertService } from './alert-service.ts'
import { registerAlertsTest } from './alerts-test.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE } from './exit-status.ts'
import { formatRecords, type OutputRecord } from './format-records.ts'
import { addSettingOptions, loadSettings } from './load-settings.ts'

const GROUPS = [GENERAL_SETTING_GROUP, ALERT_SETTING_GROUP]
const LIST_MAX = 1_000

/** Adds `candor alerts` with its commands. */
export function registerAlerts(program: Command, context: CliContext): void {
  const alerts = program
    .command('alerts')
    .description('who is told about incidents, what waits, what was not delivered')
  registerAlertsTest(alerts, context, (command) => readAlertSettings(command, context))
  registerList(alerts, context)
  registerProcess(alerts, context)
  registerRetry(alerts, context)
  registerIncidents(alerts, context)
  registerReports(alerts, context)
}

/** What the file, the environment and the flags say about alerts. */
export interface LoadedAlerts {
  readonly alerts: AlertSettings
  readonly general: GeneralSettings
}

async function readAlertSettings(command: Command, context: CliContext): Promise<LoadedAlerts> {
  const loaded = await loadSettings(command, context, GROUPS)
  return {
    alerts: collectSettings<AlertSettings>(ALERT_SETTINGS, loaded.get('alerts') ?? new Map()),
    general: collectSettings<GeneralSettings>(GENERAL_SETTINGS, loaded.get('') ?? new Map()),
  }
}

function dataDirectory({ dataDir }: GeneralSettings): string {
  if (dataDir !== null) return dataDir
  throw new ConfigError('data-dir', 'what waits and what is open is kept there', '--data-dir /var/lib/candor')
}

function registerList(alerts: Command, context: CliContext): void {
  const list = alerts
    .command('list')
    .description('the channels with what waits and what was not delivered; or single deliveries')
    .option('--waiting', 'list deliveries that wait')
    .option('--dead', 'list deliveries that were given up, with the reason')
  addSettingOptions(list, GROUPS)
  list.action(async (given: { readonly waiting?: boolean; readonly dead?: boolean }) => {
    const { alerts: settings, general } = await readAlertSettings(list, context)
    await using stores = await openAlertStores(dataDirectory(general), null)
    const states: readonly DeliveryState[] = [
      ...(given.waiting === true ? (['waiting', 'sending'] as const) : []),
      ...(given.dead === true ? (['dead'] as const) : []),
    ]
    const records =
      states.length === 0
        ? describeChannels(settings, await stores.outbox.status(), context.clock.wallNowMs())
        : (await stores.outbox.list(states, LIST_MAX)).map((delivery) => ({
            channel: delivery.channel,
            recipient: delivery.recipient,
            state: delivery.state,
            attempts: delivery.attempts,
            created_at: toTime(delivery.createdAtMs),
            message: delivery.messageId,
            title: delivery.title,
            error: delivery.error,
          }))
    await context.stdout.write(formatRecords(records, context.stdout.isTerminal))
  })
}

/** Configured channels first; then those that are configured no more and still have something. */
function describeChannels(
  { channels }: AlertSettings,
  statuses: readonly ChannelOutboxStatus[],
  nowMs: number,
): readonly OutputRecord[] {
  const names = [...new Set([...channels.map(({ name }) => name), ...statuses.map(({ channel }) => channel)])]
  return names.map((name) => {
    const settings = channels.find((channel) => channel.name === name)
    const status = statuses.find(({ channel }) => channel === name)
    const oldest = status?.oldestWaitingAtMs ?? null
    return {
      channel: name,
      kind: settings?.kind ?? 'not configured',
      enabled: settings?.enabled ?? false,
      waiting: status?.waiting ?? 0,
      oldest_waiting_seconds: oldest === null ? null : Math.round((nowMs - oldest) / 1000),
      dead: status?.dead ?? 0,
      sent: status?.sent ?? 0,
      last_sent_at: toTime(status?.lastSentAtMs ?? null),
      last_error: status?.lastError ?? null,
      last_error_at: toTime(status?.lastErrorAtMs ?? null),
    }
  })
}

function registerProcess(alerts: Command, context: CliContext): void {
  const process = alerts
    .command('process')
    .argument('[reports...]', 'reports of runs, dnshealth_*.json, in the order of the runs')
    .option('--history', 'the reports are from before alerts were switched on: keep incidents, and tell nobody')
    .description('turn reports into incidents, and deliver what waits; for cron, where no daemon does it')
  addSettingOptions(process, GROUPS)
  process.action(async (reports: readonly string[], { history }: { readonly history?: boolean }) => {
    const { alerts: settings, general } = await readAlertSettings(process, context)
    await using service = await openAlertService(context, settings, dataDirectory(general), 'candor alerts process')
    for (const path of reports) {
      const { report, warnings } = await readExitReport(context.files, path)
      for (const warning of warnings) await context.say(`warning: ${path}: ${warning}`)
      const { outcome, opened, reminded, recovered, messages } = await service.processRun(report, history === true)
      const record = { run: report.metadata.run_id, outcome, new: opened, ongoing: reminded, recovered, messages }
      await context.stdout.write(formatRecords([record], context.stdout.isTerminal))
    }
    await drain(service, context)
  })
}

/** Delivers what is due. What a channel does not take now waits for the next time: status 3. */
async function drain(service: AlertService, context: CliContext): Promise<void> {
  await service.worker.drain(context.interrupted)
  const left = (await service.stores.outbox.status()).filter(({ waiting }) => waiting > 0)
  for (const { channel, waiting, lastError } of left) {
    const because = lastError === null ? '' : ` (${lastError})`
    await context.say(`${channel}: ${waiting} not delivered yet${because}`)
  }
  if (left.length > 0) context.finish(STATUS_INCOMPLETE)
}

function registerRetry(alerts: Command, context: CliContext): void {
  const retry = alerts
    .command('retry')
    .argument('[channel]', 'only what died on this channel')
    .description('put deliveries that were given up back, and deliver')
  addSettingOptions(retry, GROUPS)
  retry.action(async (channel: string | undefined) => {
    const { alerts: settings, general } = await readAlertSettings(retry, context)
    const directory = dataDirectory(general)
    {
      await using stores = await openAlertStores(directory, null)
      const revived = await stores.outbox.revive(channel ?? null, context.clock.wallNowMs())
      await context.say(`${revived} put back`)
    }
    try {
      await using service = await openAlertService(context, settings, directory, 'candor alerts retry')
      await drain(service, context)
    } catch (error) {
      if (!(error instanceof BusyError)) throw error
      await context.say('another program delivers them: a daemon looks every second')
    }
  })
}

function registerIncidents(alerts: Command, context: CliContext): void {
  const incidents = alerts
    .command('incidents')
    .description('incidents, newest first')
    .option('--open', 'only those that last')
  addSettingOptions(incidents, GROUPS)
  incidents.action(async ({ open }: { readonly open?: boolean }) => {
    const { general } = await readAlertSettings(incidents, context)
    await using stores = await openAlertStores(dataDirectory(general), null)
    const found = await stores.incidents.list({ ...(open === true ? { status: 'open' } : {}), limit: LIST_MAX })
    const records = found.map((incident) => ({
      id: incident.id,
      status: incident.status,
      severity: incident.severity,
      nickname: incident.nickname,
      operator: incident.operator,
      failure_type: incident.failureType,
      consecutive_count: incident.consecutiveCount,
      first_seen: incident.firstSeen,
      last_seen: incident.lastSeen,
      closed_at: incident.closedAt,
    }))
    await context.stdout.write(formatRecords(records, context.stdout.isTerminal))
  })
}

function registerReports(alerts: Command, context: CliContext): void {
  alerts
    .command('reports')
    .description('write one report for each operator who has failing relays, as a Markdown file')
    .requiredOption('--input <file>', 'the report of a run, dnshealth_*.json')
    .requiredOption(
      '--output <directory>',
      'where the files go; those of operators whose relays work again are removed',
    )
    .action(async ({ input, output }: { readonly input: string; readonly output: string }) => {
      const { report } = await readExitReport(context.files, input)
      await context.say(`${await writeOperatorReports(context.files, output, report)} operators with failing relays`)
    })
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : formatIsoTime(ms)
}
