/** What SmartDNS answered becomes elements of the run-time sets: a file that `candor domains apply-sets --watch` loads. */
import { formatRuntimeSets, type NftSets } from '../campaigns/domains/format-nft-sets.ts'
import { RUNTIME_FILE } from '../campaigns/domains/load-nft-sets.ts'
import { createRuntimeAddresses, type RuntimeAddresses } from '../campaigns/domains/runtime-sets.ts'
import { joinPath } from '../core/files.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'
import type { CliContext } from './cli-context.ts'

/** Written at most so often, however many answers there are. */
const PAUSE_MS = 1_000

/** The file while a daemon runs. */
export interface ServedRuntimeSets {
  /** Takes answers; the file follows within a second. @throws {FileError} When it cannot be written. */
  observe(observations: readonly RuntimeObservation[]): Promise<void>
}

/** Where sets are written. */
export function setsDirectory(dataDir: string): string {
  return joinPath(dataDir, 'domains/sets')
}

/** Keeps the file. `wildcards` gives the names whose answers count. */
export function createServedRuntimeSets(
  { clock, files, log }: CliContext,
  dataDir: string,
  sets: () => NftSets,
  wildcards: () => ReadonlySet<string>,
): ServedRuntimeSets {
  const addresses: RuntimeAddresses = createRuntimeAddresses((name) => isBelow(name, wildcards()))
  const directory = setsDirectory(dataDir)
  let writtenAtMs = Number.NEGATIVE_INFINITY
  let isOwed = false
  const write = async (): Promise<void> => {
    writtenAtMs = clock.nowMs()
    isOwed = false
    const text = formatRuntimeSets(sets(), addresses.elements(clock.wallNowMs()))
    await files.makeDirectory(directory, 0o755)
    await files.writeAtomic(joinPath(directory, RUNTIME_FILE), text, 0o644)
  }
  return {
    observe: async (observations) => {
      if (!addresses.observe(observations) || isOwed) return
      const waitMs = writtenAtMs + PAUSE_MS - clock.nowMs()
      if (waitMs <= 0) {
        await write()
        return
      }
      isOwed = true
      clock.setTimer(waitMs, () => {
        // What could not be written is written with the next answer.
        write().catch((error: unknown) => {
          log.warn('daemon.sets.failed', { error: error instanceof Error ? error.message : String(error) })
        })
      })
    },
  }
}

/** Whether a name is one of the wildcards or below one. */
function isBelow(name: string, wildcards: ReadonlySet<string>): boolean {
  for (let rest = name; rest !== '';) {
    if (wildcards.has(rest)) return true
    const dot = rest.indexOf('.')
    if (dot < 0) return false
    rest = rest.slice(dot + 1)
  }
  return false
}
