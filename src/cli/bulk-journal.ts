/**
 * The journal of a bulk run: one small file beside the output that says how much of the output counts.
 *
 * Invariant: replaced as a whole, and only when the output it speaks of is on the disk. So a kill at any moment leaves a
 * journal that is true, and output behind its offset, which a resumed run cuts off and writes anew.
 *
 * Format: docs/formats/bulk.md
 */
import { z } from 'zod'
import { ConfigError } from '../core/config-error.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import type { BulkCheckpoint } from '../measure/bulk/bulk-checkpoint.ts'

const JOURNAL_OCTETS_MAX = 4_194_304
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

const JOURNAL: z.ZodType<BulkJournal> = z.object({
  kind: z.literal('bulk'),
  plan: z.record(z.string(), z.string()),
  seed: z.string(),
  output_octets: z.number().int().min(0),
  next_index: z.number().int().min(0),
  unfinished: z.array(z.number().int().min(0)),
  complete: z.boolean(),
})

/** Path of the journal of an output. */
export function journalPath(output: string): string {
  return `${output}.journal`
}

/** @returns `undefined` when there is none. @throws {ConfigError} When it is none of ours, or of another run. */
export async function readBulkJournal(
  files: Files,
  output: string,
  plan: Readonly<Record<string, string>>,
): Promise<BulkJournal | undefined> {
  const path = journalPath(output)
  let text: string
  try {
    text = await readText(files, path, JOURNAL_OCTETS_MAX)
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined
    throw error
  }
  const journal = parseJournal(text, path)
  const changed = Object.keys(plan).find((key) => journal.plan[key] !== plan[key])
  if (changed !== undefined) {
    throw new ConfigError(
      path,
      `the run that it belongs to had other ${changed}: ${journal.plan[changed] ?? 'none'}`,
      'give the same options, or another --output',
    )
  }
  const octets = (await files.info(output))?.sizeOctets ?? 0
  if (octets < journal.output_octets) {
    throw new ConfigError(
      output,
      `it has ${octets} octets, and the journal speaks of ${journal.output_octets}`,
      `remove ${path} to begin anew`,
    )
  }
  return journal
}

function parseJournal(text: string, path: string): BulkJournal {
  try {
    return JOURNAL.parse(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error
    throw new ConfigError(path, 'it is no journal of a bulk run', `remove ${path} to begin anew`, { cause: error })
  }
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
