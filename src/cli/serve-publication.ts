/** Publication of a daemon: stores that follow the directory, and retention of what lies in it. */
import type { PublishSettings } from '../config/publish-settings.ts'
import { toStores } from '../config/to-stores.ts'
import { formatIsoTime } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { StoreState } from '../model/daemon-control.ts'
import { runRetention } from '../publish/run-retention.ts'
import { syncStores } from '../publish/sync-stores.ts'
import { tarCodec } from '../publish/tar-codec.node.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import type { CliContext } from './cli-context.ts'
import { openStores } from './open-stores.ts'
import type { ServeConfig } from './serve-config.ts'
import type { ServeDirectories } from './serve-exits.ts'

/** What is done about published files, with the settings that are in force at that moment. */
export interface ServedPublication {
  /** The stores that are configured, and how they are. */
  states(): readonly StoreState[]
  /**
   * Brings every store to where the directory is; nothing without stores.
   *
   * @throws {RunError} When a store could not be reached, or another program publishes.
   */
  sync(signal: AbortSignal): Promise<void>
  /**
   * Compresses, archives and deletes by age; the stores follow.
   *
   * @throws {RunError} When something is left to be done.
   * @throws {FileError} When the disk fails.
   */
  retain(signal: AbortSignal): Promise<void>
}

/** Makes the publication of a daemon. */
export function createServedPublication(
  context: CliContext,
  { dataDir, analysisDir }: ServeDirectories,
  config: () => ServeConfig,
): ServedPublication {
  const { files, clock, log } = context
  const states = new Map<string, StoreState>()
  const note = (name: string, failure: string | null): void => {
    const syncedAt = failure === null ? formatIsoTime(clock.wallNowMs()) : (states.get(name)?.syncedAt ?? null)
    states.set(name, { name, syncedAt, failure })
  }
  const directoryOf = ({ directory }: PublishSettings): string => directory ?? analysisDir
  const sync = async (signal: AbortSignal): Promise<void> => {
    const { publish } = config()
    const stores = await openStores({ ...context, interrupted: signal }, publish)
    if (stores.length === 0) return
    await using lock = await acquireRunLock(joinPath(dataDir, 'publish'), 'candor serve')
    void lock
    const { concurrency, deleteAfterDays } = publish
    const outcomes = await syncStores(
      { files, clock, signal },
      stores,
      { directory: directoryOf(publish), stateDirectory: dataDir },
      { concurrency, deleteAfterDays, dryRun: false },
    )
    for (const { store, uploaded, removed, failure } of outcomes) {
      note(store, failure)
      log[failure === null ? 'info' : 'warn']('daemon.store.synced', {
        store,
        uploaded,
        removed,
        failure,
      })
    }
    const failed = outcomes.filter(({ failure }) => failure !== null)
    if (failed.length > 0) throw new RunError(failed.map(({ store, failure }) => `${store}: ${failure}`).join('; '))
  }
  return {
    sync,
    states: () =>
      toStores(config().publish.stores).map(({ name }) => states.get(name) ?? { name, syncedAt: null, failure: null }),
    retain: async (signal) => {
      const { publish } = config()
      const wallNowMs = clock.wallNowMs()
      const dependencies = { files, codec: tarCodec, wallNowMs, signal }
      const { done, problems } = await runRetention(dependencies, directoryOf(publish), publish)
      log.info('daemon.retention.published', { steps: done.length, problems })
      await sync(signal)
      if (problems.length > 0) throw new RunError(problems.join(' '))
    },
  }
}
