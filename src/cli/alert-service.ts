/** Puts alerts together: stores, channels, rules and the delivery worker. For the commands, and for the daemon. */
import { createChannels, type ConfiguredChannel } from '../alerts/create-channels.ts'
import { HTTP_CHANNEL_KINDS } from '../alerts/channel-kinds.ts'
import {
  createDeliveryWorker,
  type DeliveryParts,
  type DeliveryPolicy,
  type DeliveryWorker,
} from '../alerts/delivery-worker.ts'
import { smtpChannel } from '../alerts/smtp.node.ts'
import { writeOperatorReports } from '../campaigns/exits/operator-reports.ts'
import { processExitRun, type ProcessedExitRun } from '../campaigns/exits/process-exit-run.ts'
import type { AlertSettings } from '../config/alert-settings.ts'
import type { Files } from '../core/files.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { openAlertStores, type AlertStores } from '../store/alert-stores.node.ts'
import type { ExitIncidentPolicy } from '../verdicts/exit-incidents.ts'
import { DEFAULT_ALERT_RULE, TWO_IN_A_ROW_ALERT_RULE } from '../verdicts/failure-counters.ts'
import type { CliCapabilities, CliContext } from './cli-context.ts'

/** The shard of a run that was not divided. */
const WHOLE = '0/1'

/** Alerts of one data directory. */
export interface AlertService {
  readonly stores: AlertStores
  readonly channels: readonly ConfiguredChannel[]
  readonly worker: DeliveryWorker
  /**
   * Processes the report of a run: incidents, messages, reports for operators. The same run again changes nothing.
   *
   * @param isSilent - Keeps incidents and tells nobody: for reports from before alerts were switched on.
   */
  processRun(report: ExitReport, isSilent?: boolean): Promise<ProcessedExitRun>
}

type AlertCapabilities = Pick<
  CliContext,
  'clock' | 'files' | 'http' | 'environment' | 'createRandom' | 'newSeed' | 'log'
>

/**
 * Opens alerts for delivering. Only one program can at a time.
 *
 * @param purpose - Who does, for the message that others get.
 * @throws {ConfigError} When a channel cannot be set up.
 * @throws {BusyError} When another program delivers.
 * @throws {RunError} When the stores cannot be used.
 */
export async function openAlertService(
  context: AlertCapabilities,
  settings: AlertSettings,
  dataDirectory: string,
  purpose: string,
): Promise<AlertService & AsyncDisposable> {
  const stores = await openAlertStores(dataDirectory, purpose)
  try {
    const service = await createAlertService(context, settings, stores)
    return { ...service, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() }
  } catch (error) {
    await stores[Symbol.asyncDispose]()
    throw error
  }
}

/** Puts alerts together over stores that are open. @throws {ConfigError} When a channel cannot be set up. */
export async function createAlertService(
  context: AlertCapabilities,
  settings: AlertSettings,
  stores: AlertStores,
  notes?: DeliveryParts['notes'],
): Promise<AlertService> {
  const { clock, files, log } = context
  const channels = await setUpChannels(context, settings)
  const worker = createDeliveryWorker({
    ...stores,
    channels,
    notes,
    policy: toDeliveryPolicy(settings),
    clock,
    random: context.createRandom(context.newSeed()),
    log,
  })
  return {
    stores,
    channels,
    worker,
    processRun: async (report, isSilent = false) => {
      const nowMs = clock.wallNowMs()
      await reportToOperators(files, settings.operatorReports, report, stores, nowMs)
      const policy = { ...toIncidentPolicy(settings), isSilent }
      const processed = await processExitRun(report, stores, policy, nowMs)
      worker.wake()
      return processed
    },
  }
}

/** Before the run counts as processed, so that a process that is killed in between writes them again. */
async function reportToOperators(
  files: Files,
  directory: string | null,
  report: ExitReport,
  { incidents }: AlertStores,
  nowMs: number,
): Promise<void> {
  const { run_id: runId, shard } = report.metadata
  // A part of a run knows nothing of the operators in the other parts.
  if (directory === null || shard !== WHOLE || (await incidents.admit(runId, shard, nowMs)) !== 'new') return
  await writeOperatorReports(files, directory, report)
}

/** Sets the configured channels up. @throws {ConfigError} */
export function setUpChannels(
  { files, http, clock, environment }: Pick<CliCapabilities, 'files' | 'http' | 'clock' | 'environment'>,
  { channels, timeout }: AlertSettings,
): Promise<readonly ConfiguredChannel[]> {
  const kinds = [...HTTP_CHANNEL_KINDS, smtpChannel]
  return createChannels(channels, kinds, { files, http, clock, environment, timeoutMs: timeout })
}

function toIncidentPolicy({ rule, reminder }: AlertSettings): ExitIncidentPolicy {
  return { rule: rule === 'two_in_a_row' ? TWO_IN_A_ROW_ALERT_RULE : DEFAULT_ALERT_RULE, reminderMs: reminder }
}

function toDeliveryPolicy({ quietHours, digest, timeZone, timeout, giveUpAfter }: AlertSettings): DeliveryPolicy {
  const [from, to] = (quietHours ?? '').split('-')
  return {
    timeoutMs: timeout,
    giveUpAfterMs: giveUpAfter,
    quietHours:
      quietHours === null ? null : { fromMinute: toMinute(from ?? ''), toMinute: toMinute(to ?? ''), timeZone },
    digest: digest === null ? null : { minute: toMinute(digest), timeZone },
  }
}

/** `hh:mm`, which the settings have checked. */
function toMinute(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
}
