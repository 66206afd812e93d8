/**
 * Publication to all stores, side by side: none waits for another, and one that is down keeps no other from its files.
 */
import { joinPath } from '../core/files.ts'
import type { ObjectStore } from './object-store.ts'
import { readPublicSnapshot } from './public-snapshot.ts'
import { openSyncMemory } from './sync-memory.ts'
import { syncStore, type SyncDependencies, type SyncOptions, type SyncOutcome } from './sync-store.ts'

const STATE_MODE = 0o700

/** Where a sync reads and remembers. */
export interface SyncPlaces {
  /** The directory of publication. */
  readonly directory: string
  /** The state directory; what syncs remember lies in `publish` below it. */
  readonly stateDirectory: string
}

/**
 * Brings every store to where the directory is. One sync at a time: the caller holds the lock of `publish` below the state
 * directory.
 *
 * @returns One outcome for each store, in their order.
 * @throws {FileError} When the directory cannot be read or the memory not be written.
 */
export async function syncStores(
  dependencies: SyncDependencies,
  stores: readonly ObjectStore[],
  { directory, stateDirectory }: SyncPlaces,
  options: SyncOptions,
): Promise<readonly SyncOutcome[]> {
  const { files } = dependencies
  const memoryDirectory = joinPath(stateDirectory, 'publish')
  await files.makeDirectory(memoryDirectory, STATE_MODE)
  const snapshot = await readPublicSnapshot(files, directory)
  return Promise.all(
    stores.map(async (store) => {
      const memory = await openSyncMemory(files, memoryDirectory, store.name)
      return syncStore(dependencies, store, memory, snapshot, options)
    }),
  )
}
