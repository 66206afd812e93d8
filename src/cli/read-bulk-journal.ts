/**
 * Reads the journal of a bulk run that is to be continued.
 *
 * In a file of its own because the library that checks it costs a run that begins anew more than everything else at its
 * start.
 *
 * Format: docs/formats/bulk.md
 */
import { z } from 'zod'
import { ConfigError } from '../core/config-error.ts'
import { FileError, readText, type Files } from '../core/files.ts'
import { journalPath, type BulkJournal } from './bulk-journal.ts'

const JOURNAL_OCTETS_MAX = 4_194_304

const JOURNAL: z.ZodType<BulkJournal> = z.object({
  kind: z.literal('bulk'),
  plan: z.record(z.string(), z.string()),
  seed: z.string(),
  output_octets: z.number().int().min(0),
  next_index: z.number().int().min(0),
  unfinished: z.array(z.number().int().min(0)),
  complete: z.boolean(),
})

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
