/**
 * The tokens of a data directory, in `tokens.json` (0600).
 *
 * Invariant: the file has no token, only its SHA-256. A file that cannot be understood lets nobody in, and is never
 * written over.
 *
 * Format: docs/formats/tokens.md
 */
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import type { ApiToken } from './access.ts'

/** Tokens at most; more would make each comparison slow. */
export const TOKENS_MAX = 1_000

const FILE_OCTETS_MAX = 1_048_576
/** A change of the file counts after this time at the latest, in milliseconds. */
const FRESH_MS = 1_000

const FILE_SCHEMA = z.strictObject({
  version: z.literal(1),
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/i),
        scopes: z.array(z.enum(['read', 'write'])).min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        created_at: z.iso.datetime(),
        owner: z.string().min(1).max(200).optional(),
      }),
    )
    .max(TOKENS_MAX),
})

/** The file. */
export interface TokenFile {
  readonly path: string
  /** @returns The tokens now; none when there is no file. @throws {RunError} When it cannot be read or understood. */
  read(): Promise<readonly ApiToken[]>
  /** The same, read again after a second at the earliest: for every request. @throws {RunError} */
  tokens(): Promise<readonly ApiToken[]>
  /** Replaces the tokens. @throws {FileError} */
  write(tokens: readonly ApiToken[]): Promise<void>
}

/** Opens the file of a data directory; it need not be there. */
export function openTokenFile(files: Files, directory: string, clock: Clock): TokenFile {
  const path = joinPath(directory, 'tokens.json')
  let cached: Promise<readonly ApiToken[]> | undefined
  let readAtMs = 0
  const read = async (): Promise<readonly ApiToken[]> => {
    try {
      return parseTokens(await readText(files, path, FILE_OCTETS_MAX), path)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      if (error.code === 'ENOENT') return []
      throw new RunError(`the tokens cannot be read: ${error.message}`, `check the owner and the mode of ${path}`)
    }
  }
  return {
    path,
    read,
    tokens: () => {
      if (cached === undefined || clock.nowMs() - readAtMs >= FRESH_MS) {
        readAtMs = clock.nowMs()
        cached = read()
      }
      return cached
    },
    write: async (tokens) => {
      await files.writeAtomic(path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`, 0o600)
    },
  }
}

function parseTokens(text: string, path: string): readonly ApiToken[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const parsed = FILE_SCHEMA.safeParse(value)
  if (parsed.success) return parsed.data.tokens
  throw new RunError(`${path} is no list of tokens of this version`, 'move it away and add the tokens again')
}
