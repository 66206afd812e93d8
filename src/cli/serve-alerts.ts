/**
 * Alerts of a daemon: incidents of each run, and deliveries all the time.
 *
 * Invariant: a change of the settings loses no message: the worker before has ended when the next one begins, and both
 * take from the same outbox.
 */
import type { DeliveryParts } from '../alerts/delivery-worker.ts'
import type { AlertSettings } from '../config/alert-settings.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { openAlertStores, type AlertStores } from '../store/alert-stores.node.ts'
import { createAlertService, type AlertService } from './alert-service.ts'
import type { CliContext } from './cli-context.ts'

/** Alerts while a daemon runs. */
export interface ServedAlerts extends AsyncDisposable {
  readonly stores: AlertStores
  /** From the report of a run to incidents and messages. The same run again changes nothing. */
  processRun(report: ExitReport): Promise<void>
  /** Delivers as other settings say from now on. @throws {ConfigError} When a channel cannot be set up. */
  follow(settings: AlertSettings): Promise<void>
  /** Says what else the daily digest has. */
  addNotes(notes: NonNullable<DeliveryParts['notes']>): void
  /** Delivers no more; an attempt in flight has three seconds. */
  stop(): Promise<void>
}

/** Deliveries that go on. */
interface Delivery {
  readonly service: AlertService
  stop(): Promise<void>
}

/**
 * Opens the alerts of a data directory and begins to deliver.
 *
 * @throws {ConfigError} When a channel cannot be set up.
 * @throws {BusyError} When another program delivers.
 */
export async function openServedAlerts(
  context: CliContext,
  settings: AlertSettings,
  dataDir: string,
): Promise<ServedAlerts> {
  const stores = await openAlertStores(dataDir, 'candor serve')
  const begin = (service: AlertService): Delivery => {
    const controller = new AbortController()
    const ended = service.worker.run(controller.signal).catch((error: unknown) => {
      context.log.error('daemon.alerts.failed', { error: error instanceof Error ? error.message : String(error) })
    })
    return {
      service,
      stop: async () => {
        controller.abort()
        await ended
      },
    }
  }
  let notes: DeliveryParts['notes']
  const create = (next: AlertSettings): Promise<AlertService> =>
    createAlertService(context, next, stores, (sinceMs) => notes?.(sinceMs) ?? [])
  let delivery: Delivery
  try {
    delivery = begin(await create(settings))
  } catch (error) {
    await stores[Symbol.asyncDispose]()
    throw error
  }
  return {
    stores,
    processRun: async (report) => {
      const { outcome, opened, recovered, messages } = await delivery.service.processRun(report)
      context.log.info('daemon.incidents.judged', {
        run_id: report.metadata.run_id,
        outcome,
        opened,
        recovered,
        messages,
      })
    },
    follow: async (next) => {
      const service = await create(next)
      await delivery.stop()
      delivery = begin(service)
    },
    addNotes: (source) => {
      notes = source
    },
    stop: () => delivery.stop(),
    [Symbol.asyncDispose]: async () => {
      await delivery.stop()
      await stores[Symbol.asyncDispose]()
    },
  }
}
