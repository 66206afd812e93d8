/**
 * In which order the relays of a run were finished, read back from its journal: for readers of events who were there when
 * another process made the run.
 *
 * Invariant: one journal is read at a time, however many readers come back at once.
 */
import { journalFileName, readPriorRun } from '../campaigns/exits/exits-journal.ts'
import { RunError } from '../core/config-error.ts'
import { FileError, joinPath, type Files } from '../core/files.ts'
import { readJournal } from '../store/journal.ts'

/**
 * Makes the reader of a directory of journals.
 *
 * @returns A function from the id of a run to fingerprints in order of finishing; `undefined` when its journal is gone.
 */
export function createFinishOrder(
  files: Files,
  directory: string,
): (runId: string) => Promise<readonly string[] | undefined> {
  let turn: Promise<unknown> = Promise.resolve()
  const read = async (runId: string): Promise<readonly string[] | undefined> => {
    const path = joinPath(directory, journalFileName(runId, { index: 0, count: 1 }))
    try {
      if ((await files.info(path)) === undefined) return undefined
      const prior = readPriorRun((await readJournal(files, path)).entries)
      return prior === undefined ? undefined : [...prior.results.keys()]
    } catch (error) {
      if (error instanceof FileError || error instanceof RunError) return undefined
      throw error
    }
  }
  return (runId) => {
    const result = turn.then(() => read(runId))
    turn = result.catch(() => {})
    return result
  }
}
