/**
 * Remembers in a small file that this vantage reaches nobody: a restart in the middle of an outage tells nobody again.
 *
 * Invariant: the file is replaced as a whole. One that cannot be understood counts as none.
 */
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import { RunError } from '../core/config-error.ts'
import type { VantageMemory } from '../model/monitor-state.ts'

const FILE = 'vantage.json'
const OCTETS_MAX = 4_096

/** Opens the memory in a directory that exists. */
export function createVantageMemory(files: Files, directory: string): VantageMemory {
  const path = joinPath(directory, FILE)
  return {
    load: async () => {
      try {
        if ((await files.info(path)) === undefined) return null
        const kept = JSON.parse(await readText(files, path, OCTETS_MAX)) as { down_since_ms?: unknown } | null
        const sinceMs = kept?.down_since_ms
        return typeof sinceMs === 'number' ? sinceMs : null
      } catch (error) {
        if (error instanceof SyntaxError) return null
        throw toRunError(error, path)
      }
    },
    keep: async (sinceMs) => {
      try {
        await files.writeAtomic(path, `${JSON.stringify({ down_since_ms: sinceMs })}\n`, 0o600)
      } catch (error) {
        throw toRunError(error, path)
      }
    },
  }
}

function toRunError(error: unknown, path: string): unknown {
  if (!(error instanceof FileError)) return error
  return new RunError(`the memory of this vantage ${path} cannot be used: ${error.message}`, '', { cause: error })
}
