/**
 * What is kept of alerts in a data directory: `alerts/alerts.db`, and the lock of whoever delivers.
 *
 * Invariant: of all programs on one data directory, one delivers.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from '../core/config-error.ts'
import type { AlertOutbox } from '../model/alert.ts'
import type { IncidentStore } from '../model/incident.ts'
import { openAlertDatabase } from './alert-database.node.ts'
import { createAlertOutbox } from './alert-outbox.node.ts'
import { createIncidentStore } from './incident-store.node.ts'
import { acquireRunLock } from './run-lock.node.ts'

/** The open stores. */
export interface AlertStores extends AsyncDisposable {
  readonly outbox: AlertOutbox
  readonly incidents: IncidentStore
}

/**
 * Opens the stores of a data directory, creating them when they are new.
 *
 * @param deliverer - Who delivers, for the message that others get; `null` to look only, which needs no lock.
 * @throws {BusyError} When somebody else delivers.
 * @throws {RunError} When they cannot be used.
 */
export async function openAlertStores(dataDirectory: string, deliverer: string | null): Promise<AlertStores> {
  const directory = join(dataDirectory, 'alerts')
  const lock = deliverer === null ? undefined : await acquireRunLock(directory, deliverer)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const database = await openAlertDatabase(join(directory, 'alerts.db'))
    return {
      outbox: createAlertOutbox(database),
      incidents: createIncidentStore(database),
      [Symbol.asyncDispose]: async () => {
        database.close()
        await lock?.release()
      },
    }
  } catch (cause) {
    await lock?.release()
    if (cause instanceof RunError || !(cause instanceof Error) || !('code' in cause)) throw cause
    throw new RunError(`the directory ${directory} cannot be used: ${cause.message}`, '', { cause })
  }
}
