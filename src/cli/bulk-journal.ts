/**
 * The journal of a bulk run: one small file beside the output that says how much of the output counts.
 *
 * Invariant: replaced as a whole, and only when the output it speaks of is on the disk. So a kill at any moment leaves a
 * journal that is true, and output behind its offset, which a resumed run cuts off and writes anew.
 *
 * Format: docs/formats/bulk.md
 */
import type { Files } from '../core/files.ts'
import type { BulkCheckpoint } from '../measure/bulk/bulk-checkpoint.ts'

const JOURNAL_MODE = 0o600
const OUTPUT_MODE = 0o644

/** What a journal says. */
export interface BulkJournal {
  readonly kind: 'bulk'
  /** What must be the same for the numbers of queries to mean the same. */
  readonly plan: Readonly<Record<string, string>>
  readonly seed: string
  /** Octets of the output that hold the records of everything before `next_index` that is not unfinished. */
  readonly output_octets: number
  readonly next_index: number
  /** Numbers of queries before `next_index` without a record, ascending. */
  readonly unfinished: readonly number[]
  readonly complete: boolean
}

/** Path of the journal of an output. */
export function journalPath(output: string): string {
  return `${output}.journal`
}

/** Writes checkpoints, one after the other; of those that come while one is written, the last. */
export interface BulkJournalWriter {
  /** Puts a checkpoint on the disk as soon as the one before is there. */
  save(checkpoint: BulkCheckpoint): void
  /** Waits until everything is on the disk. @param last - The end of the run. @throws {FileError} */
  finish(last: BulkCheckpoint | undefined, isComplete: boolean): Promise<void>
}

/** Prepares to write the journal of an output. */
export function createBulkJournal(
  files: Files,
  output: string,
  plan: Readonly<Record<string, string>>,
  seed: string,
): BulkJournalWriter {
  let next: BulkCheckpoint | undefined
  let writing: Promise<void> | undefined
  let failure: unknown
  const write = async (checkpoint: BulkCheckpoint, complete: boolean): Promise<void> => {
    const file = await files.openAppend(output, OUTPUT_MODE)
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    const journal: BulkJournal = {
      kind: 'bulk',
      plan,
      seed,
      output_octets: checkpoint.outputOctets,
      next_index: checkpoint.nextIndex,
      unfinished: [...checkpoint.unfinished],
      complete,
    }
    await files.writeAtomic(journalPath(output), `${JSON.stringify(journal)}\n`, JOURNAL_MODE)
  }
  const writeAll = async (): Promise<void> => {
    for (let at = next; at !== undefined; at = next) {
      next = undefined
      await write(at, false)
    }
  }
  return {
    save: (checkpoint) => {
      next = checkpoint
      writing ??= writeAll()
        .catch((error: unknown) => {
          failure = error
        })
        .finally(() => {
          writing = undefined
        })
    },
    finish: async (last, isComplete) => {
      await writing
      if (last !== undefined) await write(last, isComplete)
      else if (failure !== undefined) throw failure
    },
  }
}
